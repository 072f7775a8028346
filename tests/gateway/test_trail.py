"""What the audit tells of logins: who came in, who was refused, whose token came back, who was sent out."""

import json

import pytest
from sqlalchemy import text

from services.kit.reach import Reach
from tests.support.callers import machine, region_user

ROOT = machine(scopes=["accounts:write", "accounts:read"], level="system", client_id="root")
PASSWORD = "anna ходит по тонкому льду"


@pytest.fixture
async def anna(gateway, person):
    return await person(ROOT, "anna", "region", region_id=1)


async def ask(gateway, **fields):
    async with gateway.as_(None) as client:
        return await client.post("/api/auth/token", json=fields)


async def log_in(gateway, password=PASSWORD, login="anna"):
    return await ask(gateway, grant_type="password", login=login, password=password)


async def told(gateway, kind="login"):
    async with gateway.database.transaction(Reach.system()) as session:
        rows = await session.execute(
            text(
                "SELECT op, entity_id, after, region_id, subject FROM audit_entry"
                " WHERE kind = :kind ORDER BY id"
            ),
            {"kind": kind},
        )
        return rows.all()


async def test_whoever_comes_in_and_goes_out_is_told_of(gateway, anna):
    tokens = (await log_in(gateway)).json()
    async with gateway.as_(None) as client:
        await client.post("/api/auth/revocation", json={"token": tokens["refresh_token"]})

    began, ended = await told(gateway)
    assert (began.op, began.entity_id, began.region_id) == ("success", anna["id"], 1)
    assert began.after["session"]
    assert began.subject == f"user:{anna['id']}"
    assert (ended.op, ended.after["reason"]) == ("end", "revoked")


async def test_a_refused_login_is_told_of_but_not_the_name(gateway, anna):
    for login in ("anna", "nobody.here", "NOBODY.here", "somebody.else"):
        assert (await log_in(gateway, "wrong password of somebody", login)).status_code == 400

    of_anna, *unknown = await told(gateway)
    assert (of_anna.op, of_anna.entity_id, of_anna.region_id) == ("failure", anna["id"], 1)
    assert [entry.entity_id for entry in unknown] == [None] * 3
    first, again, other = (entry.after["name_mark"] for entry in unknown)
    assert first == again != other
    assert "nobody" not in json.dumps([entry.after for entry in unknown])


async def test_attempts_that_have_to_wait_do_not_fill_the_audit(gateway, anna):
    statuses = [(await log_in(gateway, "wrong password of somebody")).status_code for _ in range(9)]

    assert 429 in statuses
    assert len(await told(gateway)) == statuses.count(400)


async def test_a_refresh_token_that_comes_back_is_told_of(gateway, anna):
    first = (await log_in(gateway)).json()["refresh_token"]
    for token in (first, first):
        async with gateway.database.transaction(Reach.system()) as session:
            await session.execute(
                text("UPDATE refresh_token SET used_at = used_at - interval '1 hour'")
            )
        await ask(gateway, grant_type="refresh_token", refresh_token=token)

    assert [entry.op for entry in await told(gateway)] == ["success", "reuse"]


async def test_whoever_ends_anothers_sessions_is_told_of(gateway, anna, person):
    vera = await person(region_user(region_id=1), "vera", "curator")
    await log_in(gateway, "vera ходит по тонкому льду", "vera")
    async with gateway.as_(region_user(region_id=1, user_id=anna["id"])) as administrator:
        answer = await administrator.delete(f"/api/accounts/{vera['id']}/sessions")
    assert answer.status_code == 204, answer.text

    ended = (await told(gateway))[-1]
    assert (ended.op, ended.entity_id, ended.region_id) == ("end", vera["id"], 1)
    assert (ended.subject, ended.after["sessions"]) == (f"user:{anna['id']}", 1)


async def test_a_machine_client_that_does_not_prove_itself_is_told_of(gateway):
    answer = await ask(
        gateway, grant_type="client_credentials", client_id="root", client_secret="wrong"
    )
    assert answer.status_code == 401

    (entry,) = await told(gateway, "client_login")
    assert (entry.op, entry.entity_id) == ("failure", None)
    assert "root" not in json.dumps(entry.after)
