"""A former employee: blocked for ever, and nobody can say any more who it was."""

import json

import pytest
from sqlalchemy import text

from services.kit.reach import Reach
from tests.gateway.conftest import as_person, is_dead, log_in
from tests.support.callers import municipality_user, region_user
from tests.support.running import problem

REGION = region_user(region_id=1, user_id=900)
MUNICIPALITY = municipality_user(region_id=1, municipality_id=3, user_id=901)


async def dump(gateway):
    async with gateway.database.transaction(Reach.system()) as session:
        tables = await session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        return {
            table: "\n".join(await session.scalars(text(f"SELECT t::text FROM {table} t")))
            for table in tables
        }


async def test_nothing_is_left_that_says_who_it_was(gateway, person):
    anna = await person(REGION, "kanareikina", "school", school_id=11)
    tokens = (await log_in(gateway, "kanareikina", headers={"User-Agent": "Opera Mini/7"})).json()
    path = f"/api/accounts/{anna['id']}"
    async with gateway.as_(MUNICIPALITY) as client:
        renamed = await client.patch(
            path, json={"display_name": "Канарейкина А. А."}, headers={"If-Match": '"1"'}
        )
        assert renamed.status_code == 200, renamed.text
        before = await dump(gateway)
        assert "kanareikina" in before["account"]
        bare = await client.delete(path)
        stale = await client.delete(path, headers={"If-Match": '"1"'})
        erased = await client.delete(path, headers={"If-Match": renamed.headers["etag"]})
        left = (await client.get(path)).json()
        again = await client.delete(path, headers={"If-Match": f'"{left["version"]}"'})
        opened = await client.delete(
            f"{path}/blocking", headers={"If-Match": f'"{left["version"]}"'}
        )

    problem(bare, 428, "precondition-required")
    problem(stale, 412, "stale-version")
    assert erased.status_code == 204
    assert left["state"] == "erased"
    assert left["blocked_at"] is not None
    problem(again, 409, "account-erased")
    problem(opened, 409, "account-erased")
    assert await is_dead(gateway, tokens)
    problem(await log_in(gateway, "kanareikina"), 400, "invalid-grant")
    after = await dump(gateway)
    found = [
        table
        for table, rows in after.items()
        if any(word in rows.lower() for word in ("kanareikina", "канарейкина", "opera mini"))
    ]
    # Answers kept under an Idempotency-Key are purged after a day; none was asked for here.
    assert found == []
    # What was done stays attributed to one number.
    assert f"user:{anna['id']}" in json.dumps(after) or f",{anna['id']}," in after["audit_entry"]


async def test_the_login_is_free_for_another_person(gateway, person):
    anna = await person(REGION, "anna", "curator")
    async with gateway.as_(REGION) as client:
        await client.delete(f"/api/accounts/{anna['id']}", headers={"If-Match": '"1"'})

    other = await person(REGION, "anna", "curator")

    assert other["id"] != anna["id"]


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        (region_user(region_id=2), 404, "account-not-found"),
        (municipality_user(region_id=1, municipality_id=4), 404, "account-not-found"),
    ],
)
async def test_only_who_stands_above_erases(gateway, person, token, status, code):
    anna = await person(REGION, "anna", "school", school_id=11)
    async with gateway.as_(token) as client:
        answer = await client.delete(f"/api/accounts/{anna['id']}", headers={"If-Match": '"1"'})

    problem(answer, status, code)
    assert (await log_in(gateway, "anna")).status_code == 200


async def test_unblocking_gives_no_ended_session_back(gateway, person):
    anna = await person(REGION, "anna", "curator")
    tokens = (await log_in(gateway, "anna")).json()
    path = f"/api/accounts/{anna['id']}/blocking"
    async with gateway.as_(REGION) as client:
        blocked = await client.put(path, headers={"If-Match": '"1"'})
        assert await is_dead(gateway, tokens)
        await client.delete(path, headers={"If-Match": blocked.headers["etag"]})

    assert await is_dead(gateway, tokens, within=0)
    fresh = (await log_in(gateway, "anna")).json()
    async with as_person(gateway, fresh) as client:
        assert (await client.get("/api/auth/me")).status_code == 200


async def test_the_day_of_the_last_use_is_noted_without_a_new_version(gateway, person):
    anna = await person(REGION, "anna", "curator")
    await log_in(gateway, "anna")
    await log_in(gateway, "anna")
    async with gateway.as_(REGION) as client:
        seen = (await client.get(f"/api/accounts/{anna['id']}")).json()

    assert anna["last_used_on"] is None
    assert seen["last_used_on"] is not None
    assert "T" not in seen["last_used_on"]
    assert seen["version"] == anna["version"]
