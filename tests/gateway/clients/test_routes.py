"""A region administers its machine clients, and grants only what it holds."""

import pytest
from jose import jwt

from tests.gateway.clients.conftest import seconds_until_dead, stays_alive
from tests.support.callers import (
    curator,
    machine,
    municipality_user,
    region_user,
    school_user,
)
from tests.support.running import problem

REGION = region_user(region_id=1)
ELSEWHERE = region_user(region_id=2)
PATH = "/api/accounts/machine-clients"
NEW = {"client_id": "journal", "title": "Электронный журнал", "scopes": ["imports:write"]}


async def create(gateway, token=REGION, **fields):
    async with gateway.as_(token) as client:
        return await client.post(PATH, json=NEW | fields)


async def test_a_client_is_made_without_a_secret(gateway):
    made = await create(gateway)

    assert made.status_code == 201
    client = made.json()
    assert made.headers["location"] == f"{PATH}/{client['id']}"
    assert (client["region_id"], client["has_secret"]) == (1, False)
    assert "secret" not in str(client).replace("has_secret", "")


async def test_the_list_shows_a_regions_own_clients_only(gateway):
    await create(gateway)
    await create(gateway, ELSEWHERE, client_id="other-journal")

    async with gateway.as_(REGION) as client:
        page = (await client.get(PATH, params={"count": True})).json()

    assert [one["client_id"] for one in page["items"]] == ["journal"]
    assert page["total"] == 1


async def test_another_regions_client_does_not_exist(gateway):
    number = (await create(gateway)).json()["id"]

    async with gateway.as_(ELSEWHERE) as client:
        problem(await client.get(f"{PATH}/{number}"), 404, "client-not-found")
        problem(
            await client.post(f"{PATH}/{number}/secret", headers={"If-Match": '"1"'}),
            404,
            "client-not-found",
        )


async def test_a_name_is_taken_once(gateway):
    await create(gateway)

    problem(await create(gateway, ELSEWHERE), 409, "client-id-taken")


async def test_a_municipality_makes_clients_of_its_own(gateway, registry):
    own = municipality_user(region_id=1, municipality_id=3)

    made = (await create(gateway, own, scopes=["schools:read", "enrolments:write"])).json()

    assert (made["region_id"], made["municipality_id"], made["school_id"]) == (1, 3, None)
    async with gateway.as_(municipality_user(region_id=1, municipality_id=4)) as sibling:
        problem(await sibling.get(f"{PATH}/{made['id']}"), 404, "client-not-found")
        assert (await sibling.get(PATH)).json()["items"] == []
    async with gateway.as_(REGION) as region:
        assert (await region.get(f"{PATH}/{made['id']}")).status_code == 200


async def test_a_client_below_is_placed_by_the_registry(gateway):
    own = municipality_user(region_id=1, municipality_id=3)
    scopes = ["schools:read"]

    by_region = await create(gateway, client_id="of-three", municipality_id=3, scopes=scopes)
    of_school = await create(gateway, own, client_id="of-school", school_id=11, scopes=scopes)

    assert (by_region.json()["municipality_id"], by_region.json()["school_id"]) == (3, None)
    assert (of_school.json()["municipality_id"], of_school.json()["school_id"]) == (3, 11)


async def test_nobody_makes_a_client_beside_or_above(gateway):
    own = municipality_user(region_id=1, municipality_id=3)
    for token, fields in (
        (own, {"municipality_id": 4}),
        (own, {"school_id": 12}),
        (own, {"school_id": 999}),
        (own, {"school_id": 11, "municipality_id": 4}),
        (ELSEWHERE, {"municipality_id": 3}),
        (ELSEWHERE, {"school_id": 11}),
    ):
        answer = await create(gateway, token, scopes=["schools:read"], **fields)
        refused = problem(answer, 422, "validation-failed")
        assert refused["errors"][0]["code"] == "node", fields


async def test_schools_and_curators_make_no_clients(gateway):
    for token in (
        school_user(region_id=1, municipality_id=3, school_id=11),
        curator(region_id=1),
    ):
        problem(await create(gateway, token, scopes=["schools:read"]), 403, "missing-scope")


async def test_a_client_holds_no_more_than_people_of_its_level(gateway):
    own = municipality_user(region_id=1, municipality_id=3)

    by_municipality = await create(gateway, own, scopes=["schools:read", "schools:write"])
    by_region = await create(gateway, municipality_id=3, scopes=["schools:write"])
    for_people = await create(gateway, scopes=["runs:approve"])

    assert problem(by_municipality, 403, "scope-not-held")["scopes"] == ["schools:write"]
    problem(by_region, 403, "scope-not-held")
    problem(for_people, 403, "scope-not-held")


async def test_a_token_carries_the_node_of_its_client(register):
    own = municipality_user(region_id=1, municipality_id=3)
    client = await register("lyceum", own, school_id=11, scopes=["schools:read"])
    secret = await client.secret()

    granted = (await client.log_in(secret["client_secret"])).json()

    claims = jwt.get_unverified_claims(granted["access_token"])
    assert (claims["level"], claims["sub"]) == ("school", "client:lyceum")
    assert (claims["region_id"], claims["municipality_id"], claims["school_id"]) == (1, 3, 11)


