"""Reading what a detection is made of: procedures of the year and of the cohort's earlier ones, results.

Results are counted in the database, so that a million of them arrives as thousands of counts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.objectivity.mismatches import Measured, Sums
from services.indicators.objectivity.questions import Cell, Subject
from services.indicators.objectivity.thresholds import DetectionSettings

__all__ = ["Gathered", "ProcedureFacts", "SchoolFacts", "gather", "procedures_of"]


@dataclass(frozen=True)
class ProcedureFacts:
    """A procedure as the detection saw it."""

    id: int
    kind: str
    grade: int
    year: int
    title: str
    is_permitted: bool
    result_revision: int
    scale_revision: int

    @property
    def natural_key(self) -> tuple[int, str, int, str]:
        """What names it whatever its id."""
        return (self.year, self.kind, self.grade, self.title)


@dataclass(frozen=True)
class SchoolFacts:
    """A school as the detection saw it."""

    id: int
    code: str
    name: str
    municipality_id: int
    municipality_name: str
    stages: tuple[str, ...] | None


@dataclass(frozen=True)
class Gathered:
    """Everything the signs follow from, in natural order."""

    year: int
    procedures: tuple[ProcedureFacts, ...]
    schools: tuple[SchoolFacts, ...]
    subjects: tuple[Subject, ...]
    """Of permitted procedures of the year."""
    sums: Mapping[int, tuple[Measured, ...]]
    """By procedure, those of earlier years too."""


# Source: design 6, each procedure carries what its results may be used for, with dates. A permission
# for lists of schools covers looking at the results first.
_PROCEDURES = text(
    """
    SELECT p.id, p.kind, p.grade, p.year, p.title, p.result_revision, p.scale_revision,
           EXISTS (
               SELECT FROM jsonb_array_elements(p.permitted_uses) AS u
               WHERE u ->> 'use' IN ('analysis', 'identification')
                 AND COALESCE((u ->> 'from')::date, :on) <= :on
                 AND COALESCE((u ->> 'to')::date, :on) >= :on
           ) AS is_permitted
    FROM procedure p
    WHERE p.region_id = :region_id AND p.year = ANY (:years)
    """
)
_SCALES = text(
    """
    SELECT procedure_id, subject, position, score_kind, maximum_milli, mark_borders
    FROM scale WHERE procedure_id = ANY (:procedures)
    """
)
_COUNTS = text(
    """
    SELECT r.school_id, r.subject, r.score_milli, r.mark, r.journal_mark, count(*) AS pupils
    FROM result r
    WHERE r.procedure_id = :procedure AND r.region_id = :region_id
      AND r.status = 0 AND r.score_milli IS NOT NULL
    GROUP BY r.school_id, r.subject, r.score_milli, r.mark, r.journal_mark
    """
)
_SUMS = text(
    """
    SELECT procedure_id, school_id, subject, n, sum_milli, sum_sq FROM rollup_subject
    WHERE region_id = :region_id AND procedure_id = ANY (:procedures) AND n > 0
    """
)
_SCHOOLS = text(
    """
    SELECT s.id, s.code, s.name, s.municipality_id, m.name AS municipality_name, s.stages
    FROM school s JOIN municipality m ON m.id = s.municipality_id
    WHERE s.region_id = :region_id
      AND (s.closed_on IS NULL OR s.closed_on > :on OR s.id = ANY (:with_results))
    """
)


async def procedures_of(
    session: AsyncSession,
    *,
    region_id: int,
    year: int,
    settings: DetectionSettings,
    on: date,
) -> list[ProcedureFacts]:
    """Read the procedures of the year and the earlier ones that its pairs name."""
    pairs = settings.procedure_mismatch.pairs if settings.procedure_mismatch.is_asked else []
    years = {year} | {year - pair.years for pair in pairs}
    rows = await session.execute(
        _PROCEDURES, {"region_id": region_id, "years": sorted(years), "on": on}
    )
    found = [ProcedureFacts(**row._mapping) for row in rows]  # noqa: SLF001  the public name of a row's mapping
    earlier = {(year - pair.years, pair.earlier_kind.value, pair.earlier_grade) for pair in pairs}
    kept = [p for p in found if p.year == year or (p.year, p.kind, p.grade) in earlier]
    return sorted(kept, key=lambda p: p.natural_key)


async def gather(
    session: AsyncSession,
    *,
    region_id: int,
    year: int,
    settings: DetectionSettings,
    on: date,
) -> Gathered:
    """Read everything a detection is made of."""
    procedures = await procedures_of(
        session, region_id=region_id, year=year, settings=settings, on=on
    )
    ids = [procedure.id for procedure in procedures]
    scales: dict[int, dict[int, Row[Any]]] = defaultdict(dict)
    for scale in await session.execute(_SCALES, {"procedures": ids}):
        scales[scale.procedure_id][scale.position] = scale
    subjects: list[Subject] = []
    for procedure in procedures:
        if procedure.year == year and procedure.is_permitted:
            rows = await session.execute(
                _COUNTS, {"procedure": procedure.id, "region_id": region_id}
            )
            subjects += _subjects(procedure, scales[procedure.id], rows)
    permitted = {procedure.id: procedure for procedure in procedures if procedure.is_permitted}
    rows = await session.execute(_SUMS, {"region_id": region_id, "procedures": sorted(permitted)})
    sums = _measured(permitted, scales, rows)
    schools = await _schools(session, region_id, subjects, on)
    return Gathered(year, tuple(procedures), schools, tuple(subjects), sums)


def _subjects(
    procedure: ProcedureFacts, scales: Mapping[int, Row[Any]], rows: Iterable[Row[Any]]
) -> list[Subject]:
    scores: dict[tuple[int, int], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    marks: dict[tuple[int, int], dict[tuple[int, int], int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        scores[row.subject, row.school_id][row.score_milli] += row.pupils
        mark = _mark(row, scales[row.subject])
        if mark is not None and row.journal_mark is not None:
            marks[row.subject, row.school_id][mark, row.journal_mark] += row.pupils
    found = []
    for position, scale in sorted(scales.items(), key=lambda item: item[1].subject):
        cells = {
            school: Cell(dict(counted), dict(marks.get((position, school), {})))
            for (place, school), counted in scores.items()
            if place == position
        }
        found.append(
            Subject(
                procedure.id,
                procedure.kind,
                procedure.grade,
                procedure.year,
                procedure.title,
                scale.subject,
                scale.score_kind,
                scale.maximum_milli,
                tuple(scale.mark_borders),
                cells,
            )
        )
    return [subject for subject in found if subject.cells]


def _mark(row: Row[Any], scale: Row[Any]) -> int | None:
    """Take the mark of the work; where the file has none, the one the official borders give."""
    if row.mark is not None:
        return int(row.mark)
    if scale.score_kind != "primary" or not scale.mark_borders:
        return None
    return 2 + sum(int(row.score_milli) >= 1000 * int(border) for border in scale.mark_borders)


def _measured(
    procedures: Mapping[int, ProcedureFacts],
    scales: Mapping[int, Mapping[int, Row[Any]]],
    rows: Iterable[Row[Any]],
) -> dict[int, tuple[Measured, ...]]:
    sums: dict[tuple[int, int], dict[int, Sums]] = defaultdict(dict)
    for row in rows:
        sums[row.procedure_id, row.subject][row.school_id] = Sums(
            row.n, int(row.sum_milli), int(row.sum_sq)
        )
    return {
        number: tuple(
            Measured(number, procedure.title, procedure.year, scale.subject, sums[number, position])
            for position, scale in sorted(scales[number].items(), key=lambda item: item[1].subject)
            if (number, position) in sums
        )
        for number, procedure in procedures.items()
    }


async def _schools(
    session: AsyncSession, region_id: int, subjects: Sequence[Subject], on: date
) -> tuple[SchoolFacts, ...]:
    with_results = sorted({school for subject in subjects for school in subject.cells})
    rows = await session.execute(
        _SCHOOLS, {"region_id": region_id, "on": on, "with_results": with_results}
    )
    facts = [
        SchoolFacts(
            row.id,
            row.code,
            row.name,
            row.municipality_id,
            row.municipality_name,
            None if row.stages is None else tuple(row.stages),
        )
        for row in rows
    ]
    return tuple(sorted(facts, key=lambda school: (school.code, school.id)))
