"""Background work: a table of jobs, a lease with a fence, effect and "done" in one transaction.

A worker takes a job for a short lease and prolongs it while it works. Every transaction of the job
ends by checking that the lease is still its own attempt's; a worker that was thought dead can
therefore change nothing any more. A job that kills its worker three times is parked as failed.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit import logs
from services.kit.chores import keep_doing_all
from services.kit.database import Database, open_database, refuse_unsafe_role
from services.kit.feed import Follower, catch_up, follow
from services.kit.logs import log
from services.kit.peers import Peers
from services.kit.problems import Problem
from services.kit.reach import Reach
from services.kit.settings import ServiceSettings

if TYPE_CHECKING:
    from services.kit.service import Service

__all__ = ["JobKind", "Work", "enqueue", "running_worker", "work"]

LEASE_SECONDS = 15
MAX_ATTEMPTS = 3
POLL_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 60
CHANNEL = "opora_job"

Run = Callable[["Work"], Awaitable[None]]


@dataclass(frozen=True)
class JobKind:
    """A kind of background work: its name in the table and the function that does it."""

    name: str
    run: Run = field(repr=False)


class JobFailed(Problem):
    """The job met a fact that trying again will not change; the sentence is shown to its owner."""

    status = 409
    title = "Задание не выполнено"


class LeaseLost(Exception):  # noqa: N818  a fact about this worker, told to nobody
    """Another worker has taken the job over; this attempt must change nothing more."""


async def enqueue(
    session: AsyncSession,
    *,
    kind: str,
    region_id: int,
    params: Mapping[str, Any],
    dedupe_key: str | None = None,
) -> int:
    """Add a job in the caller's transaction and return its id.

    With a `dedupe_key` an unfinished job of the same key is returned instead of a second one.
    """
    row = await session.execute(
        text(
            """
            INSERT INTO job (kind, region_id, params, dedupe_key, created_by)
            VALUES (:kind, :region_id, CAST(:params AS jsonb), :dedupe_key,
                    current_setting('opora.subject', true))
            ON CONFLICT (dedupe_key) WHERE state IN ('queued', 'running')
            DO UPDATE SET dedupe_key = job.dedupe_key
            RETURNING id
            """,
        ),
        {
            "kind": kind,
            "region_id": region_id,
            "params": json.dumps(params, ensure_ascii=False),
            "dedupe_key": dedupe_key,
        },
    )
    job_id = int(row.scalar_one())
    await session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
    return job_id


@dataclass
class Work:
    """One attempt at one job, handed to its function."""

    job_id: int
    region_id: int
    attempt: int
    params: Mapping[str, Any]
    created_by: str
    database: Database
    settings: ServiceSettings
    peers: Peers
    follows: tuple[Follower, ...] = ()

    async def catch_up(self) -> None:
        """Bring the projections of the neighbours up to now, as far as these can be asked."""
        for follower in self.follows:
            await catch_up(self.database, self.peers, follower)

    @asynccontextmanager
    async def transaction(self, reach: Reach | None = None) -> AsyncIterator[AsyncSession]:
        """Open a transaction that commits only while this attempt holds the lease.

        Without a reach it is that of the job's region.
        """
        async with self.database.transaction(reach or self.reach) as session:
            yield session
            await self._fence(session, "lease_until = now() + make_interval(secs => :lease)")

    @asynccontextmanager
    async def finish(
        self,
        reach: Reach | None = None,
        *,
        result: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[AsyncSession]:
        """Open the last transaction: its effect and the job's end become true together."""
        async with self.database.transaction(reach or self.reach) as session:
            yield session
            await self._fence(
                session,
                "state = 'done', finished_at = now(), lease_until = NULL, error = NULL,"
                " result = CAST(:result AS jsonb), progress_done = GREATEST(progress_done, progress_total)",
                result=json.dumps(result or {}, ensure_ascii=False, default=str),
            )

    @property
    def reach(self) -> Reach:
        """The reach of the region the job was asked for."""
        return Reach.region(self.region_id, subject=self.created_by)

    async def progress(self, done: int, total: int, note: str = "") -> None:
        """Say how far the work is, for a person who watches; also prolongs the lease."""
        async with self.database.transaction(Reach.system()) as session:
            await self._fence(
                session,
                "progress_done = :done, progress_total = :total, progress_note = :note,"
                " lease_until = now() + make_interval(secs => :lease)",
                done=done,
                total=total,
                note=note,
            )

    async def _fence(self, session: AsyncSession, effect: str, **values: Any) -> None:
        # The row of the job is written under the system's reach, whatever the work used.
        await session.execute(text("SELECT set_config('role', 'opora_system', true)"))
        fenced = await session.execute(
            text(
                f"UPDATE job SET {effect}"
                " WHERE id = :job_id AND attempt = :attempt AND state = 'running' RETURNING id",
            ),
            {"job_id": self.job_id, "attempt": self.attempt, "lease": LEASE_SECONDS} | values
            if ":lease" in effect
            else {"job_id": self.job_id, "attempt": self.attempt} | values,
        )
        if fenced.first() is None:
            raise LeaseLost


