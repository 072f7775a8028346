"""What a run of identification costs: 1 500 and 40 000 schools, 10 procedures a year, 3 years.

Beside it one hand-written aggregation over the same rollups, by an administrator whom no row security
binds, that answers only "how many schools per municipality" and keeps nothing. The run freezes its
inputs with subjects and lineage (the traces are rendered from these), answers every school with
classes of certainty and pooling, hashes inputs and list, and commits. It runs with the reach of its
region, as its job does.
"""

import asyncio
import resource
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from bench.figures import Figure
from bench.region import BY_HAND, fill
from services.indicators.app import SERVICE
from services.indicators.identification import operations, queries
from services.indicators.identification.answering.verification import verify
from services.indicators.identification.tables import IdentificationRun
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.operations import document_hash
from services.indicators.methodologies.shipped import shipped_methodologies
from services.indicators.methodologies.tables import MethodologyVersion
from services.indicators.suppression.queries import Told
from services.kit.bootstrap import Passwords, bootstrap, database_of, role_url
from services.kit.clock import now
from services.kit.database import open_database
from services.kit.embedded import Embedded
from services.kit.migrations import upgrade
from services.kit.reach import Reach

SCHOOLS, ROUNDS = 1500, 7
MANY_SCHOOLS, MANY_ROUNDS = 40_000, 3


@dataclass
class Bench:
    """A filled database of indicators, and a version of a methodology that considers all of it."""

    database: Any
    admin: Any
    version_id: int

    async def by_hand(self) -> None:
        await self.admin.fetch(BY_HAND)

    async def whole_run(self, reach: Reach | None = None) -> int:
        async with self.database.transaction(reach or Reach.region(1)) as session:
            run = IdentificationRun(
                region_id=1, year=2025, methodology_version_id=self.version_id, state="computing",
                created_by="user:1", created_at=now(),
            )  # fmt: skip
            session.add(run)
            await session.flush()
            await operations.compute(session, run.id, at=now())
            return run.id


def measure(tell: Callable[[str], None]) -> list[Figure]:
    return asyncio.run(_measure(tell))


async def _measure(tell: Callable[[str], None]) -> list[Figure]:
    async with filled(SCHOOLS, tell) as few:
        hand, runs, systems = [], [], []
        for _ in range(ROUNDS):
            hand.append(await _seconds(few.by_hand))
            runs.append(await _seconds(few.whole_run))
            systems.append(await _seconds(lambda: few.whole_run(Reach.system())))
        run_id = await few.whole_run()
        verification = await _verifying(few.database, run_id)
        listing, trace, listed = await _reading(few.database, run_id)
    before = _memory()
    async with filled(MANY_SCHOOLS, tell) as many:
        long_hand = [await _seconds(many.by_hand) for _ in range(MANY_ROUNDS)]
        long_runs = [await _seconds(many.whole_run) for _ in range(MANY_ROUNDS)]
        long_verification = await _verifying(many.database, await many.whole_run())
    small, large = statistics.median(runs), statistics.median(long_runs)
    ratio = small / statistics.median(hand)
    growth = (large / MANY_SCHOOLS) / (small / SCHOOLS)
    tell(
        f"{SCHOOLS} schools: by hand {statistics.median(hand) * 1e3:.0f} ms, run {small * 1e3:.0f} ms"
        f" (system reach {statistics.median(systems) * 1e3:.0f} ms),"
        f" verification {verification * 1e3:.0f} ms,"
        f" list of {listed} schools with reasons {listing * 1e3:.0f} ms, a trace {trace * 1e3:.1f} ms"
    )
    tell(
        f"{MANY_SCHOOLS} schools: by hand {statistics.median(long_hand):.1f} s, run {large:.1f} s,"
        f" verification {long_verification:.1f} s, peak memory {_memory():.0f} MB"
        f" (before it {before:.0f} MB)"
    )
    return [
        Figure(
            "identification run / one hand-written aggregation, 1500 x 10 x 3", ratio, ceiling=5
        ),
        Figure("identification run, 1500 x 10 x 3", small, "s"),
        Figure("identification run, 40000 x 10 x 3", large, "s"),
        Figure("identification run for each school, 40000 / 1500", growth, ceiling=1),
        Figure("identification run, 40000 schools: peak memory of the worker", _memory(), "MB"),
        Figure("verification / run, 40000 schools", long_verification / large, ceiling=1),
        Figure(
            "run with the region's reach / with the system's", small / statistics.median(systems)
        ),
        Figure("list with reasons, for each listed school", listing / listed * 1e3, "ms"),
        Figure("trace of one school", trace * 1e3, "ms"),
    ]


@asynccontextmanager
async def filled(schools: int, tell: Callable[[str], None]) -> Any:
    """Start a server with a region of so many schools; gone when the block ends."""
    with (
        tempfile.TemporaryDirectory() as directory,
        Embedded(Path(directory), tell=tell).running() as server,
    ):
        passwords = Passwords.fresh()
        await bootstrap(server.admin_url(), {SERVICE.name: passwords})
        owner = role_url(server.admin_url(), SERVICE.name, "owner", passwords.owner)
        await upgrade(SERVICE, owner)
        admin = await asyncpg.connect(server.admin_url(database_of(SERVICE.name)))
        await admin.execute(fill(schools))
        await admin.execute("VACUUM ANALYZE")
        await admin.execute("GRANT TEMPORARY ON DATABASE opora_indicators TO opora_region")
        app = role_url(server.admin_url(), SERVICE.name, "app", passwords.app)
        database = open_database(SERVICE.settings(database_url=app, owner_database_url=owner))
        try:
            yield Bench(database, admin, await _version(database))
        finally:
            await database.engine.dispose()
            await admin.close()


async def _version(database: Any) -> int:
    methodology = every_procedure()
    async with database.transaction(Reach.system()) as session:
        version = MethodologyVersion(
            region_id=1, code=methodology.code, number=1, title=methodology.title,
            document=methodology.canonical(), document_hash=document_hash(methodology),
            created_by="user:1",
        )  # fmt: skip
        session.add(version)
        await session.flush()
        return version.id


def every_procedure() -> Methodology:
    """The federal rules over every procedure of the region."""
    document: dict[str, Any] = shipped_methodologies()["federal-shnor"].canonical()
    document["procedures"] = [
        {"kind": kind, "grades": None, "mass_subjects": ["rus", "mat"]}
        for kind in ("vpr", "oge", "ege")
    ]
    return Methodology.model_validate(document)


def _memory() -> float:
    """Peak memory of this process so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def _seconds(act: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await act()
    return time.perf_counter() - started


async def _verifying(database: Any, run_id: int) -> float:
    async with database.transaction(Reach.region(1)) as session:
        run = await queries.run(session, run_id)
        started = time.perf_counter()
        assert (await verify(session, run)).is_intact
        return time.perf_counter() - started


async def _reading(database: Any, run_id: int) -> tuple[float, float, int]:
    reach = Reach.region(1)
    async with database.transaction(reach) as session:
        told = Told(session, reach, size=5, is_exact=True)
        listed = (await queries.run_list(session, run_id, numbers=told)).totals.total
        listing = await _seconds(lambda: queries.run_list(session, run_id, numbers=told))
        traces = [
            await _seconds(lambda s=school: _trace(session, run_id, s, told))
            for school in range(1, 40)
        ]
    return listing, statistics.median(traces), listed


async def _trace(session: Any, run_id: int, school_id: int, told: Told) -> object:
    return await queries.school_trace(session, run_id, school_id, numbers=told, sees_signs=True)
