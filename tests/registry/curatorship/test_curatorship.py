"""Curators' grants: giving, what they open, revoking."""

from datetime import UTC, datetime, timedelta

from tests.support import callers
from tests.support.builders.registry import a_school
from tests.support.running import problem

GRANTS = "/api/registry/v1/curator-grants"
SCHOOLS = "/api/registry/v1/schools"

TODAY = datetime.now(UTC).date()


def grant_body(school, **values):
    return {
        "curator": "user:4",
        "school_id": school["id"],
        "valid_from": "2025-03-15",
        "reason": "Приказ № 211",
    } | values


async def seen_by(client):
    page = (await client.get(SCHOOLS, params={"count": True})).json()
    assert page["total"] == len(page["items"])
    return [row["id"] for row in page["items"]]


async def test_a_curator_sees_the_schools_of_grants_in_force_until_revoked(registry, smolensk):
    granted = await a_school(smolensk, code="1")
    await a_school(smolensk, code="2")
    expired = await a_school(smolensk, code="3")
    future = await a_school(smolensk, code="4")
    curator = registry.as_(callers.curator(region_id=smolensk.region_id, user_id=4))
    other = registry.as_(callers.curator(region_id=smolensk.region_id, user_id=5))
    before = await seen_by(curator)

    made = await smolensk.region.post(GRANTS, json=grant_body(granted))
    await smolensk.region.post(GRANTS, json=grant_body(expired, valid_to=TODAY.isoformat()))
    await smolensk.region.post(
        GRANTS, json=grant_body(future, valid_from=(TODAY + timedelta(days=2)).isoformat())
    )
    during = await seen_by(curator)
    others = await seen_by(other)
    revoked = await smolensk.region.post(
        f"{GRANTS}/{made.json()['id']}/revocation", json={"reason": "Увольнение"}
    )

    assert (before, during, others) == ([], [granted["id"]], [])
    assert revoked.json()["revocation_reason"] == "Увольнение"
    assert await seen_by(curator) == []


async def test_a_grant_is_revoked_once(smolensk):
    made = await smolensk.region.post(GRANTS, json=grant_body(await a_school(smolensk)))
    address = f"{GRANTS}/{made.json()['id']}"

    await smolensk.region.post(f"{address}/revocation", json={"reason": "Увольнение"})
    again = await smolensk.region.post(f"{address}/revocation", json={"reason": "Ещё раз"})
    unknown = await smolensk.region.post(f"{GRANTS}/999/revocation", json={"reason": "Нет такого"})

    problem(again, 409, "already-revoked")
    problem(unknown, 404, "grant-not-found")
    assert (await smolensk.region.get(address)).json()["revocation_reason"] == "Увольнение"


async def test_each_sees_the_grants_that_concern_it(registry, smolensk):
    near = await a_school(smolensk, code="1")
    far = await a_school(smolensk, smolensk.vyazma, code="2")
    for school, curator in ((near, "user:4"), (far, "user:5")):
        await smolensk.region.post(GRANTS, json=grant_body(school, curator=curator))

    async def curators_seen(client, **asked):
        return [row["curator"] for row in (await client.get(GRANTS, params=asked)).json()["items"]]

    fourth = registry.as_(callers.curator(region_id=smolensk.region_id, user_id=4))
    assert await curators_seen(smolensk.region) == ["user:4", "user:5"]
    assert await curators_seen(smolensk.region, curator="user:5") == ["user:5"]
    assert await curators_seen(smolensk.region, active_on="2025-03-14") == []
    assert await curators_seen(smolensk.region, active_on="2025-03-15") == ["user:4", "user:5"]
    assert await curators_seen(smolensk.municipality(smolensk.vyazma)) == ["user:5"]
    assert await curators_seen(fourth) == ["user:4"]
    problem(await fourth.post(GRANTS, json=grant_body(far)), 403, "missing-scope")


async def test_a_grant_names_a_person_a_school_and_at_least_one_day(smolensk):
    school = await a_school(smolensk)

    machine = await smolensk.region.post(GRANTS, json=grant_body(school, curator="client:ris"))
    no_day = await smolensk.region.post(GRANTS, json=grant_body(school, valid_to="2025-03-15"))
    no_school = await smolensk.region.post(GRANTS, json=grant_body({"id": 999}))

    problem(machine, 422, "validation-failed")
    problem(no_day, 422, "validation-failed")
    problem(no_school, 404, "school-not-found")


async def test_grants_travel_in_the_feed(smolensk):
    made = await smolensk.region.post(GRANTS, json=grant_body(await a_school(smolensk)))
    await smolensk.region.post(
        f"{GRANTS}/{made.json()['id']}/revocation", json={"reason": "Увольнение"}
    )

    page = (
        await smolensk.region.get("/api/registry/v1/changes", params={"kind": "curator_grant"})
    ).json()

    assert [item["body"]["revoked_at"] is None for item in page["items"]] == [True, False]


async def test_a_grant_of_another_region_opens_nothing(registry, smolensk):
    school = await a_school(smolensk)
    await smolensk.region.post(GRANTS, json=grant_body(school, curator="user:8"))
    own = registry.as_(callers.curator(region_id=smolensk.region_id, user_id=8))
    stranger = registry.as_(callers.curator(region_id=smolensk.region_id + 1, user_id=8))

    assert await seen_by(own) == [school["id"]]
    assert await seen_by(stranger) == []
    assert (await stranger.get(GRANTS)).json()["items"] == []


async def give_many(region, *grants):
    return await region.post(
        f"{GRANTS}/bulk",
        json={"grants": grants},
        headers={"Idempotency-Key": f"many-grants-{len(grants)}"},
    )


async def test_many_schools_are_given_at_once_and_what_is_in_force_stays(smolensk):
    first, second = await a_school(smolensk, code="1"), await a_school(smolensk, code="2")
    held = (await smolensk.region.post(GRANTS, json=grant_body(first))).json()

    made = (await give_many(smolensk.region, grant_body(first), grant_body(second))).json()

    assert (made["created"], made["unchanged"]) == (1, 1)
    assert [row["outcome"] for row in made["grants"]] == ["unchanged", "created"]
    assert made["grants"][0]["id"] == held["id"]
    assert len((await smolensk.region.get(GRANTS)).json()["items"]) == 2


async def test_one_wrong_grant_of_many_gives_none(smolensk):
    school = await a_school(smolensk)

    refused = await give_many(
        smolensk.region, grant_body(school), grant_body({"id": 999}), grant_body(school)
    )

    found = problem(refused, 422, "validation-failed")["errors"]
    assert [(e["pointer"], e["code"]) for e in found] == [
        ("/grants/1/school_id", "school_not_found"),
        ("/grants/2", "repeated"),
    ]
    assert (await smolensk.region.get(GRANTS)).json()["items"] == []


async def test_a_grant_has_an_etag_that_tells_given_from_revoked(smolensk):
    made = await smolensk.region.post(GRANTS, json=grant_body(await a_school(smolensk)))
    address = f"{GRANTS}/{made.json()['id']}"
    seen = (await smolensk.region.get(address)).headers["etag"]

    same = await smolensk.region.get(address, headers={"If-None-Match": seen})
    await smolensk.region.post(f"{address}/revocation", json={"reason": "Увольнение"})
    after = await smolensk.region.get(address, headers={"If-None-Match": seen})

    assert (made.headers["etag"], seen) == ('"1"', '"1"')
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", '"1"')
    assert (after.status_code, after.headers["etag"]) == (200, '"2"')
