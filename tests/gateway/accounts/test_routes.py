"""Delegated administration: everybody appoints below himself, inside his own node."""

import pytest
from sqlalchemy import text

from services.kit.reach import Reach
from tests.support.callers import curator, machine, municipality_user, region_user, school_user
from tests.support.running import problem

ROOT = machine(scopes=["accounts:write", "accounts:read"], level="system", client_id="root")
REGION = region_user(region_id=1)
ELSEWHERE = region_user(region_id=2)
MUNICIPALITY = municipality_user(region_id=1, municipality_id=3)
SCHOOL = school_user(region_id=1, municipality_id=3, school_id=11)
CURATOR = curator(region_id=1)

NODES = {
    "region": {"region_id": 1},
    "municipality": {"municipality_id": 3},
    "school": {"school_id": 11},
    "curator": {},
}


async def create(gateway, token, role, **fields):
    body = {
        "login": "new.person",
        "display_name": "Новый человек",
        "role": role,
        "password": "a long enough password",
        **NODES[role],
    }
    body = {name: value for name, value in (body | fields).items() if value is not ...}
    async with gateway.as_(token) as client:
        return await client.post("/api/accounts", json=body)


@pytest.mark.parametrize(
    ("token", "role", "node"),
    [
        (ROOT, "region", (1, None, None)),
        (REGION, "municipality", (1, 3, None)),
        (REGION, "school", (1, 3, 11)),
        (REGION, "curator", (1, None, None)),
        (MUNICIPALITY, "school", (1, 3, 11)),
    ],
)
async def test_who_may_appoint_whom(gateway, token, role, node):
    answer = await create(gateway, token, role)

    assert answer.status_code == 201, answer.text
    account = answer.json()
    assert (account["region_id"], account["municipality_id"], account["school_id"]) == node
    assert answer.headers["etag"] == '"1"'
    assert not {"password", "password_hash"} & account.keys()


@pytest.mark.parametrize(
    ("token", "role"),
    [
        (ROOT, "municipality"),
        (ROOT, "school"),
        (ROOT, "curator"),
        (REGION, "region"),
        (MUNICIPALITY, "region"),
        (MUNICIPALITY, "municipality"),
        (MUNICIPALITY, "curator"),
    ],
)
async def test_nobody_appoints_beside_or_above_himself(gateway, token, role):
    refused = problem(await create(gateway, token, role), 403, "account-not-below")

    assert role not in refused["allowed_roles"]


@pytest.mark.parametrize("token", [SCHOOL, CURATOR])
async def test_schools_and_curators_administer_nobody(gateway, token):
    problem(await create(gateway, token, "school"), 403, "missing-scope")
    async with gateway.as_(token) as client:
        problem(await client.get("/api/accounts"), 403, "missing-scope")


@pytest.mark.parametrize(
    ("token", "role", "fields", "pointer"),
    [
        (REGION, "municipality", {"municipality_id": 99}, "/municipality_id"),
        (REGION, "municipality", {"municipality_id": ...}, "/municipality_id"),
        (REGION, "municipality", {"school_id": 11}, "/school_id"),
        (REGION, "municipality", {"region_id": 2}, "/region_id"),
        (REGION, "school", {"school_id": 99}, "/school_id"),
        (REGION, "school", {"municipality_id": 4}, "/municipality_id"),
        (REGION, "curator", {"school_id": 11}, "/school_id"),
        (ELSEWHERE, "municipality", {}, "/municipality_id"),
        (ELSEWHERE, "school", {}, "/school_id"),
        # School 12 stands in municipality 4.
        (MUNICIPALITY, "school", {"school_id": 12}, "/school_id"),
        (ROOT, "region", {"region_id": ...}, "/region_id"),
        (ROOT, "region", {"municipality_id": 3}, "/municipality_id"),
    ],
)
async def test_the_node_lies_inside_the_callers_own(gateway, token, role, fields, pointer):
    refused = problem(await create(gateway, token, role, **fields), 422, "validation-failed")

    assert [error["pointer"] for error in refused["errors"]] == [pointer]


async def test_the_registry_is_asked_with_the_callers_own_token(gateway, registry):
    await create(gateway, MUNICIPALITY, "school")

    assert registry[0].tokens[-1] == MUNICIPALITY


async def test_a_silent_registry_makes_no_account(databases):
    from gateway.app import SERVICE
    from tests.gateway.conftest import KEY_SECRET
    from tests.support.running import running

    async with (
        databases.fresh(SERVICE) as urls,
        running(SERVICE, urls, key_secret=KEY_SECRET, registry_url="http://127.0.0.1:9") as gateway,
    ):
        problem(await create(gateway, REGION, "school"), 503, "peer-unavailable")
        async with gateway.as_(REGION) as client:
            assert (await client.get("/api/accounts")).json()["items"] == []


async def test_a_login_is_taken_once_in_all_regions(gateway):
    await create(gateway, REGION, "curator")

    answer = await create(gateway, ELSEWHERE, "curator", login="New.Person")

    problem(answer, 409, "login-taken")


