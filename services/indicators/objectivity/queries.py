"""Reading detections and their signs."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.objectivity.tables import ObjectivitySign

__all__ = ["Sign", "asked_schools", "signs"]


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign as rules of identification count it."""

    id: int
    school_id: int
    year: int
    detector: str
    procedure_id: int | None
    subject: str | None


# Per year the newest detection that was computed and is not voided.
_CURRENT = """
    SELECT DISTINCT ON (d.year) d.id FROM objectivity_detection d
    WHERE d.region_id = :region_id AND d.year = ANY (:years) AND d.state IN ('computed', 'published')
    ORDER BY d.year, d.id DESC
"""


async def signs(session: AsyncSession, *, region_id: int, years: Sequence[int]) -> list[Sign]:
    """Read the signs of the region's current detections that nobody has withdrawn.

    A year without a detection gives none, which is not "no": see `asked_schools`.

    Returns:
        By school, year, detector, procedure and subject.
    """
    current = await session.scalars(
        text(_CURRENT), {"region_id": region_id, "years": sorted(set(years))}
    )
    rows = await session.execute(
        select(
            ObjectivitySign.id,
            ObjectivitySign.school_id,
            ObjectivitySign.year,
            ObjectivitySign.detector,
            ObjectivitySign.procedure_id,
            ObjectivitySign.subject,
        ).where(
            ObjectivitySign.detection_id.in_(list(current)),
            ObjectivitySign.review != "withdrawn",
        )
    )
    found = [Sign(*row) for row in rows]
    return sorted(
        found,
        key=lambda s: (s.school_id, s.year, s.detector, s.procedure_id or 0, s.subject or "", s.id),
    )


async def asked_schools(
    session: AsyncSession, *, region_id: int, years: Sequence[int]
) -> set[tuple[int, int]]:
    """Tell of which schools in which years at least one question was asked: (school_id, year).

    A school that is not here has unknown objectivity in that year: no detection, no results, or too
    few pupils for every detector. Source: methodology B4, rules of sample size.
    """
    rows = await session.execute(
        text(
            f"""
            SELECT s.school_id, d.year
            FROM objectivity_school s JOIN objectivity_detection d ON d.id = s.detection_id
            WHERE d.id IN ({_CURRENT}) AND s.asked + s.limited > 0
            """
        ),
        {"region_id": region_id, "years": sorted(set(years))},
    )
    return {(row.school_id, row.year) for row in rows}
