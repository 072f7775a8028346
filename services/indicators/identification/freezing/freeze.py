"""Freezing the inputs of a run: read the live rows once, write them beside the run.

What the answers need of each school beside its cells (its card, attributes of its profile) is written
together with the answers, in `keeping`.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.identification.freezing import asked
from services.indicators.identification.freezing.considered import (
    FrozenProcedure,
    considered_procedures,
    refuse_stale_rollups,
)
from services.indicators.identification.freezing.corrections import keep_corrections
from services.indicators.identification.freezing.counting import CountedCells, count_cells
from services.indicators.identification.freezing.hashing import procedure_hash
from services.indicators.identification.freezing.inputs import (
    FrozenCells,
    FrozenSign,
    Inputs,
    SchoolFacts,
    in_order,
)
from services.indicators.identification.freezing.reorganisations import (
    freeze_passings,
    passed_on,
    passings,
)
from services.indicators.identification.tables import IdentificationRun, RunProcedure, RunSign
from services.indicators.methodologies.document import Methodology

__all__ = ["freeze"]


async def freeze(session: AsyncSession, run: IdentificationRun, methodology: Methodology) -> Inputs:
    """Read what the methodology asks for as it stands now, and write it beside the run.

    Raises:
        NoProcedures, UseNotPermitted, NoMassSubjects, MarginDiffers: See `considered`.
        RollupsNotCurrent: Scales were changed and the counts have not followed.
    """
    region_id, on = run.region_id, run.created_at.date()
    procedures = await considered_procedures(
        session, region_id=region_id, year=run.year, methodology=methodology, on=on
    )
    await refuse_stale_rollups(session, procedures)
    await _keep_procedures(session, run, procedures)
    masks = {procedure.procedure_id: procedure.mass_mask for procedure in procedures}
    reorganised = await passings(session, region_id=region_id, on=on)
    passed = passed_on(reorganised)
    corrections = await asked.read_corrections(
        session, region_id=region_id, procedure_ids=sorted(masks)
    )
    counted = await count_cells(
        session,
        run_id=run.id,
        region_id=region_id,
        procedures=procedures,
        methodology=methodology,
        corrections=corrections,
        passed=passed,
        on=on,
    )
    await freeze_passings(session, run_id=run.id, found=reorganised, mass_masks=masks)
    kept = await keep_corrections(
        session, run_id=run.id, corrections=corrections, mass_masks=masks, passed=passed, on=on
    )
    await _keep_imports(session, run_id=run.id)
    schools = await _open_schools(session, region_id=region_id, on=on)
    places = {school.school_id: place for place, school in enumerate(schools)}
    signs, asked_years = await asked.read_signs(
        session, region_id=region_id, methodology=methodology, year=run.year, schools=places
    )
    await _keep_signs(session, run, schools, signs)
    return Inputs(
        year=run.year,
        procedures=tuple(procedures),
        schools=schools,
        cells=_cells(counted, schools, procedures, methodology.low_result.based_on),
        attributes=await asked.read_attributes(
            session, region_id=region_id, methodology=methodology, year=run.year, schools=places
        ),
        signs=tuple(signs),
        asked_years=tuple(asked_years),
        corrections=tuple(kept),
    )


async def _keep_procedures(
    session: AsyncSession, run: IdentificationRun, procedures: Sequence[FrozenProcedure]
) -> None:
    await session.execute(
        insert(RunProcedure),
        [
            {
                "run_id": run.id,
                "procedure_id": procedure.procedure_id,
                "region_id": run.region_id,
                "kind": procedure.kind,
                "grade": procedure.grade,
                "year": procedure.year,
                "title": procedure.title,
                "rollup_revision": procedure.rollup_revision,
                "mass_mask": procedure.mass_mask,
                "scales": procedure.scales,
                "facts_hash": procedure_hash(procedure),
            }
            for procedure in procedures
        ],
    )


_IMPORTS = text(
    """
    INSERT INTO run_import (run_id, import_id, region_id, layout, committed_at, files)
    SELECT :run_id, i.id, i.region_id, i.layout, i.committed_at,
           (SELECT COALESCE(jsonb_agg(jsonb_build_object('table', f.table_name, 'sha256', f.sha256,
                                                'size_bytes', f.size_bytes) ORDER BY f.table_name), '[]')
            FROM import_file f WHERE f.import_id = i.id)
    FROM result_import i
    WHERE i.id IN (SELECT unnest(import_id) FROM run_evidence WHERE run_id = :run_id)
    """
)


async def _keep_imports(session: AsyncSession, *, run_id: int) -> None:
    """Write down the imports that the evidence of the run names."""
    await session.execute(_IMPORTS, {"run_id": run_id})


_OPEN_SCHOOLS = text(
    """
    SELECT s.id AS school_id, s.municipality_id, s.code, s.name, m.name AS municipality_name,
           s.kind, s.stages,
           s.adverse_conditions, s.adverse_reason, s.adverse_source
    FROM school s
    JOIN municipality m ON m.id = s.municipality_id
    WHERE s.region_id = :region_id AND (s.closed_on IS NULL OR s.closed_on > :on)
    """
)


async def _open_schools(
    session: AsyncSession, *, region_id: int, on: date
) -> tuple[SchoolFacts, ...]:
    """List the schools that are open on the day, by code.

    A school that merged or closed is not named; what becomes of its results, `reorganisations` says.
    """
    rows = await session.execute(_OPEN_SCHOOLS, {"region_id": region_id, "on": on})
    # Sorted here: the order of the database depends on its locale, the list must not.
    return tuple(
        sorted((_facts(row) for row in rows), key=lambda school: (school.code, school.school_id))
    )


def _facts(row: Row[Any]) -> SchoolFacts:
    return SchoolFacts(
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


def _cells(
    counted: CountedCells,
    schools: Sequence[SchoolFacts],
    procedures: Sequence[FrozenProcedure],
    based_on: str,
) -> FrozenCells:
    """Put the counted cells in order; which count is which, the methodology has said."""
    school, procedure, n, low, otherwise = in_order(
        counted.school_id,
        counted.procedure_id,
        (counted.n, counted.low, counted.low_otherwise),
        schools=schools,
        procedures=procedures,
    )
    failed, below_bmin = (low, otherwise) if based_on == "minimum" else (otherwise, low)
    return FrozenCells(school, procedure, n, low=below_bmin, failed=failed)


async def _keep_signs(
    session: AsyncSession,
    run: IdentificationRun,
    schools: Sequence[SchoolFacts],
    signs: Sequence[FrozenSign],
) -> None:
    if not signs:
        return
    await session.execute(
        insert(RunSign),
        [
            {
                "run_id": run.id,
                "sign_id": sign.id,
                "region_id": run.region_id,
                "municipality_id": schools[sign.school].municipality_id,
                "school_id": schools[sign.school].school_id,
                "year": sign.year,
                "detector": sign.detector,
                "procedure_id": sign.procedure_id,
                "procedure": sign.procedure,
                "subject": sign.subject,
            }
            for sign in signs
        ],
    )
