"""What is asked about waves; rows are those the caller can see."""

from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit.pages import PageAsk, Rows, keyset
from services.monitoring.projection.tables import School
from services.monitoring.waves.tables import ExpectedSchool, Wave

__all__ = ["expected_schools", "visible_wave", "wave_to_change", "waves_of_year"]


def _waves() -> Select[Any]:
    expected = (
        select(func.count())
        .select_from(ExpectedSchool)
        .where(ExpectedSchool.wave_id == Wave.id)
        .scalar_subquery()
    )
    return select(*Wave.__table__.columns, expected.label("expected_schools"))


async def waves_of_year(session: AsyncSession, *, year: int | None, page: PageAsk) -> Rows:
    """Return a page of waves, of one year or of all, by year, first day and id."""
    statement = _waves()
    if year is not None:
        statement = statement.where(Wave.year == year)
    return await keyset(session, statement, order=(Wave.year, Wave.opens_on, Wave.id), ask=page)


async def visible_wave(session: AsyncSession, wave_id: int) -> Any | None:
    """Return the wave with the number of its schools; None when the caller has no such wave."""
    return (await session.execute(_waves().where(Wave.id == wave_id))).one_or_none()


async def wave_to_change(session: AsyncSession, wave_id: int) -> Wave | None:
    """Return the wave locked until the end of the transaction."""
    return await session.get(Wave, wave_id, with_for_update=True)


async def expected_schools(session: AsyncSession, wave_id: int, *, page: PageAsk) -> Rows:
    """Return a page of the wave's roster, by school code."""
    statement = (
        select(
            ExpectedSchool.id,
            ExpectedSchool.school_id,
            School.code,
            School.name,
            ExpectedSchool.municipality_id,
            ExpectedSchool.added_at,
        )
        .join(School, School.id == ExpectedSchool.school_id)
        .where(ExpectedSchool.wave_id == wave_id)
    )
    return await keyset(session, statement, order=(School.code, ExpectedSchool.id), ask=page)