_CLAIM = text(
    """
    UPDATE job SET state = 'running', attempt = attempt + 1, worker = :worker,
                   started_at = COALESCE(started_at, now()),
                   lease_until = now() + make_interval(secs => :lease)
    WHERE id = (
        SELECT id FROM job
        WHERE (state = 'queued' AND run_after <= now()) OR (state = 'running' AND lease_until < now())
        ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1
    )
    RETURNING id, kind, region_id, attempt, forgiven, params, created_by
    """,
)


async def work(service: "Service", settings: ServiceSettings) -> None:
    """Run the jobs, follow the feeds and do the chores of a service until SIGTERM or SIGINT."""
    logs.configure(f"{service.name}-worker", settings.log_level)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with running_worker(service, settings):
        await stop.wait()


@asynccontextmanager
async def running_worker(service: "Service", settings: ServiceSettings) -> AsyncIterator[None]:
    """Keep a worker running in this event loop while the block is open."""
    # What a person waits for is cut off after a while; a job may take as long as it needs.
    database = replace(open_database(settings), statement_timeout_ms=0)
    await refuse_unsafe_role(database)
    peers = Peers(settings)
    jobs, follows = service.jobs, service.follows
    tasks = [
        *(asyncio.create_task(follow(database, peers, follower)) for follower in follows),
        asyncio.create_task(keep_doing_all(service.every_chore, database, settings)),
    ]
    if jobs:
        tasks.append(asyncio.create_task(_run_jobs(jobs, follows, database, settings, peers)))
    log.info(
        "worker_started",
        jobs=[kind.name for kind in jobs],
        follows=[follower.peer for follower in follows],
        chores=[chore.name for chore in service.every_chore],
    )
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await peers.close()
        await database.engine.dispose()


async def _run_jobs(
    jobs: tuple[JobKind, ...],
    follows: tuple[Follower, ...],
    database: Database,
    settings: ServiceSettings,
    peers: Peers,
) -> None:
    kinds = {kind.name: kind for kind in jobs}
    unfinished: Work | None = None
    async with _woken(settings) as wake:
        while True:
            try:
                if unfinished is not None:
                    await _give_back(unfinished)
                    unfinished = None
                claimed = await _claim(database)
                if claimed is not None:
                    unfinished = Work(
                        database=database,
                        settings=settings,
                        peers=peers,
                        follows=follows,
                        **claimed[1],
                    )
                    await _attempt(kinds[claimed[0]], unfinished)
                    unfinished = None
                    continue
            except (DBAPIError, OSError, InterfaceError) as error:
                # The database is away. The job in hand is given back as soon as it answers again.
                log.warning("worker_waits_for_database", reason=type(error).__name__)
                await asyncio.sleep(0.5)
                continue
            except asyncio.CancelledError:
                if unfinished is not None:
                    with contextlib.suppress(DBAPIError, OSError, InterfaceError):
                        await _give_back(unfinished)
                raise
            # Not wait_for: of Python 3.11 it may lose a stop that comes together with the wake.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await wake.wait()
            wake.clear()


async def _claim(database: Database) -> tuple[str, dict[str, Any]] | None:
    async with database.transaction(Reach.system()) as session:
        found = await session.execute(
            _CLAIM,
            {"worker": f"{socket.gethostname()}:{os.getpid()}", "lease": LEASE_SECONDS},
        )
        row = found.one_or_none()
        if row is None:
            return None
        if row.attempt - row.forgiven > MAX_ATTEMPTS:
            await _park(
                session,
                row.id,
                "job-parked",
                "Задание трижды прервало работу обработчика и остановлено",
            )
            return None
    return row.kind, {
        "job_id": row.id,
        "region_id": row.region_id,
        "attempt": row.attempt,
        "params": row.params,
        "created_by": row.created_by,
    }


