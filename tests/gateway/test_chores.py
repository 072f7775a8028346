"""What the gateway's worker forgets, and what it must not."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from gateway import chores
from gateway.app import SERVICE
from tests.support.callers import machine

ROOT = machine(scopes=["accounts:write", "accounts:read"], level="system", client_id="root")
NOW = datetime.now(UTC)


@pytest.fixture
async def admin(gateway):
    connection = await asyncpg.connect(gateway.urls.admin.replace("+asyncpg", ""))
    yield connection
    await connection.close()


async def test_sessions_are_forgotten_a_week_after_they_ended_with_their_tokens(
    gateway, admin, person
):
    account = (await person(ROOT, "anna", "region", region_id=1))["id"]
    week, month = timedelta(days=8), timedelta(days=30)
    cases = {
        "runs": (NOW, None, NOW + month, NOW + month),
        "ended today": (NOW - month, NOW, NOW + month, NOW + month),
        "ended long ago": (NOW - month, NOW - week, NOW + month, NOW + month),
        "over long ago": (NOW - 2 * month, None, NOW - week, NOW - week),
        # Nobody has gone on with it: its last refresh token is over.
        "left alone": (NOW - month, None, NOW + month, NOW - week),
    }
    for number, (name, (started, ended, ends, refresh_until)) in enumerate(cases.items()):
        session = f"00000000-0000-0000-0000-00000000000{number}"
        await admin.execute(
            "INSERT INTO login_session (id, account_id, started_at, ended_at, ends_at, device)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            session, account, started, ended, ends, name,
        )  # fmt: skip
        await admin.execute(
            "INSERT INTO refresh_token (token_hash, session_id, expires_at) VALUES ($1, $2, $3)",
            name.encode(), session, refresh_until,
        )  # fmt: skip

    await chores.forget_sessions(gateway.database, gateway.settings)

    kept = await admin.fetch("SELECT device FROM login_session ORDER BY id")
    tokens = await admin.fetch("SELECT token_hash FROM refresh_token")
    assert [row["device"] for row in kept] == ["runs", "ended today"]
    assert {row["token_hash"] for row in tokens} == {b"runs", b"ended today"}


async def test_attempts_are_forgotten_when_they_slow_nobody_down(gateway, admin):
    for name, last, opens in (
        ("recent", NOW, NOW),
        ("still paused", NOW - timedelta(days=3), NOW + timedelta(minutes=5)),
        ("old", NOW - timedelta(days=3), NOW - timedelta(days=3)),
    ):
        await admin.execute(
            "INSERT INTO login_attempt (login_hash, failures, last_at, open_at)"
            " VALUES ($1, 9, $2, $3)",
            name.encode(), last, opens,
        )  # fmt: skip

    await chores.forget_attempts(gateway.database, gateway.settings)

    kept = {row["login_hash"] for row in await admin.fetch("SELECT login_hash FROM login_attempt")}
    assert kept == {b"recent", b"still paused"}


async def test_every_chore_of_the_gateway_can_be_done(gateway):
    for chore in SERVICE.every_chore:
        await chore.run(gateway.database, gateway.settings)

    assert len({chore.name for chore in SERVICE.every_chore}) == len(SERVICE.every_chore)
