"""Work that a service repeats on its own: cleaning up, renewing. Done by its worker process.

A chore is done by one worker at a time: an advisory lock, which the database lets go with the
connection, keeps the others off. Two workers may still do it one after the other, and a worker that
starts does it at once, so a chore must bear being done more often than it asks for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text

from services.kit.database import Database
from services.kit.logs import log
from services.kit.reach import Reach
from services.kit.settings import ServiceSettings

__all__ = ["CHORES", "Chore", "forget_idempotency_keys", "keep_doing_all"]

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
"""A chore that failed is tried again after a growing pause, never later than it would be anyway."""

Run = Callable[[Database, ServiceSettings], Awaitable[None]]


@dataclass(frozen=True)
class Chore:
    """What is repeated, and how often."""

    name: str
    every_seconds: float
    run: Run = field(repr=False)


_TAKE = text("SELECT pg_try_advisory_xact_lock(hashtext('opora chore'), hashtext(:name))")


async def keep_doing_all(
    chores: Sequence[Chore], database: Database, settings: ServiceSettings
) -> None:
    """Do all the chores again and again, until cancelled."""
    # Each takes a connection for its lock and needs another for its work: if all took their first
    # one together, none would get its second.
    turns = asyncio.Semaphore(max(1, settings.pool_size // 2))
    async with asyncio.TaskGroup() as group:
        for chore in chores:
            group.create_task(_keep_doing(chore, database, settings, turns))


async def _keep_doing(
    chore: Chore, database: Database, settings: ServiceSettings, turns: asyncio.Semaphore
) -> None:
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            async with turns:
                await _do(chore, database, settings)
        except Exception as error:  # noqa: BLE001  a worker outlives any chore
            log.error("chore_failed", chore=chore.name, exc_info=error)
            await asyncio.sleep(min(pause, chore.every_seconds))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        else:
            pause = FIRST_PAUSE_SECONDS
            await asyncio.sleep(chore.every_seconds)


async def _do(chore: Chore, database: Database, settings: ServiceSettings) -> None:
    # The transaction only holds the lock; it has no snapshot and no number, so it is in nobody's way.
    async with database.transaction(Reach.system()) as holding:
        if await holding.scalar(_TAKE, {"name": chore.name}):
            await chore.run(database, settings)


# The contract promises a day; row security shows the worker no younger key (kit/migrations.py).
_FORGET_KEYS = text(
    """
    DELETE FROM idempotency_key WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency_key
        WHERE created_at < now() - make_interval(hours => :hours) LIMIT :at_once))
    """,
)
_AT_ONCE = 10_000


async def forget_idempotency_keys(database: Database, settings: ServiceSettings) -> None:
    """Forget the answers that nobody will ask for again, in short transactions."""
    forgotten = _AT_ONCE
    while forgotten == _AT_ONCE:
        async with database.transaction(Reach.system()) as session:
            done = await session.execute(
                _FORGET_KEYS,
                {"hours": settings.idempotency_hours, "at_once": _AT_ONCE},
            )
            forgotten = done.rowcount  # type: ignore[attr-defined]  # of a DELETE


CHORES = (Chore("forget-idempotency-keys", 600.0, forget_idempotency_keys),)
"""What every service repeats."""
