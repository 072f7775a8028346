"""Reading the frozen inputs of a run back, exactly as `freezing.freeze` gave them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.rules import Integers
from services.indicators.algebra.values import MISSING, State, Value
from services.indicators.identification.freezing.considered import FrozenProcedure
from services.indicators.identification.freezing.corrections import Correction
from services.indicators.identification.freezing.counting import sent
from services.indicators.identification.freezing.inputs import (
    AttributeColumn,
    FrozenCells,
    FrozenSign,
    Inputs,
    SchoolFacts,
    in_order,
)
from services.indicators.identification.tables import (
    IdentificationRun,
    RunContext,
    RunProcedure,
    RunSchool,
    RunSign,
)
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.tables import MethodologyVersion

__all__ = ["frozen"]


async def frozen(session: AsyncSession, run_id: int) -> Inputs:
    """Read the frozen inputs of a computed run.

    Raises:
        NoResultFound: There is no such run for the reader.
    """
    run = await session.get_one(IdentificationRun, run_id)
    version = await session.get_one(MethodologyVersion, run.methodology_version_id)
    based_on = Methodology.model_validate(version.document).low_result.based_on
    procedures = await _procedures(session, run_id)
    schools = await _schools(session, run_id)
    places = {school.school_id: place for place, school in enumerate(schools)}
    attributes, asked_years = await _context(session, run_id, places)
    cells, corrections = await _cells(session, run_id, schools, procedures, based_on)
    return Inputs(
        year=run.year,
        procedures=procedures,
        schools=schools,
        cells=cells,
        attributes=attributes,
        signs=await _signs(session, run_id, places),
        asked_years=asked_years,
        corrections=corrections,
    )


async def _procedures(session: AsyncSession, run_id: int) -> tuple[FrozenProcedure, ...]:
    rows = await session.execute(
        select(
            RunProcedure.procedure_id,
            RunProcedure.kind,
            RunProcedure.grade,
            RunProcedure.year,
            RunProcedure.title,
            RunProcedure.rollup_revision,
            RunProcedure.mass_mask,
            RunProcedure.scales,
        ).where(RunProcedure.run_id == run_id)
    )
    found = [FrozenProcedure(*row) for row in rows]
    return tuple(sorted(found, key=lambda procedure: procedure.natural_key))


async def _schools(session: AsyncSession, run_id: int) -> tuple[SchoolFacts, ...]:
    rows = await session.execute(
        select(
            RunSchool.school_id,
            RunSchool.municipality_id,
            RunSchool.code,
            RunSchool.name,
            RunSchool.municipality_name,
            RunSchool.kind,
            RunSchool.stages,
            RunSchool.adverse_conditions,
            RunSchool.adverse_reason,
            RunSchool.adverse_source,
        ).where(RunSchool.run_id == run_id)
    )
    found = [
        SchoolFacts(
            school_id=row.school_id,
            municipality_id=row.municipality_id,
            code=row.code,
            name=row.name,
            municipality_name=row.municipality_name,
            kind=row.kind,
            stages=None if row.stages is None else tuple(row.stages),
            adverse_conditions=row.adverse_conditions,
            adverse_reason=row.adverse_reason,
            adverse_source=row.adverse_source,
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda school: (school.code, school.school_id)))


_CELLS = text(
    """
    SELECT school_id, cardinality(procedure_id) AS cells, array_send(procedure_id) AS procedure_id,
           array_send(n) AS n, array_send(low) AS low, array_send(low_otherwise) AS low_otherwise,
           corrections
    FROM run_evidence WHERE run_id = :run_id
    """
)


async def _cells(
    session: AsyncSession,
    run_id: int,
    schools: Sequence[SchoolFacts],
    procedures: Sequence[FrozenProcedure],
    based_on: str,
) -> tuple[FrozenCells, tuple[Correction, ...]]:
    rows = (await session.execute(_CELLS, {"run_id": run_id})).all()
    kept_otherwise = all(row.low_otherwise is not None for row in rows)
    counts = [sent((row.n for row in rows), ">i4"), sent((row.low for row in rows), ">i4")]
    if kept_otherwise:
        counts.append(sent((row.low_otherwise for row in rows), ">i4"))
    school, procedure, n, low, *rest = in_order(
        np.repeat(_column(row.school_id for row in rows), _column(row.cells for row in rows)),
        sent((row.procedure_id for row in rows), ">i8"),
        counts,
        schools=schools,
        procedures=procedures,
    )
    otherwise = rest[0] if rest else None
    failed, below_bmin = (low, otherwise) if based_on == "minimum" else (otherwise, low)
    return (
        FrozenCells(school, procedure, n, low=below_bmin, failed=failed),
        _corrections(row.corrections for row in rows),
    )


def _column(values: Any) -> Integers:
    return np.fromiter(values, dtype=np.int64)


def _corrections(kept: Any) -> tuple[Correction, ...]:
    known = [
        Correction(**{name: value for name, value in entry.items() if name != "counted"})
        for entries in kept
        for entry in entries or ()
    ]
    return tuple(sorted(known, key=lambda correction: correction.id))


async def _context(
    session: AsyncSession, run_id: int, places: dict[int, int]
) -> tuple[dict[str, AttributeColumn], tuple[frozenset[int], ...]]:
    rows = await session.execute(
        select(
            RunContext.school_id,
            RunContext.attribute,
            RunContext.state,
            RunContext.value,
            RunContext.source,
            RunContext.asked_years,
        ).where(RunContext.run_id == run_id)
    )
    by_place = {places[row.school_id]: row for row in rows if row.school_id in places}
    asked_years = tuple(
        frozenset(by_place[place].asked_years) if place in by_place else frozenset()
        for place in range(len(places))
    )
    values: dict[str, dict[int, Value]] = {}
    sources: dict[str, dict[int, str | None]] = {}
    for place, row in by_place.items():
        for code, state, value, source in zip(
            row.attribute, row.state, row.value, row.source, strict=True
        ):
            values.setdefault(code, {})[place] = Value(State(state), value)
            sources.setdefault(code, {})[place] = source
    return {
        code: AttributeColumn(
            tuple(values[code].get(place, MISSING) for place in range(len(places))),
            tuple(sources[code].get(place) for place in range(len(places))),
        )
        for code in sorted(values)
    }, asked_years


async def _signs(
    session: AsyncSession, run_id: int, places: dict[int, int]
) -> tuple[FrozenSign, ...]:
    rows = await session.execute(
        select(
            RunSign.sign_id,
            RunSign.school_id,
            RunSign.year,
            RunSign.detector,
            RunSign.procedure_id,
            RunSign.procedure,
            RunSign.subject,
        ).where(RunSign.run_id == run_id)
    )
    found = [
        FrozenSign(
            id=row.sign_id,
            school=places[row.school_id],
            year=row.year,
            detector=row.detector,
            procedure_id=row.procedure_id,
            procedure=row.procedure,
            subject=row.subject,
        )
        for row in rows
        if row.school_id in places
    ]
    return tuple(sorted(found, key=lambda sign: (sign.natural_key, sign.id)))
