"""What a run of identification costs: 1 500 schools, 10 procedures a year, 3 years.

Beside it one hand-written aggregation over the same rollups, by an administrator whom no row security
binds, that answers only "how many schools per municipality" and keeps nothing. The run freezes its
inputs with subjects and lineage (the traces are rendered from these), answers every school with
classes of certainty and pooling, hashes inputs and list, and commits.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg

from bench.figures import Figure
from services.indicators.app import SERVICE
from services.indicators.identification import operations, queries
from services.indicators.identification.tables import IdentificationRun
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.operations import document_hash
from services.indicators.methodologies.shipped import shipped_methodologies
from services.indicators.methodologies.tables import MethodologyVersion
from services.kit.bootstrap import Passwords, bootstrap, database_of, role_url
from services.kit.clock import now
from services.kit.database import open_database
from services.kit.embedded import Embedded
from services.kit.migrations import upgrade
from services.kit.reach import Reach

SCHOOLS, MUNICIPALITIES, ROUNDS = 1500, 30, 7

# Six patterns of low and taken mass subjects, three subjects, one import for each cell.
FILL = f"""
    INSERT INTO region VALUES (1, '67', 'Область');
    INSERT INTO municipality (id, region_id, code, name)
    SELECT i, 1, i::text, 'Район ' || i FROM generate_series(1, {MUNICIPALITIES}) i;
    INSERT INTO school (id, region_id, municipality_id, code, name, kind, stages,
                        adverse_conditions, adverse_reason)
    SELECT i, 1, 1 + i % {MUNICIPALITIES}, lpad(i::text, 6, '0'), 'Школа № ' || i, 'sosh',
           '{{noo,ooo,soo}}', i % 9 = 0, CASE WHEN i % 9 = 0 THEN 'Социальный паспорт' END
    FROM generate_series(1, {SCHOOLS}) i;
    INSERT INTO procedure (id, region_id, kind, grade, year, title, permitted_uses)
    OVERRIDING SYSTEM VALUE
    SELECT y * 100 + p, 1, CASE WHEN p < 8 THEN 'vpr' WHEN p = 8 THEN 'oge' ELSE 'ege' END,
           CASE WHEN p < 8 THEN p + 1 WHEN p = 8 THEN 9 ELSE 11 END, y, 'Процедура ' || p,
           '[{{"use": "identification"}}]'
    FROM generate_series(2022, 2024) y, generate_series(0, 9) p;
    INSERT INTO scale (region_id, procedure_id, position, subject, title, aliases, minimum, maximum,
                       top, mark_borders, is_mass, score_kind, margin_share, low_below_milli,
                       mass_from_milli, minimum_milli, top_milli, maximum_milli)
    SELECT 1, p.id, s, (ARRAY['rus', 'mat', 'phy'])[s + 1], 'Предмет ' || s, '{{}}', 8, 31, 22, '{{}}',
           s < 2, 'primary', 0.05, 9550, 15775, 8000, 22000, 31000
    FROM procedure p, generate_series(0, 2) s;
    INSERT INTO rollup_pattern (procedure_id, school_id, region_id, municipality_id, taken_mask,
                                low_mask, failed_mask, n)
    SELECT p.id, s.id, 1, s.municipality_id, k.taken, k.low, k.failed,
           1 + (hashint4((p.id * 10000 + s.id * 7 + k.k)::int) & 7)
    FROM procedure p, school s,
         (VALUES (0, 3, 0, 0), (1, 3, 1, 0), (2, 3, 2, 2), (3, 3, 3, 2), (4, 1, 0, 0), (5, 2, 2, 2))
         k (k, taken, low, failed);
    INSERT INTO rollup_subject
    SELECT p.id, s.id, j, 1, s.municipality_id, p.year, p.grade, 25, 1, 0, 8, 6, 12, 3, 400000,
           7000000, 6, 8, 8, 3
    FROM procedure p, school s, generate_series(0, 2) j;
    INSERT INTO rollup_source (procedure_id, school_id, import_id, sheet_no, region_id,
                               municipality_id, first_row, last_row, rows)
    SELECT p.id, s.id, p.id, 1, 1, s.municipality_id, s.id * 25, s.id * 25 + 24, 25
    FROM procedure p, school s;
