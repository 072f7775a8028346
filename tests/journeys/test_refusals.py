"""Five things a client gets wrong, told through the gateway so that it can put them right by itself."""

import uuid

from tests.support.running import problem
from tests.support.world import Caller


async def refused(
    caller: Caller, method: str, path: str, status: int, code: str, **options: object
) -> dict[str, object]:
    """Make a call that must be refused; return the problem, which must name the remedy."""
    told = problem(await caller.ask(method, path, **options), status, code)
    assert told["hint"]
    return told


async def test_a_tampered_cursor_says_where_to_begin_again(smolensk):
    analyst = smolensk.region.analyst
    schools = "/api/registry/v1/schools"
    first = await analyst.get(schools, limit=2)
    cursor = first["next"]
    tampered = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]

    await refused(
        analyst, "GET", schools, 400, "cursor-invalid", params={"limit": 2, "cursor": tampered}
    )
    assert await analyst.get(schools, limit=2, cursor=cursor)


async def test_an_unknown_field_is_named(smolensk):
    told = await refused(
        smolensk.region.analyst,
        "POST",
        "/api/registry/v1/programme-years",
        422,
        "validation-failed",
        json={"year": 2031, "colour": "red"},
    )

    assert [error["pointer"] for error in told["errors"]] == ["/colour"]


async def test_a_key_belongs_to_one_body(smolensk):
    analyst, years = smolensk.region.analyst, "/api/registry/v1/programme-years"
    key = {"Idempotency-Key": uuid.uuid4().hex}
    made = await analyst.ask("POST", years, json={"year": 2032}, headers=key)
    again = await analyst.ask("POST", years, json={"year": 2032}, headers=key)

    await refused(
        analyst, "POST", years, 422, "idempotency-key-reused", json={"year": 2033}, headers=key
    )
    assert (made.status_code, again.json()) == (201, made.json())


async def test_a_stale_tag_changes_nothing(smolensk):
    analyst = smolensk.region.analyst
    address = f"/api/monitoring/v1/waves/{smolensk.wave['id']}"
    before = await analyst.get(address)

    await refused(
        analyst,
        "PATCH",
        address,
        412,
        "stale-version",
        json={"title": "Иначе"},
        headers={"If-Match": '"999"'},
    )
    assert await analyst.get(address) == before


async def test_a_foreign_record_does_not_exist(smolensk):
    foreign = f"/api/registry/v1/schools/{smolensk.granted_school['id']}"

    of_another = await refused(smolensk.school_user, "GET", foreign, 404, "school-not-found")
    of_nobody = await refused(
        smolensk.school_user, "GET", "/api/registry/v1/schools/999999999", 404, "school-not-found"
    )
    assert {**of_another, "request_id": ""} == {**of_nobody, "request_id": ""}
