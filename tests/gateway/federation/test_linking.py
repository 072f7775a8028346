"""An administrator links accounts to people of an issuer, below himself and each person once."""

import asyncpg
from sqlalchemy.engine import make_url

from tests.gateway.federation.conftest import REGION, link
from tests.support.callers import municipality_user, region_user
from tests.support.running import problem


def path(doors):
    return f"/api/accounts/{doors.account['id']}/external-identity"


async def test_a_link_is_shown_with_the_accounts_version(doors):
    async with doors.gateway.as_(REGION) as client:
        answer = await client.get(path(doors))
        account = await client.get(f"/api/accounts/{doors.account['id']}")

    assert answer.json() == {"issuer": "esia", "subject": "person-1"}
    assert answer.headers["etag"] == account.headers["etag"] == '"2"'


async def test_a_link_asks_for_the_present_state(doors):
    body = {"issuer": "esia", "subject": "person-9"}
    async with doors.gateway.as_(REGION) as client:
        unseen = await client.put(path(doors), json=body)
        stale = await client.put(path(doors), json=body, headers={"If-Match": '"1"'})

    problem(unseen, 428, "precondition-required")
    problem(stale, 412, "stale-version")
    assert (await doors.log_in()).status_code == 200


async def test_a_person_of_an_issuer_has_one_account(doors, person):
    second = await person(REGION, "petrova", "municipality", municipality_id=4)

    problem(await link(doors.gateway, second["id"], "person-1"), 409, "external-identity-taken")
    # Of another issuer the same number is another person.
    other = await link(doors.gateway, second["id"], "person-1", issuer="other")
    assert other.status_code == 200


async def test_only_issuers_of_the_settings_can_be_linked(doors):
    refused = await link(doors.gateway, doors.account["id"], "person-1", issuer="evil")

    assert problem(refused, 422, "validation-failed")["errors"][0]["pointer"] == "/issuer"


async def test_only_who_stands_above_links(doors):
    body = {"issuer": "esia", "subject": "person-9"}
    own_level = municipality_user(region_id=1, municipality_id=3)
    for token, status, code in (
        (region_user(region_id=2), 404, "account-not-found"),
        (municipality_user(region_id=1, municipality_id=4), 404, "account-not-found"),
        (own_level, 403, "account-not-below"),
    ):
        async with doors.gateway.as_(token) as client:
            answer = await client.put(path(doors), json=body, headers={"If-Match": '"2"'})
            removed = await client.delete(path(doors), headers={"If-Match": '"2"'})
        problem(answer, status, code)
        problem(removed, status, code)

    assert (await doors.log_in()).status_code == 200


async def test_without_a_link_nobody_logs_in_and_sessions_end(doors):
    granted = (await doors.log_in()).json()
    async with doors.gateway.as_(REGION) as client:
        etag = (await client.get(path(doors))).headers["etag"]
        removed = await client.delete(path(doors), headers={"If-Match": etag})
        gone = await client.get(path(doors))
        again = await client.post(
            "/api/auth/token",
            json={"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]},
        )

    assert removed.status_code == 204
    problem(gone, 404, "external-identity-not-found")
    problem(again, 400, "invalid-grant")
    problem(await doors.log_in(), 403, "external-person-unknown")


async def test_an_erased_account_loses_its_link(doors):
    async with doors.gateway.as_(REGION) as client:
        account = f"/api/accounts/{doors.account['id']}"
        etag = (await client.get(account)).headers["etag"]
        erased = await client.delete(account, headers={"If-Match": etag})

    assert erased.status_code == 204, erased.text
    assert await doors.count("external_identity") == 0
    problem(await doors.log_in(), 403, "external-person-unknown")


async def test_the_audit_tells_of_a_link_and_not_whom_it_names(doors):
    url = make_url(doors.gateway.urls.admin).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        kept = await connection.fetch(
            "SELECT kind, (to_jsonb(e))::text AS entry FROM audit_entry e"
            " UNION ALL SELECT kind, (to_jsonb(c))::text FROM change c"
        )
    finally:
        await connection.close()

    assert "external-identity" in {row["kind"] for row in kept}
    assert not [row["entry"] for row in kept if "person-1" in row["entry"]]
