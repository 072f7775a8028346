"""A revoked token is dead within a second, in every process; a genuine one never is."""

import asyncio
import time
import uuid
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import text

from gateway.app import SERVICE
from gateway.callers import Callers
from gateway.revocations import operations
from gateway.revocations.watching import Revocations
from services.kit import clock
from services.kit.principals import Principal, Role
from services.kit.reach import Level, Reach
from tests.gateway.conftest import KEY_SECRET
from tests.support.callers import bearer, machine, region_user
from tests.support.running import problem, running

SID = uuid.UUID(int=7)


@asynccontextmanager
async def another_process(gateway):
    """The same gateway a second time: another application on the same database."""
    async with running(SERVICE, gateway.urls, key_secret=KEY_SECRET) as other:
        yield other


async def status(gateway, token):
    async with gateway.as_(token) as client:
        return (await client.get("/api/auth/me")).status_code


async def seconds_until_refused(gateway, token):
    began = time.monotonic()
    async with gateway.as_(token) as client:
        while (answer := await client.get("/api/auth/me")).status_code == 200:
            assert time.monotonic() - began < 5, "never refused"
            await asyncio.sleep(0.005)
    problem(answer, 401, "token-revoked")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    return time.monotonic() - began


async def revoke_session(gateway, sid=SID, reach=None):
    async with gateway.database.transaction(reach or Reach.system()) as session:
        await operations.revoke_session(session, sid, at=clock.now())


async def revoke_subject(gateway, subject, at=None):
    async with gateway.database.transaction(Reach.system()) as session:
        await operations.revoke_subject(session, subject, at=at or clock.now())


async def test_a_token_of_an_ended_session_is_refused_within_a_second_by_every_process(gateway):
    token = region_user(region_id=1, sid=str(SID))
    other_session = region_user(region_id=1, sid=str(uuid.UUID(int=8)))
    async with another_process(gateway) as second:
        before = [await status(one, token) for one in (gateway, second)]
        await revoke_session(gateway)
        seconds = await asyncio.gather(
            *(seconds_until_refused(one, token) for one in (gateway, second))
        )
        after = [await status(one, other_session) for one in (gateway, second)]

    assert (before, after) == ([200, 200], [200, 200])
    assert max(seconds) <= 1


async def test_what_a_subject_was_issued_before_is_dead_and_what_comes_after_lives(gateway):
    now = time.time()
    before = machine(scopes=[], region_id=1, iat=now - 0.2)
    of_another = machine(scopes=[], region_id=1, client_id="other", iat=now - 0.2)
    await revoke_subject(gateway, "client:ris-gia")

    assert await seconds_until_refused(gateway, before) <= 1
    assert await status(gateway, machine(scopes=[], region_id=1, iat=time.time())) == 200
    assert await status(gateway, of_another) == 200


async def test_the_later_of_two_revocations_of_a_subject_counts(gateway):
    token = machine(scopes=[], region_id=1, iat=time.time() + 5)
    await revoke_subject(gateway, "client:ris-gia", at=clock.now().replace(year=2099))
    await seconds_until_refused(gateway, token)
    await revoke_subject(gateway, "client:ris-gia")
    await asyncio.sleep(0.7)

    assert await status(gateway, token) == 401


async def test_a_cause_that_is_rolled_back_revokes_nothing(gateway):
    token = region_user(region_id=1, sid=str(SID))

    async def fail():
        async with gateway.database.transaction(Reach.system()) as session:
            await operations.revoke_session(session, SID, at=clock.now())
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    await asyncio.sleep(0.7)

    assert await status(gateway, token) == 200


async def test_the_cause_may_be_a_callers_transaction_and_keeps_its_reach(gateway):
    async with gateway.database.transaction(Reach.region(1, "user:1")) as session:
        await operations.revoke_session(session, SID, at=clock.now())
        role = await session.scalar(text("SELECT current_setting('role')"))

    assert role == "opora_region"
    assert await seconds_until_refused(gateway, region_user(region_id=1, sid=str(SID))) <= 1


