"""Reading printed splits of the caller's region."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.projection.tables import Municipality
from services.indicators.reconciliation.tables import PrintedSplit
from services.kit.pages import PageAsk, Rows, keyset
from services.kit.problems import Problem

__all__ = ["PrintedSplitNotFound", "municipality_names", "printed_split", "printed_splits"]


class PrintedSplitNotFound(Problem):
    """There is no such split in the caller's region."""

    status = 404
    title = "Напечатанный список не найден"


async def printed_splits(
    session: AsyncSession, *, year: int | None, is_consistent: bool | None, ask: PageAsk
) -> Rows:
    """List the splits in the order of loading."""
    listed = select(
        PrintedSplit.id,
        PrintedSplit.year,
        PrintedSplit.title,
        PrintedSplit.is_consistent,
        PrintedSplit.accepted_reason,
        PrintedSplit.content_hash,
        PrintedSplit.created_by,
        PrintedSplit.created_at,
    )
    if year is not None:
        listed = listed.where(PrintedSplit.year == year)
    if is_consistent is not None:
        listed = listed.where(PrintedSplit.is_consistent == is_consistent)
    return await keyset(session, listed, order=(PrintedSplit.id,), ask=ask)


async def printed_split(session: AsyncSession, split_id: int) -> PrintedSplit:
    """Read one split.

    Raises:
        PrintedSplitNotFound: None is visible under this id.
    """
    found = await session.get(PrintedSplit, split_id)
    if found is None:
        raise PrintedSplitNotFound(f"Напечатанный список {split_id} не найден")
    return found


async def municipality_names(session: AsyncSession, *, region_id: int) -> list[str]:
    """List the names of the region's municipalities."""
    names = select(Municipality.name).where(Municipality.region_id == region_id)
    return sorted((await session.scalars(names)).all())
