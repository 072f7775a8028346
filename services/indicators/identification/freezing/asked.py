"""What a methodology asks of a school beside results, read as it stands on the day of the run.

Attributes of the school-year profile, signs of biased results and accepted corrections come from their
own features; here they are only chosen: what the document does not ask for is not frozen.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.values import MISSING
from services.indicators.context.queries import profile_values
from services.indicators.corrections import queries as accepted
from services.indicators.corrections.queries import Correction
from services.indicators.identification.freezing.inputs import AttributeColumn, FrozenSign
from services.indicators.methodologies.document import Methodology
from services.indicators.objectivity import queries as objectivity

__all__ = ["read_attributes", "read_corrections", "read_overtaken", "read_signs"]


async def read_attributes(
    session: AsyncSession,
    *,
    region_id: int,
    year: int,
    methodology: Methodology,
    schools: Mapping[int, int],
) -> dict[str, AttributeColumn]:
    """Read the attributes that indices and conditions of the methodology name, by code.

    A school without a profile has not submitted: neither zero nor "no".
    """
    codes = methodology.attributes()
    if not codes:
        return {}
    rows = await profile_values(
        session, region_id=region_id, year=methodology.context_year(year), attributes=codes
    )
    known = {schools[row.school_id]: row for row in rows if row.school_id in schools}
    places = range(len(schools))
    return {
        code: AttributeColumn(
            tuple(known[p].values.get(code, MISSING) if p in known else MISSING for p in places),
            tuple(known[p].sources.get(code) if p in known else None for p in places),
        )
        for code in codes
    }


_PROCEDURES = text(
    "SELECT id, year, kind, grade, title FROM procedure WHERE id = ANY (CAST(:ids AS bigint[]))"
)


async def read_signs(
    session: AsyncSession,
    *,
    region_id: int,
    year: int,
    methodology: Methodology,
    schools: Mapping[int, int],
) -> tuple[list[FrozenSign], list[frozenset[int]]]:
    """Read the signs of the years that conditions look at, and in which years each school was asked.

    Args:
        session: The transaction of the run.
        region_id: Its region.
        year: The year of the list.
        methodology: Its conditions say how far back.
        schools: The schools of the run: id -> position.
    """
    years = methodology.sign_years(year)
    asked_years: list[set[int]] = [set() for _ in schools]
    if not years:
        return [], [frozenset() for _ in schools]
    for school_id, asked in await objectivity.asked_schools(
        session, region_id=region_id, years=years
    ):
        if school_id in schools:
            asked_years[schools[school_id]].add(asked)
    found = [
        sign
        for sign in await objectivity.signs(session, region_id=region_id, years=years)
        if sign.school_id in schools
    ]
    ids = sorted({sign.procedure_id for sign in found if sign.procedure_id is not None})
    rows = await session.execute(_PROCEDURES, {"ids": ids}) if ids else ()
    names = {row.id: f"{row.year} {row.kind} {row.grade} {row.title}" for row in rows}
    frozen = [
        FrozenSign(
            id=sign.id,
            school=schools[sign.school_id],
            year=sign.year,
            detector=sign.detector,
            procedure_id=sign.procedure_id,
            procedure=names.get(sign.procedure_id) if sign.procedure_id is not None else None,
            subject=sign.subject,
        )
        for sign in found
    ]
    frozen.sort(key=lambda sign: (sign.natural_key, sign.id))
    return frozen, [frozenset(found_in) for found_in in asked_years]


async def read_corrections(
    session: AsyncSession, *, region_id: int, procedure_ids: Sequence[int]
) -> list[Correction]:
    """Read the accepted corrections of cells of these procedures, newest per cell.

    Those whose cell was changed after it was contested are not among them, see `read_overtaken`.
    """
    return await accepted.corrections(session, region_id=region_id, procedure_ids=procedure_ids)


async def read_overtaken(
    session: AsyncSession, *, region_id: int, procedure_ids: Sequence[int]
) -> list[Correction]:
    """Read the accepted corrections that do not apply: the counts are not those that were contested."""
    found = await accepted.corrections_found(
        session, region_id=region_id, procedure_ids=procedure_ids
    )
    return found.overtaken