async def test_a_revocation_that_commits_after_later_ones_is_not_missed(gateway):
    """A cursor by number would pass over it; the commits are seen out of order here."""
    early, late = uuid.UUID(int=1), uuid.UUID(int=2)
    async with gateway.database.transaction(Reach.system()) as slow:
        await operations.revoke_session(slow, early, at=clock.now())
        await revoke_session(gateway, late)
        await seconds_until_refused(gateway, region_user(region_id=1, sid=str(late)))
        await asyncio.sleep(0.7)
        unseen = await status(gateway, region_user(region_id=1, sid=str(early)))

    assert unseen == 200
    assert await seconds_until_refused(gateway, region_user(region_id=1, sid=str(early))) <= 1


async def test_the_poll_alone_is_fast_enough(gateway, monkeypatch):
    """As if every notice were lost: the channel is another one."""
    monkeypatch.setattr(operations, "CHANNEL", "nobody_listens")
    token = region_user(region_id=1, sid=str(SID))

    await revoke_session(gateway)

    assert await seconds_until_refused(gateway, token) <= 1


async def test_a_new_process_knows_what_was_revoked_before_it_started(gateway):
    await revoke_session(gateway)

    async with another_process(gateway) as second:
        assert await status(second, region_user(region_id=1, sid=str(SID))) == 401


async def test_a_lost_connection_is_made_again(gateway):
    admin = await asyncpg.connect(gateway.urls.admin.replace("+asyncpg", ""))
    ended = await admin.fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE application_name = 'revocations' AND datname = current_database()"
    )
    await admin.close()
    await revoke_session(gateway)

    assert ended == 1
    assert await seconds_until_refused(gateway, region_user(region_id=1, sid=str(SID))) <= 1


async def test_readiness_tells_when_revocations_cannot_be_read_and_traffic_goes_on(gateway):
    """The table is taken away: the rest of the database answers."""
    owner = await asyncpg.connect(gateway.urls.owner.replace("+asyncpg", ""))
    async with gateway.as_(region_user(region_id=1)) as client:
        at_first = (await client.get("/health/ready")).json()
        await owner.execute("ALTER TABLE revocation RENAME TO taken_away")
        async with asyncio.timeout(10):
            while not (found := (await client.get("/health/ready")).json()["warnings"]):
                await asyncio.sleep(0.1)
        meanwhile = await client.get("/api/auth/me")
        ready = await client.get("/health/ready")
        await owner.execute("ALTER TABLE taken_away RENAME TO revocation")
        async with asyncio.timeout(5):
            while (await client.get("/health/ready")).json()["warnings"]:
                await asyncio.sleep(0.1)
    await owner.close()

    assert at_first["warnings"] == []
    assert found[0].startswith("revocations: ")
    assert (meanwhile.status_code, ready.status_code) == (200, 200)


async def test_what_is_over_is_forgotten(gateway):
    await revoke_session(gateway)
    admin = await asyncpg.connect(gateway.urls.admin.replace("+asyncpg", ""))
    await admin.execute("UPDATE revocation SET recorded_at = now() - interval '71 minutes'")
    await revoke_session(gateway, uuid.UUID(int=9))
    async with gateway.database.transaction(Reach.system()) as session:
        await operations.purge(session)
    kept = await admin.fetch("SELECT session_id FROM revocation")
    await admin.close()

    assert [row["session_id"] for row in kept] == [uuid.UUID(int=9)]


async def test_asking_costs_microseconds(gateway):
    callers: Callers = gateway.app.state.callers
    headers = [
        (b"accept", b"*/*"),
        *((k.lower().encode(), v.encode()) for k, v in bearer(region_user(region_id=1)).items()),
    ]
    await callers.caller_of(headers)
    began = time.perf_counter()
    for _ in range(5000):
        await callers.caller_of(headers)
    each = (time.perf_counter() - began) / 5000

    assert each < 50e-6, f"{each * 1e6:.1f} µs"


async def test_callers_without_a_bearer_token_are_nobody(gateway):
    callers: Callers = gateway.app.state.callers

    assert await callers.caller_of([]) is None
    assert await callers.caller_of([(b"authorization", b"Basic cm9vdDpy")]) is None


def test_a_token_without_session_is_not_concerned_by_sessions():
    settings = SERVICE.settings(database_url="postgresql+asyncpg://x@localhost/x")
    revocations = Revocations(settings)
    revocations._sessions.add("None")
    caller = Principal("user:1", Role.REGION, Reach(Level.REGION, region_id=1), frozenset(), "")

    assert not revocations.concern(caller)