"""
BY_HAND = """
    WITH counted AS (
        SELECT school_id, procedure_id, sum(n) AS n,
               COALESCE(sum(n) FILTER (WHERE failed_mask & 3 <> 0), 0) AS low
        FROM rollup_pattern GROUP BY school_id, procedure_id
    ), by_year AS (
        SELECT school_id, p.year, count(*) FILTER (WHERE low * 10 >= n * 3) AS lows
        FROM counted c JOIN procedure p ON p.id = c.procedure_id GROUP BY school_id, p.year
    ), by_school AS (
        SELECT school_id, max(lows) FILTER (WHERE year = 2024) AS last,
               max(lows) FILTER (WHERE year = 2023) AS before
        FROM by_year GROUP BY school_id
    )
    SELECT s.municipality_id, count(*) FILTER (WHERE last >= 2 OR (last >= 1 AND before >= 1))
    FROM by_school b JOIN school s ON s.id = b.school_id
    GROUP BY s.municipality_id ORDER BY s.municipality_id
"""


def measure(tell: Callable[[str], None]) -> list[Figure]:
    with (
        tempfile.TemporaryDirectory() as directory,
        Embedded(Path(directory), tell=tell).running() as server,
    ):
        return asyncio.run(_measure(server, tell))


async def _measure(server: Embedded, tell: Callable[[str], None]) -> list[Figure]:
    passwords = Passwords.fresh()
    await bootstrap(server.admin_url(), {SERVICE.name: passwords})
    owner = role_url(server.admin_url(), SERVICE.name, "owner", passwords.owner)
    await upgrade(SERVICE, owner)
    admin = await asyncpg.connect(server.admin_url(database_of(SERVICE.name)))
    await admin.execute(FILL)
    await admin.execute("VACUUM ANALYZE")
    app = role_url(server.admin_url(), SERVICE.name, "app", passwords.app)
    database = open_database(SERVICE.settings(database_url=app, owner_database_url=owner))
    methodology = _every_procedure()
    async with database.transaction(Reach.system()) as session:
        version = MethodologyVersion(
            region_id=1, code=methodology.code, number=1, title=methodology.title,
            document=methodology.canonical(), document_hash=document_hash(methodology),
            created_by="user:1",
        )  # fmt: skip
        session.add(version)
        await session.flush()
        version_id = version.id

    async def by_hand() -> None:
        await admin.fetch(BY_HAND)

    async def whole_run() -> int:
        async with database.transaction(Reach.system()) as session:
            run = IdentificationRun(
                region_id=1, year=2025, methodology_version_id=version_id, state="computing",
                created_by="user:1", created_at=now(),
            )  # fmt: skip
            session.add(run)
            await session.flush()
            await operations.compute(session, run.id, at=now())
            return run.id

    hand, runs = [], []
    for _ in range(ROUNDS):
        hand.append(await _seconds(by_hand))
        runs.append(await _seconds(whole_run))
    run_id = await whole_run()
    listing, trace, listed = await _reading(database, run_id)
    await database.engine.dispose()
    await admin.close()
    ratio = statistics.median(runs) / statistics.median(hand)
    tell(
        f"by hand {statistics.median(hand) * 1e3:.0f} ms, run {statistics.median(runs) * 1e3:.0f} ms,"
        f" list of {listed} schools with reasons {listing * 1e3:.0f} ms, a trace {trace * 1e3:.1f} ms"
    )
    return [
        Figure(
            "identification run / one hand-written aggregation, 1500 x 10 x 3", ratio, ceiling=5
        ),
        Figure("list with reasons, for each listed school", listing / listed * 1e3, "ms"),
        Figure("trace of one school", trace * 1e3, "ms"),
    ]


def _every_procedure() -> Methodology:
    document: dict[str, Any] = shipped_methodologies()["federal-shnor"].canonical()
    document["procedures"] = [
        {"kind": kind, "grades": None, "mass_subjects": ["rus", "mat"]}
        for kind in ("vpr", "oge", "ege")
    ]
    return Methodology.model_validate(document)


async def _seconds(act: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await act()
    return time.perf_counter() - started


async def _reading(database: Any, run_id: int) -> tuple[float, float, int]:
    async with database.transaction(Reach.region(1)) as session:
        listed = (await queries.run_list(session, run_id)).totals.total
        listing = await _seconds(lambda: queries.run_list(session, run_id))
        traces = [
            await _seconds(lambda s=school: queries.school_trace(session, run_id, s))
            for school in range(1, 40)
        ]
    return listing, statistics.median(traces), listed