@pytest.mark.parametrize(
    "fields",
    [
        {"login": "a"},
        {"login": "with space"},
        {"login": "русский"},
        {"password": "geheim"},
        {"display_name": "\x00"},
        {"display_name": ""},
        {"blocked_at": None},
        {"password_hash": "x"},
        {"id": 1},
        {"version": 7},
    ],
)
async def test_malformed_input_is_refused_and_nothing_stored(gateway, fields):
    answer = await create(gateway, REGION, "curator", **fields)

    problem(answer, 422, "validation-failed")
    assert "geheim" not in answer.text
    async with gateway.as_(REGION) as client:
        assert (await client.get("/api/accounts")).json()["items"] == []


@pytest.fixture
async def people(gateway, person):
    """One of each, in two municipalities and two regions."""
    return {
        "boss": await person(ROOT, "boss", "region", region_id=1),
        "other_boss": await person(ROOT, "other.boss", "region", region_id=2),
        "third": await person(REGION, "third", "municipality", municipality_id=3),
        "fourth": await person(REGION, "fourth", "municipality", municipality_id=4),
        "eleventh": await person(REGION, "eleventh", "school", school_id=11),
        "twelfth": await person(REGION, "twelfth", "school", school_id=12),
    }


@pytest.mark.parametrize(
    ("token", "seen"),
    [
        (ROOT, ["boss", "eleventh", "fourth", "other.boss", "third", "twelfth"]),
        (REGION, ["boss", "eleventh", "fourth", "third", "twelfth"]),
        (MUNICIPALITY, ["eleventh", "third"]),
        (ELSEWHERE, ["other.boss"]),
    ],
)
async def test_everybody_sees_the_accounts_of_his_own_node(gateway, people, token, seen):
    async with gateway.as_(token) as client:
        page = (await client.get("/api/accounts", params={"count": True})).json()

    assert [account["login"] for account in page["items"]] == seen
    assert page["total"] == len(seen)


async def test_the_list_filters_by_role(gateway, people):
    async with gateway.as_(REGION) as client:
        page = (await client.get("/api/accounts", params={"role": "school"})).json()

    assert [account["login"] for account in page["items"]] == ["eleventh", "twelfth"]


@pytest.mark.parametrize("whom", ["fourth", "twelfth", "boss", "other_boss"])
async def test_an_account_outside_the_node_does_not_exist(gateway, people, whom):
    path = f"/api/accounts/{people[whom]['id']}"
    async with gateway.as_(MUNICIPALITY) as client:
        answers = [
            await client.get(path),
            await client.put(f"{path}/blocking", headers={"If-Match": '"1"'}),
            await client.delete(f"{path}/blocking", headers={"If-Match": '"1"'}),
            await client.put(
                f"{path}/password",
                json={"password": "a long enough password"},
                headers={"If-Match": '"1"'},
            ),
        ]

    for answer in answers:
        problem(answer, 404, "account-not-found")


@pytest.mark.parametrize(("token", "whom"), [(MUNICIPALITY, "third"), (REGION, "boss")])
async def test_a_colleague_is_seen_but_not_changed(gateway, people, token, whom):
    path = f"/api/accounts/{people[whom]['id']}"
    async with gateway.as_(token) as client:
        seen = await client.get(path)
        blocked = await client.put(f"{path}/blocking", headers={"If-Match": '"1"'})

    assert seen.status_code == 200
    problem(blocked, 403, "account-not-below")


async def test_blocking_and_unblocking_follow_the_version(gateway, people):
    path = f"/api/accounts/{people['eleventh']['id']}/blocking"
    async with gateway.as_(MUNICIPALITY) as client:
        problem(await client.put(path), 428, "precondition-required")
        blocked = await client.put(path, headers={"If-Match": '"1"'})
        stale = await client.delete(path, headers={"If-Match": '"1"'})
        opened = await client.delete(path, headers={"If-Match": blocked.headers["etag"]})

    assert blocked.json()["blocked_at"] is not None
    problem(stale, 412, "stale-version")
    assert (opened.json()["blocked_at"], opened.json()["version"]) == (None, 3)


async def test_the_database_remembers_who_changed_what_but_no_hash(gateway, people):
    path = f"/api/accounts/{people['eleventh']['id']}/password"
    async with gateway.as_(municipality_user(region_id=1, municipality_id=3, user_id=77)) as client:
        await client.put(
            path, json={"password": "a long enough password"}, headers={"If-Match": '"1"'}
        )

    async with gateway.database.transaction(Reach.system()) as session:
        entry = (
            await session.execute(
                text(
                    "SELECT subject, op, after FROM audit_entry WHERE kind = 'account' ORDER BY id"
                )
            )
        ).all()[-1]
    assert (entry.subject, entry.op) == ("user:77", "update")
    assert entry.after["password_set_at"]
    # Neither the hash nor, since an audit is kept for ever, who it is.
    assert not {"password_hash", "former_password_hash", "invitation_hash"} & entry.after.keys()
    assert "eleventh" not in str(entry.after)


async def test_the_same_key_makes_one_account(gateway):
    body = {
        "login": "once",
        "display_name": "Один раз",
        "role": "curator",
        "password": "a long enough password",
    }
    async with gateway.as_(REGION) as client:
        answers = [
            await client.post("/api/accounts", json=body, headers={"Idempotency-Key": "make-once"})
            for _ in range(2)
        ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
