"""Tell the other processes of the gateway what was let through, and hear it from them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from fastapi import FastAPI
from sqlalchemy import delete, func, text

from gateway.limits.buckets import Bucket, Buckets
from gateway.limits.tables import RateLevel
from services.kit.database import Database
from services.kit.logs import log
from services.kit.reach import Reach
from services.kit.settings import ServiceSettings

__all__ = ["exchange", "exchanging", "forget_old_levels"]

_PAUSE_SECONDS: Final = 0.2
"""How often levels are exchanged while there is anything to tell."""

_SHORTEST_PAUSE_SECONDS: Final = 0.02
"""The same for a bucket that fills fast."""

_PAUSE_AFTER_FAILURE_SECONDS: Final = 1.0

_EXCHANGE = text(
    """
    INSERT INTO rate_level AS kept (key, level, per_second, at)
    SELECT key, spent, per_second, clock_timestamp()
    FROM unnest(CAST(:keys AS bytea[]), CAST(:spent AS float8[]), CAST(:rates AS float8[]))
         AS news (key, spent, per_second)
    -- One order of locking for all processes: two of them never wait for each other.
    ORDER BY key
    ON CONFLICT (key) DO UPDATE
    SET level = GREATEST(0, kept.level - excluded.per_second
                              * GREATEST(0, EXTRACT(EPOCH FROM excluded.at - kept.at)))
                + excluded.level,
        per_second = excluded.per_second,
        at = GREATEST(kept.at, excluded.at)
    RETURNING key, level
    """
)


async def exchange(buckets: Buckets, database: Database) -> None:
    """Send what was let through since the last time; learn the levels of these buckets.

    When it fails, nothing is lost but what exceeds a full bucket.
    """
    news = buckets.take_news()
    if not news:
        return
    try:
        levels = await _sent(news, database)
    except BaseException:
        buckets.bring_back(news)
        raise
    buckets.learn(news, levels)


async def _sent(news: list[tuple[Bucket, int]], database: Database) -> dict[bytes, float]:
    values = {
        "keys": [bucket.key for bucket, _ in news],
        "spent": [float(spent) for _, spent in news],
        "rates": [bucket.rate.per_second for bucket, _ in news],
    }
    async with asyncio.timeout(2), database.transaction(Reach.system()) as session:
        rows = await session.execute(_EXCHANGE, values)
        return {row.key: row.level for row in rows}


async def forget_old_levels(database: Database, _: ServiceSettings) -> None:
    """Delete the levels of buckets that have long been empty."""
    empty_for = func.clock_timestamp() - RateLevel.at
    drained = func.make_interval(0, 0, 0, 0, 0, 0, 60 + RateLevel.level / RateLevel.per_second)
    async with database.transaction(Reach.system()) as session:
        await session.execute(delete(RateLevel).where(empty_for > drained))


async def _keep_exchanging(buckets: Buckets, database: Database) -> None:
    reachable = True
    while True:
        await buckets.has_news.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(_PAUSE_SECONDS):
                await buckets.is_urgent.wait()
        try:
            await exchange(buckets, database)
        except Exception as error:  # noqa: BLE001  whatever it is, requests are still counted here
            if reachable:
                log.warning("limits_not_exchanged", exc_info=error)
            reachable = False
            await asyncio.sleep(_PAUSE_AFTER_FAILURE_SECONDS)
        else:
            if not reachable:
                log.info("limits_exchanged_again")
            reachable = True
            await asyncio.sleep(_SHORTEST_PAUSE_SECONDS)


@asynccontextmanager
async def exchanging(app: FastAPI) -> AsyncIterator[None]:
    """Keep the exchange going for the life of the gateway's application."""
    buckets: Buckets | None = getattr(app.state, "buckets", None)
    if buckets is None:  # the application without its edge counts nothing
        yield
        return
    task = asyncio.create_task(_keep_exchanging(buckets, app.state.database))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
