"""What a worker repeats on its own: by one worker at a time, whatever happens to it."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.kit.chores import Chore, forget_idempotency_keys
from services.kit.reach import Reach
from tests.kit.notes.app import SERVICE
from tests.support.callers import region_user
from tests.support.running import running


class Doing:
    """A chore that counts how often it is done, and how often twice at once."""

    def __init__(self, *, seconds=0.0, failures=0):
        self.times = self.at_once = self._now = 0
        self._seconds, self._failures = seconds, failures

    async def __call__(self, *_):
        self._now += 1
        self.times += 1
        self.at_once = max(self.at_once, self._now)
        try:
            await asyncio.sleep(self._seconds)
            if self.times <= self._failures:
                raise RuntimeError("not yet")
        finally:
            self._now -= 1

    async def done(self, times):
        async with asyncio.timeout(10):
            while self.times < times:
                await asyncio.sleep(0.01)


class Using(Doing):
    """A chore that uses a connection of its own, as real ones do."""

    failures = 0

    async def __call__(self, database, *_):
        try:
            async with database.transaction(Reach.system()) as session:
                await session.execute(text("SELECT pg_sleep(0.02)"))
        except PoolTimeout:
            self.failures += 1
            raise
        self.times += 1


@pytest.fixture
async def notes(databases):
    """Start the service with other chores."""
    async with AsyncExitStack() as stack:

        async def start(*chores):
            service = replace(SERVICE, chores=chores)
            urls = await stack.enter_async_context(databases.fresh(service))
            return await stack.enter_async_context(running(service, urls))

        yield start


async def test_a_chore_is_done_again_and_again(notes):
    doing = Doing()
    service = await notes(Chore("count", 0.01, doing))

    async with service.worker():
        await doing.done(5)


async def test_two_workers_never_do_a_chore_at_the_same_time(notes):
    doing = Doing(seconds=0.02)
    service = await notes(Chore("count", 0.001, doing))

    async with service.worker(), service.worker(), service.worker():
        await doing.done(20)

    assert doing.at_once == 1


async def test_the_count_of_chores_at_once_can_tell(notes):
    # The same without the lock's common name: the counting above would see two at once.
    doing = Doing(seconds=0.05)
    service = await notes(Chore("one", 0.001, doing), Chore("other", 0.001, doing))

    async with service.worker():
        await doing.done(10)

    assert doing.at_once == 2


async def test_a_chore_that_fails_is_tried_again_and_stops_no_other(notes):
    failing, other = Doing(failures=3), Doing()
    service = await notes(Chore("failing", 0.01, failing), Chore("other", 0.01, other))

    async with service.worker():
        await failing.done(6)
        await other.done(6)


async def test_more_chores_than_connections_are_all_done(notes):
    doings = [Using() for _ in range(12)]
    service = await notes(*(Chore(f"count {n}", 0.01, doing) for n, doing in enumerate(doings)))
    service.settings = service.settings.model_copy(update={"pool_size": 4})

    async with service.worker():
        for doing in doings:
            await doing.done(2)

    assert sum(doing.failures for doing in doings) == 0


async def test_a_stopped_worker_leaves_its_chore_to_the_next(notes):
    doing = Doing(seconds=30)
    service = await notes(Chore("long", 0.01, doing))
    async with service.worker():
        await doing.done(1)

    async with service.worker():
        await doing.done(2)


async def test_an_answer_is_remembered_for_a_day_and_then_forgotten(notes):
    service = await notes()
    admin = await asyncpg.connect(service.urls.admin.replace("+asyncpg", ""))
    await admin.execute(
        "INSERT INTO idempotency_key (subject, key, operation, fingerprint, created_at)"
        " SELECT 'user:1', n || ' hours old', '', '', now() - n * interval '1 hour'"
        " FROM unnest(ARRAY[0, 23, 25, 1000]) AS n"
    )

    await forget_idempotency_keys(service.database, service.settings)

    kept = await admin.fetch("SELECT key FROM idempotency_key ORDER BY created_at DESC")
    await admin.close()
    assert [row["key"] for row in kept] == ["0 hours old", "23 hours old"]


async def test_no_setting_and_no_worker_can_forget_a_younger_answer(notes):
    """Row security itself shows the worker no key of less than a day."""
    service = await notes()
    async with service.as_(region_user(region_id=1)) as client:
        await client.post(
            "/api/notes/v1/notes",
            json={"region_id": 1, "municipality_id": 1, "school_id": 1, "title": "Первая"},
            headers={"Idempotency-Key": "a-key-of-today"},
        )
    impatient = service.settings.model_copy(update={"idempotency_hours": 0})

    await forget_idempotency_keys(service.database, impatient)

    admin = await asyncpg.connect(service.urls.admin.replace("+asyncpg", ""))
    assert await admin.fetchval("SELECT count(*) FROM idempotency_key") == 1
    await admin.close()
