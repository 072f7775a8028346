"""ФИОКО's list of markers: four works of a year, a marker per school and work.

Source: methodology B4: per school and year four markers 4 РУ, 4 МА, 5 РУ, 5 МА and «Количество маркеров»;
share of flagged = schools with at least one marker / schools that wrote Русский 4 кл.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.objectivity.detecting import CELLS
from services.indicators.objectivity.queries import computed
from services.indicators.objectivity.schemas import MarkerCellOut, MarkerSchoolOut, MarkersOut
from services.indicators.objectivity.tables import ObjectivitySchool, ObjectivitySign

__all__ = ["markers"]

_FIELDS = {"4_rus": "rus4", "4_mat": "mat4", "5_rus": "rus5", "5_mat": "mat5"}


async def markers(session: AsyncSession, detection_id: int) -> MarkersOut:
    """Give the list in the format of ФИОКО, of the schools that the caller sees.

    A marker is one or more signs, not withdrawn, in the work of that grade and subject.
    Source: methodology B4: markers 4 РУ, 4 МА, 5 РУ, 5 МА, «Количество маркеров», share of flagged =
    schools with at least one marker / schools that wrote Русский 4 кл.

    Raises:
        DetectionNotFound: None is visible under this id.
        DetectionNotComputed: It has no answers.
    """
    found = await computed(session, detection_id)
    grades = {
        one["procedure_id"]: one["grade"]
        for one in found.procedures or ()
        if (one["kind"], one["year"]) == ("vpr", found.year)
    }
    rows = await session.execute(
        select(
            ObjectivitySign.school_id, ObjectivitySign.procedure_id, ObjectivitySign.subject
        ).where(ObjectivitySign.detection_id == detection_id, ObjectivitySign.review != "withdrawn")
    )
    flagged = {
        (row.school_id, grades[row.procedure_id], row.subject)
        for row in rows
        if row.procedure_id in grades
    }
    schools = await session.scalars(
        select(ObjectivitySchool)
        .where(ObjectivitySchool.detection_id == detection_id)
        .order_by(ObjectivitySchool.code, ObjectivitySchool.school_id)
    )
    listed = []
    wrote = 0
    for school in schools:
        cells = {
            _FIELDS[code]: _cell(
                school.cells[code], is_flagged=(school.school_id, grade, subject) in flagged
            )
            for code, grade, subject in CELLS
        }
        wrote += bool(school.cells["4_rus"]["n"])
        listed.append(
            MarkerSchoolOut(
                school_id=school.school_id,
                code=school.code,
                name=school.name,
                municipality_name=school.municipality_name,
                markers=sum(cell.marker or 0 for cell in cells.values()),
                **cells,
            )
        )
    many = sum(school.markers > 0 for school in listed)
    return MarkersOut(
        detection_id=detection_id,
        year=found.year,
        flagged=many,
        wrote_rus4=wrote,
        share=f"{many}/{wrote}" if wrote else None,
        percent=_percent(many, wrote) if wrote else None,
        schools=listed,
    )


def _cell(cell: Mapping[str, Any], *, is_flagged: bool) -> MarkerCellOut:
    is_asked = cell["state"] == "asked"
    return MarkerCellOut(state=cell["state"], marker=int(is_flagged) if is_asked else None)


def _percent(part: int, whole: int) -> Decimal:
    return (Decimal(100 * part) / whole).quantize(Decimal("0.01"), ROUND_HALF_UP)