async def _attempt(kind: JobKind, attempt: Work) -> None:
    name = kind.name
    logs.begin_request(f"job-{attempt.job_id:08d}")
    beat = asyncio.create_task(_prolong(attempt))
    try:
        await kind.run(attempt)
    except LeaseLost:
        log.warning("lease_lost", job=attempt.job_id, kind=name)
    except Problem as problem:
        if problem.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT):
            # A neighbour is away or slow: not the job's fault, and no reason to tell its owner "no".
            log.info("job_postponed", job=attempt.job_id, kind=name, code=problem.code())
            await _give_back(attempt, pause_seconds=min(2**attempt.attempt, LONGEST_PAUSE_SECONDS))
            return
        await _fail(attempt, problem.code(), problem.detail or problem.title, problem.members)
        log.info("job_refused", job=attempt.job_id, kind=name, code=problem.code())
    except (ConnectionError, OSError, InterfaceError):
        raise  # the job is given back when the database answers again
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        await _fail_unexpected(attempt, name, error)
    except Exception as error:  # noqa: BLE001  the worker outlives any job
        await _fail_unexpected(attempt, name, error)
    finally:
        beat.cancel()
        # gather and not suppress: a worker told to stop at this very moment must still hear it.
        await asyncio.gather(beat, return_exceptions=True)


async def _give_back(attempt: Work, *, pause_seconds: float = 0) -> None:
    """Let the job be taken again; what stopped it was not its own doing and does not count."""
    async with attempt.database.transaction(Reach.system()) as session:
        await session.execute(
            text(
                "UPDATE job SET state = 'queued', lease_until = NULL, forgiven = forgiven + 1,"
                " run_after = now() + make_interval(secs => :pause)"
                " WHERE id = :job_id AND attempt = :attempt AND state = 'running'",
            ),
            {"pause": pause_seconds, "job_id": attempt.job_id, "attempt": attempt.attempt},
        )


async def _fail_unexpected(attempt: Work, name: str, error: Exception) -> None:
    log.error("job_failed", job=attempt.job_id, kind=name, exc_info=error)
    await _fail(
        attempt, "internal-error", "Внутренняя ошибка задания; сообщите его номер в поддержку", {}
    )


async def _prolong(attempt: Work) -> None:
    while True:
        await asyncio.sleep(LEASE_SECONDS / 3)
        try:
            async with attempt.database.transaction(Reach.system()) as session:
                await session.execute(
                    text(
                        "UPDATE job SET lease_until = now() + make_interval(secs => :lease)"
                        " WHERE id = :job_id AND attempt = :attempt AND state = 'running'",
                    ),
                    {"lease": LEASE_SECONDS, "job_id": attempt.job_id, "attempt": attempt.attempt},
                )
        except (DBAPIError, OSError, InterfaceError) as error:
            log.warning("lease_not_prolonged", job=attempt.job_id, reason=type(error).__name__)


async def _fail(attempt: Work, code: str, detail: str, members: Mapping[str, Any]) -> None:
    async with attempt.database.transaction(Reach.system()) as session:
        await _park(session, attempt.job_id, code, detail, members, attempt.attempt)


async def _park(
    session: AsyncSession,
    job_id: int,
    code: str,
    detail: str,
    members: Mapping[str, Any] | None = None,
    attempt: int | None = None,
) -> None:
    error = {"code": code, "detail": detail, **(members or {})}
    await session.execute(
        text(
            "UPDATE job SET state = 'failed', finished_at = now(), lease_until = NULL,"
            " error = CAST(:error AS jsonb) WHERE id = :job_id AND attempt = COALESCE(:attempt, attempt)",
        ),
        {
            "error": json.dumps(error, ensure_ascii=False, default=str),
            "job_id": job_id,
            "attempt": attempt,
        },
    )


@asynccontextmanager
async def _woken(settings: ServiceSettings) -> AsyncIterator[asyncio.Event]:
    """Set the event whenever a job is added; polling covers what a lost connection misses."""
    wake = asyncio.Event()
    listening = asyncio.create_task(_listen(settings, wake))
    try:
        yield wake
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def _listen(settings: ServiceSettings, wake: asyncio.Event) -> None:
    url = make_url(settings.database_url.get_secret_value()).set(drivername="postgresql")
    while True:
        try:
            connection = await asyncpg.connect(url.render_as_string(hide_password=False), timeout=5)
        except (OSError, asyncpg.PostgresError):
            await asyncio.sleep(1)
            continue
        try:
            await connection.add_listener(CHANNEL, lambda *_: wake.set())
            wake.set()
            while not connection.is_closed():  # noqa: ASYNC110  a closed socket sets no event
                await asyncio.sleep(1)
        finally:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=1)
