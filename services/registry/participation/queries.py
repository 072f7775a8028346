"""Questions about participation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit.pages import PageAsk, Rows, keyset
from services.registry.participation.schemas import Status
from services.registry.participation.tables import AppliedRun, Participation, ParticipationEvent
from services.registry.participation.terms import Source

__all__ = [
    "Count",
    "ParticipationFilter",
    "counts_by_municipality",
    "events",
    "is_applied",
    "of_region_and_year",
    "of_school_and_year",
    "participation",
    "participations",
]


@dataclass(frozen=True)
class ParticipationFilter:
    """What a list of participations is narrowed to; None does not narrow."""

    year: int | None = None
    municipality_id: int | None = None
    school_id: int | None = None
    category: str | None = None
    source: Source | None = None
    status: Status = Status.ACTIVE

    def where(self, columns: Any) -> list[ColumnElement[bool]]:
        """Return the conditions over the columns of `participation`."""
        wanted: list[ColumnElement[bool]] = [
            column == value
            for column, value in (
                (columns.year, self.year),
                (columns.municipality_id, self.municipality_id),
                (columns.school_id, self.school_id),
                (columns.source, self.source),
            )
            if value is not None
        ]
        if self.category is not None:
            wanted.append(columns.categories.contains([self.category]))
        if self.status is Status.ACTIVE:
            wanted.append(columns.withdrawn_on.is_(None))
        elif self.status is Status.WITHDRAWN:
            wanted.append(columns.withdrawn_on.is_not(None))
        return wanted


async def participations(
    session: AsyncSession, *, wanted: ParticipationFilter, ask: PageAsk
) -> Rows:
    """Return participations within reach, in the order they were made."""
    columns = Participation.__table__.c
    listed: Select[Any] = select(*columns).where(*wanted.where(columns))
    return await keyset(session, listed, order=(columns.id,), ask=ask)


async def participation(
    session: AsyncSession, participation_id: int, *, for_update: bool = False
) -> Participation | None:
    """Return a participation, locked when it is going to be changed."""
    asked = select(Participation).where(Participation.id == participation_id)
    return await session.scalar(asked.with_for_update() if for_update else asked)


async def of_school_and_year(
    session: AsyncSession, school_id: int, year: int
) -> Participation | None:
    """Return the participation of a school in a year, locked; None when it never joined."""
    return await session.scalar(
        select(Participation)
        .where(Participation.school_id == school_id, Participation.year == year)
        .with_for_update()
    )


async def of_region_and_year(
    session: AsyncSession, region_id: int, year: int
) -> dict[int, Row[Any]]:
    """Return the participations of a region in a year by school, locked for a bulk."""
    columns = Participation.__table__.c
    rows = await session.execute(
        select(*columns)
        .where(columns.region_id == region_id, columns.year == year)
        .order_by(columns.id)
        .with_for_update()
    )
    return {row.school_id: row for row in rows}


async def is_applied(session: AsyncSession, region_id: int, run_id: int) -> bool:
    """Tell whether the list of an identification run was applied before."""
    found = await session.scalar(
        select(AppliedRun.id).where(AppliedRun.region_id == region_id, AppliedRun.run_id == run_id)
    )
    return found is not None


async def events(session: AsyncSession, participation_id: int) -> Sequence[Row[Any]]:
    """Return the steps of a participation, oldest first."""
    columns = ParticipationEvent.__table__.c
    asked: Select[Any] = (
        select(*columns)
        .where(columns.participation_id == participation_id)
        .order_by(columns.id)
        .limit(1000)
    )
    found: Sequence[Row[Any]] = (await session.execute(asked)).all()
    return found


class Count(NamedTuple):
    """Participating schools of a municipality."""

    municipality_id: int
    municipality: str
    total: int
    by_categories: dict[str, int]


_COUNTS = text(
    """
    WITH combination AS (
        SELECT municipality_id, array_to_string(categories, '+') AS categories, count(*) AS schools
        FROM participation
        WHERE year = :year AND withdrawn_on IS NULL
        GROUP BY municipality_id, categories
    )
    SELECT m.id AS municipality_id, m.name AS municipality, sum(c.schools)::bigint AS total,
           jsonb_object_agg(c.categories, c.schools) AS by_categories
    FROM combination c JOIN municipality m ON m.id = c.municipality_id
    GROUP BY m.id, m.name, m.code
    ORDER BY m.code, m.id
    """
)


async def counts_by_municipality(session: AsyncSession, year: int) -> list[Count]:
    """Return how many schools take part in a year, by municipality and combination of categories."""
    return [Count(*row) for row in await session.execute(_COUNTS, {"year": year})]
