"""Questions about programme years."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit.pages import PageAsk, Rows, keyset
from services.registry.programme_years.tables import ProgrammeYear

__all__ = ["of_region", "programme_year", "programme_years"]


async def programme_years(session: AsyncSession, *, ask: PageAsk) -> Rows:
    """Return the programme years within reach, by year."""
    columns = ProgrammeYear.__table__.c
    return await keyset(session, select(*columns), order=(columns.year, columns.id), ask=ask)


async def programme_year(
    session: AsyncSession, programme_year_id: int, *, for_update: bool = False
) -> ProgrammeYear | None:
    """Return a programme year, locked when it is going to be changed."""
    asked = select(ProgrammeYear).where(ProgrammeYear.id == programme_year_id)
    return await session.scalar(asked.with_for_update() if for_update else asked)


async def of_region(session: AsyncSession, region_id: int, year: int) -> ProgrammeYear | None:
    """Return the programme year of a region; None when it was not opened."""
    return await session.scalar(
        select(ProgrammeYear).where(
            ProgrammeYear.region_id == region_id, ProgrammeYear.year == year
        )
    )