async def test_a_scope_taken_away_is_gone_from_tokens_within_a_second(register, gateway):
    client = await register()
    token, of_another = (
        client.earlier_token("imports:read", "imports:write"),
        machine(scopes=["imports:read"], region_id=1, client_id="another"),
    )

    changed = await client.ask("PATCH", "", {"scopes": ["imports:read"]})

    assert changed.json()["scopes"] == ["imports:read"]
    assert await seconds_until_dead(gateway, token) <= 1
    assert await stays_alive(gateway, of_another, 0.2)


async def test_a_scope_added_and_a_title_leave_tokens_alone(register, gateway):
    client = await register()
    token = client.earlier_token("imports:read")

    wish = {"title": "Другой", "scopes": ["imports:read", "imports:write", "schools:read"]}
    changed = await client.ask("PATCH", "", wish)

    assert (changed.json()["title"], len(changed.json()["scopes"])) == ("Другой", 3)
    assert await stays_alive(gateway, token)


async def test_a_change_asks_for_the_present_state_and_grants_only_what_is_held(register, gateway):
    client = await register()
    weak = machine(scopes=["clients:write", "clients:read", "imports:read"], region_id=1)
    async with gateway.as_(REGION) as http:
        unseen = await http.patch(f"{PATH}/{client.id}", json={"title": "Другой"})
        stale = await http.patch(
            f"{PATH}/{client.id}", json={"title": "Другой"}, headers={"If-Match": '"9"'}
        )

    problem(unseen, 428, "precondition-required")
    problem(stale, 412, "stale-version")
    for wish in ({}, {"title": None}, {"region_id": 2}, {"client_id": "other"}, {"scopes": []}):
        problem(await client.ask("PATCH", "", wish), 422, "validation-failed")
    more = await client.ask("PATCH", "", {"scopes": ["imports:read", "regions:write"]})
    assert problem(more, 403, "scope-not-held")["scopes"] == ["regions:write"]
    by_weak = await client.ask(
        "PATCH", "", {"scopes": ["imports:read", "imports:write", "schools:read"]}, token=weak
    )
    assert problem(by_weak, 403, "scope-not-held")["scopes"] == ["schools:read"]


async def test_a_blocked_clients_tokens_are_dead_within_a_second(register, gateway):
    client = await register()
    token = client.earlier_token("imports:read")

    await client.ask("PUT", "/blocking")

    assert await seconds_until_dead(gateway, token) <= 1
    await client.ask("DELETE", "/blocking")
    # Unblocking does not bring it back.
    assert (await gateway.as_(token).get("/api/auth/me")).status_code == 401


@pytest.mark.parametrize("subject", ["user:1", "client:journal", "service:indicators", "root"])
async def test_a_client_can_take_no_name_of_another_kind(gateway, subject):
    """Threat 6: what a client is called never reads as a person or as a service of ours."""
    answer = await create(gateway, client_id=subject)

    if ":" in subject:
        problem(answer, 422, "validation-failed")
    else:
        # A name like any other: its subject is client:root, not root.
        assert answer.status_code == 201


async def test_what_only_the_system_holds_is_not_granted(gateway):
    answer = await create(gateway, scopes=["imports:write", "regions:write"])

    assert problem(answer, 403, "scope-not-held")["scopes"] == ["regions:write"]


async def test_a_machine_grants_only_its_own_scopes(gateway):
    caller = machine(scopes=["clients:write"], region_id=1)

    problem(await create(gateway, caller), 403, "scope-not-held")


async def test_the_system_has_no_region_to_put_a_client_into(gateway):
    caller = machine(scopes=["clients:write"], level="system", client_id="root")

    problem(await create(gateway, caller, scopes=["clients:write"]), 403, "without-region")


@pytest.mark.parametrize(
    "fields",
    [
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": ["imports:write; drop"]},
        {"client_id": "user:1"},
        {"client_id": "service:indicators"},
        {"title": " "},
        {"region_id": 2},
        {"secret_hash": "0"},
    ],
)
async def test_malformed_input_is_refused(gateway, fields):
    problem(await create(gateway, **fields), 422, "validation-failed")


async def test_a_secret_is_issued_to_whoever_saw_the_present_state(gateway):
    number = (await create(gateway)).json()["id"]

    async with gateway.as_(REGION) as client:
        unseen = await client.post(f"{PATH}/{number}/secret")
        first = await client.post(f"{PATH}/{number}/secret", headers={"If-Match": '"1"'})
        second = await client.post(f"{PATH}/{number}/secret", headers={"If-Match": '"1"'})

    problem(unseen, 428, "precondition-required")
    assert first.status_code == 200
    problem(second, 412, "stale-version")


async def test_the_same_key_makes_one_client(gateway):
    async with gateway.as_(REGION) as client:
        answers = [
            await client.post(PATH, json=NEW, headers={"Idempotency-Key": "make-the-journal"})
            for _ in range(2)
        ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
