"""What calculations read: the cells of profiles, and the results of schools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.values import MISSING, State, Value

__all__ = ["ProfileRow", "profile_values"]


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
