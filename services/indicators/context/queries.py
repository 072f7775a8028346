"""What calculations read, and calculations themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.columns import PRECISE
from services.indicators.algebra.values import MISSING, State, Value
from services.indicators.context.documents import (
    LowIndexResult,
    MassIndexResult,
    SubjectMeanResult,
)
from services.indicators.context.tables import ContextCalculation, ContextIndex, ContextSchool
from services.kit.pages import PageAsk, Rows, keyset
from services.kit.problems import Problem

__all__ = [
    "CalculationNotFound",
    "ContextIndexNotFound",
    "ProfileRow",
    "calculated_schools",
    "calculation",
    "calculations",
    "context_index",
    "context_indices",
    "profile_values",
    "school_results",
]


class ContextIndexNotFound(Problem):
    """There is no such version of an index in the caller's region."""

    status = 404
    title = "Индекс условий не найден"


class CalculationNotFound(Problem):
    """There is no such calculation in the caller's region."""

    status = 404
    title = "Расчёт не найден"


@dataclass(frozen=True)
class ProfileRow:
    """What is known of one school: asked attributes only, each of them with its state."""

    school_id: int
    values: Mapping[str, Value]
    sources: Mapping[str, str]
    """By attribute: the document, the import and the row; only of what was submitted."""


_PROFILES = text(
    """
    SELECT p.school_id, cell.code, cell.body ->> 'state' AS state, cell.body ->> 'value' AS value,
           cell.body ->> 'source' AS source, cell.body ->> 'import_id' AS import_id,
           cell.body ->> 'row_no' AS row_no
    FROM school_profile p
    LEFT JOIN LATERAL jsonb_each(p."values") AS cell(code, body)
        ON cell.code = ANY (CAST(:attributes AS text[]))
    WHERE p.region_id = :region AND p.year = :year
    ORDER BY p.school_id, cell.code
    """
)


async def profile_values(
    session: AsyncSession, *, region_id: int, year: int, attributes: Sequence[str]
) -> list[ProfileRow]:
    """Read these attributes of every profile of a year: one row per school, ordered by its id.

    A school without a profile has no row; all its attributes are not submitted.
    """
    found = await session.execute(
        _PROFILES, {"region": region_id, "year": year, "attributes": list(attributes)}
    )
    known: dict[int, dict[str, Value]] = {}
    sources: dict[int, dict[str, str]] = {}
    for row in found:
        values = known.setdefault(row.school_id, dict.fromkeys(attributes, MISSING))
        named = sources.setdefault(row.school_id, {})
        if row.code is not None:
            number = None if row.value is None else Decimal(row.value)
            values[row.code] = Value(State(row.state), number)
            named[row.code] = _source(row.source, row.import_id, row.row_no)
    return [ProfileRow(school, values, sources[school]) for school, values in known.items()]


def _source(document: str, import_id: str | None, row_no: str | None) -> str:
    if import_id is None:
        return document
    return f"{document}; импорт профилей № {import_id}, строка {row_no}"


_PEOPLE = text(
    """
    SELECT r.school_id, sum(r.n) AS n, sum(r.n) FILTER (WHERE r.low_mask <> 0) AS low,
           sum(r.n) FILTER (WHERE r.failed_mask <> 0) AS failed
    FROM rollup_pattern r
    JOIN procedure p ON p.id = r.procedure_id
    WHERE p.region_id = :region AND p.year = :year AND p.kind = :kind AND p.grade = :grade
    GROUP BY r.school_id HAVING sum(r.n) > 0
    """
)
_SUBJECT = text(
    """
    SELECT r.school_id, sum(r.n) AS n, sum(r.mass_n) AS mass, sum(r.sum_milli) AS milli
    FROM rollup_subject r
    JOIN procedure p ON p.id = r.procedure_id
    JOIN scale s ON s.procedure_id = r.procedure_id AND s.position = r.subject
    WHERE p.region_id = :region AND p.year = :year AND p.kind = :kind AND p.grade = :grade
      AND s.subject = :subject
    GROUP BY r.school_id HAVING sum(r.n) > 0
    """
)
_STEP = Decimal("1E-12")


async def school_results(
    session: AsyncSession,
    *,
    region_id: int,
    year: int,
    result: LowIndexResult | MassIndexResult | SubjectMeanResult,
) -> dict[int, Decimal]:
    """Measure each school that took part: a share 0 to 1, or a mean score; 12 places, half to even.

    Several procedures of the kind, grade and year count together.
    Source: methodology A1, F4 (low), F5 (mass).
    """
    asked = {"region": region_id, "year": year, "kind": result.kind, "grade": result.grade}
    if isinstance(result, LowIndexResult):
        rows = await session.execute(_PEOPLE, asked)
        column = "low" if result.based_on == "bmin" else "failed"
        return {row.school_id: _quotient(getattr(row, column) or 0, row.n) for row in rows}
    rows = await session.execute(_SUBJECT, asked | {"subject": result.subject})
    if isinstance(result, MassIndexResult):
        return {row.school_id: _quotient(row.mass, row.n) for row in rows}
    return {row.school_id: _quotient(row.milli, row.n * 1000) for row in rows}


def _quotient(part: int | Decimal, whole: int | Decimal) -> Decimal:
    return PRECISE.divide(Decimal(part), Decimal(whole)).quantize(_STEP, rounding=ROUND_HALF_EVEN)


async def context_indices(session: AsyncSession, *, code: str | None, ask: PageAsk) -> Rows:
    """List versions of indices, oldest first."""
    wanted = select(*ContextIndex.__table__.columns)
    if code is not None:
        wanted = wanted.where(ContextIndex.code == code)
    return await keyset(session, wanted, order=(ContextIndex.id,), ask=ask)


async def context_index(session: AsyncSession, index_id: int) -> ContextIndex:
    """Read one version of an index.

    Raises:
        ContextIndexNotFound: None is visible under this id.
    """
    found = await session.get(ContextIndex, index_id)
    if found is None:
        raise ContextIndexNotFound(f"Индекс условий {index_id} не найден")
    return found


async def calculations(session: AsyncSession, *, year: int | None, ask: PageAsk) -> Rows:
    """List calculations, oldest first."""
    columns = ContextCalculation.__table__.c
    wanted = select(
        columns.id,
        columns.year,
        columns.definition_hash,
        columns.input_hash,
        columns.answer_hash,
        columns.created_by,
        columns.created_at,
    )
    if year is not None:
        wanted = wanted.where(columns.year == year)
    return await keyset(session, wanted, order=(columns.id,), ask=ask)


async def calculation(session: AsyncSession, calculation_id: int) -> ContextCalculation:
    """Read one calculation.

    Raises:
        CalculationNotFound: None is visible under this id.
    """
    found = await session.get(ContextCalculation, calculation_id)
    if found is None:
        raise CalculationNotFound
    return found


async def calculated_schools(
    session: AsyncSession,
    calculation_id: int,
    *,
    status: str | None,
    is_adverse: bool | None,
    ask: PageAsk,
) -> Rows:
    """List the schools of a calculation by code."""
    columns = ContextSchool.__table__.c
    wanted = select(*columns).where(columns.calculation_id == calculation_id)
    if status is not None:
        wanted = wanted.where(columns.status == status)
    if is_adverse is not None:
        wanted = wanted.where(columns.is_adverse == is_adverse)
    return await keyset(session, wanted, order=(columns.code, columns.school_id), ask=ask)
