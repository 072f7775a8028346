"""A region administers its machine clients, and grants only what it holds."""

import pytest

from tests.support.callers import machine, municipality_user, region_user
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


async def test_a_municipality_makes_no_clients(gateway):
    answer = await create(gateway, municipality_user(region_id=1, municipality_id=3))

    problem(answer, 403, "missing-scope")


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
