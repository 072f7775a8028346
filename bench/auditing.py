"""What the audit costs: a reading recorded beside a page of accounts, and the trigger beside a write.

Both as a request does them, each in a transaction of its own, on one connection: a page of fifty
accounts with and without its entry; an account blocked with and without the tracking trigger. And how
fast the sealer links and a verification proves.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from bench.figures import Figure
from gateway.app import SERVICE
from services.kit import audit_chain
from services.kit.bootstrap import Passwords, bootstrap, database_of, role_url
from services.kit.embedded import Embedded
from services.kit.migrations import upgrade
from services.kit.reach import Reach, enter

ACCOUNTS = 5000
ROUNDS = 400
LINKED = 50_000

FILL = f"""
    INSERT INTO account (login, display_name, role, region_id, password_hash, password_set_at)
    SELECT 'login' || n, 'Человек ' || n, 'curator', 1, 'x', now() FROM generate_series(1, {ACCOUNTS}) n;
"""
ENTER = """
    SELECT set_config('opora.region_id', '1', true), set_config('opora.subject', 'user:1', true),
           set_config('opora.request_id', 'bench', true), set_config('role', 'opora_region', true)
"""
PAGE = "SELECT id, login, display_name FROM account WHERE id > $1 ORDER BY id LIMIT 50"
READING = "SELECT opora_record_reading('bench', 'account', $1, '{}', 1)"
WRITE = "UPDATE account SET blocked_at = now(), version = version + 1 WHERE id = $1"


def measure(tell: Callable[[str], None]) -> list[Figure]:
    with (
        tempfile.TemporaryDirectory() as directory,
        Embedded(Path(directory), durable=True, tell=tell).running() as server,
    ):
        return asyncio.run(_measure(server, tell))


async def _measure(server: Embedded, tell: Callable[[str], None]) -> list[Figure]:
    passwords = Passwords.fresh()
    await bootstrap(server.admin_url(), {SERVICE.name: passwords})
    await upgrade(SERVICE, role_url(server.admin_url(), SERVICE.name, "owner", passwords.owner))
    admin = await asyncpg.connect(server.admin_url(database_of(SERVICE.name)))
    await admin.execute(FILL)
    await admin.execute("VACUUM ANALYZE account")
    figures = []
    # A read that leaves an entry has something to commit, and waits for the disk as a write does.
    for waiting, named in (("off", ", disk not counted"), ("on", "")):
        await admin.execute(f"SET synchronous_commit = {waiting}")
        recorded, silent = (
            await _times(_page(admin, recorded=True)),
            await _times(_page(admin, recorded=False)),
        )
        tracked = await _times(_write(admin))
        await admin.execute("ALTER TABLE account DISABLE TRIGGER track_account")
        plain = await _times(_write(admin))
        await admin.execute("ALTER TABLE account ENABLE TRIGGER track_account")
        tell(
            f"synchronous_commit {waiting}: page {silent * 1e3:.2f} ms, recorded {recorded * 1e3:.2f};"
            f" write {plain * 1e3:.2f} ms, tracked {tracked * 1e3:.2f}"
        )
        figures += [
            Figure(f"page of 50 accounts, reading recorded / not{named}", recorded / silent),
            Figure(f"write of an account, audited / not{named}", tracked / plain),
        ]
    sealed, verified = await _chain(server, admin)
    await admin.close()
    return [
        *figures,
        Figure("entries linked by the sealer", sealed, "a second"),
        Figure("entries verified", verified, "a second"),
    ]


def _page(connection: asyncpg.Connection, *, recorded: bool) -> Callable[[int], Awaitable[None]]:
    async def ask(number: int) -> None:
        async with connection.transaction():
            await connection.fetch(ENTER)
            rows = await connection.fetch(PAGE, number)
            if recorded:
                await connection.fetch(READING, [row["id"] for row in rows])

    return ask


def _write(connection: asyncpg.Connection) -> Callable[[int], Awaitable[None]]:
    async def ask(number: int) -> None:
        async with connection.transaction():
            await connection.fetch(ENTER)
            await connection.execute(WRITE, number)

    return ask


async def _times(ask: Callable[[int], Awaitable[None]]) -> float:
    times = []
    for round_ in range(ROUNDS):
        started = time.perf_counter()
        await ask(1 + round_ * 37 % (ACCOUNTS - 60))
        times.append(time.perf_counter() - started)
    return statistics.median(times[20:])


async def _chain(server: Embedded, admin: asyncpg.Connection) -> tuple[float, float]:
    await admin.execute("SELECT opora_seal(1000000)")
    await admin.execute(
        "SELECT opora_record('login', 'success', n, '{\"session\": \"x\"}', 1, NULL, NULL)"
        f" FROM generate_series(1, {LINKED}) n"
    )
    started = time.perf_counter()
    while await admin.fetchval(f"SELECT opora_seal({audit_chain.SEAL_BATCH})"):
        pass
    sealed = LINKED / (time.perf_counter() - started)
    url = make_url(server.admin_url(database_of(SERVICE.name)))
    engine = create_async_engine(url.set(drivername="postgresql+asyncpg"))
    async with AsyncSession(engine) as session:
        await enter(session, Reach.system())
        started = time.perf_counter()
        verdict = await audit_chain.verify(session)
        seconds = time.perf_counter() - started
    await engine.dispose()
    if verdict.broken is not None:
        raise AssertionError(verdict)
    return sealed, verdict.head.position / seconds
