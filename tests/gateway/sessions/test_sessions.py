"""People see and end their sessions; administrators those of the people below."""

import uuid

import pytest

from gateway.sessions.devices import _device, _network
from tests.gateway.conftest import as_person, is_dead, log_in, refresh
from tests.support.callers import machine, municipality_user, region_user, school_user
from tests.support.running import problem

REGION = region_user(region_id=1, user_id=900)
MUNICIPALITY = municipality_user(region_id=1, municipality_id=3, user_id=901)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:149.0) Gecko/20100101 Firefox/149.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/19.1 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
async def anna(person):
    return await person(REGION, "anna", "school", school_id=11)


async def tokens_of(gateway, login="anna", agent=FIREFOX):
    answer = await log_in(gateway, login, headers={"User-Agent": agent})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def sessions_of(client, path="/api/auth/sessions", **params):
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_person_sees_the_own_sessions_and_which_one_this_is(gateway, anna, person):
    await person(REGION, "other", "school", school_id=11)
    await tokens_of(gateway, "other")
    desk = await tokens_of(gateway)
    phone = await tokens_of(gateway, agent=IPHONE)

    async with as_person(gateway, phone) as client:
        page = await sessions_of(client, count=True)
        first = await sessions_of(client, limit=1)
        second = await sessions_of(client, limit=1, cursor=first["next"])

    assert [(one["device"], one["is_current"]) for one in page["items"]] == [
        ("Firefox, Linux", False),
        ("Safari, iPhone", True),
    ]
    assert page["total"] == 2
    assert [*first["items"], *second["items"]] == page["items"]
    assert all(one["started_at"] <= one["last_used_at"] for one in page["items"])
    assert {one["source"] for one in page["items"]} == {"127.0.0.0/24"}
    # Going on is using.
    assert (await refresh(gateway, desk)).status_code == 200
    async with as_person(gateway, desk) as client:
        used = (await sessions_of(client))["items"][0]
    assert used["last_used_at"] > used["started_at"]


async def test_ending_one_session_leaves_the_others(gateway, anna):
    here, there = await tokens_of(gateway), await tokens_of(gateway)
    async with as_person(gateway, here) as client:
        foreign = [one for one in (await sessions_of(client))["items"] if not one["is_current"]]
        path = f"/api/auth/sessions/{foreign[0]['id']}"
        ended = await client.delete(path)
        again = await client.delete(path)

    assert ended.status_code == 204
    problem(again, 404, "session-not-found")
    assert await is_dead(gateway, there)
    assert (await refresh(gateway, here)).status_code == 200


async def test_ending_the_others_leaves_this_one(gateway, anna):
    here = await tokens_of(gateway)
    others = [await tokens_of(gateway) for _ in range(3)]
    async with as_person(gateway, here) as client:
        assert (await client.delete("/api/auth/sessions")).status_code == 204
        assert len((await sessions_of(client))["items"]) == 1

    for other in others:
        assert await is_dead(gateway, other)
    assert (await refresh(gateway, here)).status_code == 200


async def test_nobody_ends_a_strangers_session_by_its_number(gateway, anna, person):
    await person(REGION, "other", "school", school_id=11)
    mine, theirs = await tokens_of(gateway), await tokens_of(gateway, "other")
    async with as_person(gateway, theirs) as client:
        number = (await sessions_of(client))["items"][0]["id"]
    async with as_person(gateway, mine) as client:
        foreign = await client.delete(f"/api/auth/sessions/{number}")
        missing = await client.delete(f"/api/auth/sessions/{uuid.uuid4()}")

    told = [problem(one, 404, "session-not-found") for one in (foreign, missing)]
    assert {**told[0], "request_id": ""} == {**told[1], "request_id": ""}
    assert (await refresh(gateway, theirs)).status_code == 200


async def test_who_stands_above_sees_and_ends_the_sessions(gateway, anna):
    first, second = await tokens_of(gateway), await tokens_of(gateway)
    path = f"/api/accounts/{anna['id']}/sessions"
    async with gateway.as_(MUNICIPALITY) as client:
        listed = (await sessions_of(client, path))["items"]
        assert (await client.delete(f"{path}/{listed[0]['id']}")).status_code == 204
        assert await is_dead(gateway, first)
        assert (await refresh(gateway, second)).status_code == 200
        assert (await client.delete(path)).status_code == 204
        assert (await sessions_of(client, path))["items"] == []

    assert "is_current" not in listed[0]
    assert await is_dead(gateway, second)
    # The login stays open.
    assert await tokens_of(gateway)


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        (region_user(region_id=2), 404, "account-not-found"),
        (municipality_user(region_id=1, municipality_id=4), 404, "account-not-found"),
        (school_user(region_id=1, municipality_id=3, school_id=11), 403, "missing-scope"),
    ],
)
async def test_nobody_else_does(gateway, anna, token, status, code):
    tokens = await tokens_of(gateway)
    path = f"/api/accounts/{anna['id']}/sessions"
    async with gateway.as_(token) as client:
        for answer in (
            await client.get(path),
            await client.delete(path),
            await client.delete(f"{path}/{uuid.uuid4()}"),
        ):
            problem(answer, status, code)

    assert (await refresh(gateway, tokens)).status_code == 200


async def test_a_colleagues_sessions_are_not_ones_own_to_see(gateway, person):
    third = await person(REGION, "third", "municipality", municipality_id=3)
    async with gateway.as_(MUNICIPALITY) as client:
        answer = await client.get(f"/api/accounts/{third['id']}/sessions")

    problem(answer, 403, "account-not-below")


async def test_a_machine_has_no_sessions(gateway):
    async with gateway.as_(machine(scopes=["accounts:read"], region_id=1)) as client:
        problem(await client.get("/api/auth/sessions"), 403, "person-only")


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (FIREFOX, "Firefox, Linux"),
        (IPHONE, "Safari, iPhone"),
        (f"{CHROME} YaBrowser/26.9.0.0 Safari/537.36", "Яндекс Браузер, Windows"),
        (f"{CHROME} Safari/537.36 Edg/141.0.0.0", "Edge, Windows"),
        ("python-httpx/0.28.1", "python-httpx"),
        ("<script>alert(1)</script>" * 50, "scriptalert1"),
        ("", "Неизвестное устройство"),
        ("\x1b[31m/1", "31m"),
    ],
)
def test_a_device_is_named_by_its_kind(agent, device):
    assert _device(agent) == device
    assert not any(letter.isdigit() for letter in _device(agent)) or agent[0] in "<\x1b"


@pytest.mark.parametrize(
    ("source", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("unknown", None),
    ],
)
def test_of_an_address_the_network_is_kept(source, network):
    assert _network(source) == network
