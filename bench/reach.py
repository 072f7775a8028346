"""What row level security costs: a school's page and count on a table of a million rows.

The same statements on the same table: under the school's reach, with nothing about the school in the
query; and as an administrator, whom row security does not bind, with a plain WHERE. Both open a
transaction for each question, as a request does. Both use one connection, whose administrator may
become a school: on two connections the ratio was mostly that of which core each server process sat on.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from bench.figures import Figure
from services.indicators.app import SERVICE
from services.kit.bootstrap import Passwords, bootstrap, database_of, role_url
from services.kit.embedded import Embedded
from services.kit.migrations import upgrade

SCHOOLS, PROCEDURES, SUBJECTS = 2500, 100, 4
MUNICIPALITIES = 50
ROUNDS = 300

FILL = f"""
    INSERT INTO procedure (id, region_id, kind, grade, year, title, permitted_uses)
    SELECT p, 1, 'vpr', 5, 2000 + p / 10, 'Процедура ' || p, '[]' FROM generate_series(1, {PROCEDURES}) p;
    INSERT INTO rollup_subject
    SELECT p, s, x, 1, s % {MUNICIPALITIES}, 2000 + p / 10, 5, 25, 0, 0, 5, 4, 15, 3, 500000, 0, 4, 8, 8, 5
    FROM generate_series(1, {PROCEDURES}) p, generate_series(1, {SCHOOLS}) s, generate_series(0, {SUBJECTS - 1}) x;
"""
PAGE = "SELECT * FROM rollup_subject {where} ORDER BY procedure_id, school_id, subject LIMIT 51"
COUNT = "SELECT count(*) FROM rollup_subject {where}"
ENTER = """
    SELECT set_config('opora.region_id', '1', true), set_config('opora.municipality_id', $1, true),
           set_config('opora.school_id', $2, true), set_config('opora.subject', 'user:1', true),
           set_config('role', $3, true)
"""


def measure(tell: Callable[[str], None]) -> list[Figure]:
    with (
        tempfile.TemporaryDirectory() as directory,
        Embedded(Path(directory), durable=False, tell=tell).running() as server,
    ):
        return asyncio.run(_measure(server, tell))


async def _measure(server: Embedded, tell: Callable[[str], None]) -> list[Figure]:
    passwords = Passwords.fresh()
    await bootstrap(server.admin_url(), {SERVICE.name: passwords})
    await upgrade(SERVICE, role_url(server.admin_url(), SERVICE.name, "owner", passwords.owner))
    admin = await asyncpg.connect(server.admin_url(database_of(SERVICE.name)))
    await admin.execute(FILL)
    await admin.execute("VACUUM ANALYZE rollup_subject")
    figures = []
    for level, column, ceiling in (
        ("school", "school_id", 1.5),
        ("municipality", "municipality_id", None),
    ):
        for question, statement in (("page", PAGE), ("count", COUNT)):
            ratio = await _ratio(
                _reached(admin, statement.format(where=""), level),
                _plain(admin, statement.format(where=f"WHERE {column} = $1")),
                ROUNDS if level == "school" else 20,
            )
            tell(f"{level} {question}: {ratio:.2f}")
            figures.append(
                Figure(
                    f"{question} of a {level} under row security / plain WHERE, 1 M rows",
                    ratio,
                    ceiling=ceiling,
                )
            )
    await admin.close()
    return figures


def _reached(
    connection: asyncpg.Connection, statement: str, level: str
) -> Callable[[int], Awaitable[None]]:
    async def ask(node: int) -> None:
        async with connection.transaction():
            await connection.fetch(ENTER, str(node % MUNICIPALITIES), str(node), f"opora_{level}")
            await connection.fetch(statement)

    return ask


def _plain(connection: asyncpg.Connection, statement: str) -> Callable[[int], Awaitable[None]]:
    async def ask(node: int) -> None:
        async with connection.transaction():
            # The reached question pays for its statement of reach; a plain one pays for one as well.
            await connection.fetch(ENTER, str(node), str(node), "none")
            await connection.fetch(
                statement, node % (MUNICIPALITIES if "municipality_id = " in statement else SCHOOLS)
            )

    return ask


async def _ratio(
    one: Callable[[int], Awaitable[None]],
    other: Callable[[int], Awaitable[None]],
    rounds: int,
) -> float:
    times: dict[int, list[float]] = {0: [], 1: []}
    for round_ in range(rounds + 20):
        for position, ask in enumerate((one, other)):
            started = time.perf_counter()
            await ask(1 + round_ * 37 % (SCHOOLS - 1))
            times[position].append(time.perf_counter() - started)
    return statistics.median(times[0][20:]) / statistics.median(times[1][20:])
