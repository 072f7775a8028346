"""Accepted corrections of cells in a run: laid over what was counted, with the counted kept beside.

A correction replaces the three numbers of one cell: people, those low by Bmin, those below the
minimum. The cell is that of the school whose results were contested; where it has merged, the corrected
numbers pass on with the rest. A corrected cell of nobody (n = 0) is no cell: not zero, but no data.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.corrections.queries import Correction

__all__ = ["Correction", "applied_to", "keep_corrections"]


def applied_to(cells: str, corrections: Sequence[Correction], based_on: str) -> str:
    """Write SQL that lays corrections over counted cells; numbers stand in it as constants.

    ``cells`` gives school_id, procedure_id, n, low, low_otherwise; so does what comes back. A cell
    that was not counted at all is added.
    """
    values = ", ".join(
        "({}::bigint, {}::bigint, {}, {}, {})".format(*_numbers(correction, based_on))
        for correction in corrections
    )
    return (
        "SELECT school_id, procedure_id, COALESCE(c.n, p.n) AS n, COALESCE(c.low, p.low) AS low,"
        " COALESCE(c.low_otherwise, p.low_otherwise) AS low_otherwise"
        f" FROM ({cells}) p FULL JOIN (VALUES {values})"
        " c (school_id, procedure_id, n, low, low_otherwise) USING (school_id, procedure_id)"
    )


def _numbers(correction: Correction, based_on: str) -> tuple[int, ...]:
    below_bmin, failed = correction.low, correction.failed
    low, otherwise = (failed, below_bmin) if based_on == "minimum" else (below_bmin, failed)
    return tuple(
        int(number)
        for number in (correction.school_id, correction.procedure_id, correction.n, low, otherwise)
    )


# What was counted for a corrected cell: the same sums as everywhere, for this cell alone.
_COUNTED = text(
    """
    SELECT COALESCE(sum(n), 0)::integer AS n,
           COALESCE(sum(n) FILTER (WHERE low_mask & :mass <> 0), 0)::integer AS low,
           COALESCE(sum(n) FILTER (WHERE failed_mask & :mass <> 0), 0)::integer AS failed
    FROM rollup_pattern WHERE school_id = :school_id AND procedure_id = :procedure_id
    """
)
# A school whose only cell was taken away still gets its row, so that the correction is told.
_KEEP = text(
    """
    INSERT INTO run_evidence (run_id, school_id, region_id, municipality_id, procedure_id, n, low,
                              low_otherwise, corrections)
    SELECT :run_id, id, region_id, municipality_id, '{}', '{}', '{}', '{}',
           CAST(:correction AS jsonb)
    FROM school WHERE id = :school_id AND (closed_on IS NULL OR closed_on > :on)
    ON CONFLICT (run_id, school_id) DO UPDATE
    SET corrections = COALESCE(run_evidence.corrections, '[]') || excluded.corrections
    RETURNING school_id
    """
)


async def keep_corrections(
    session: AsyncSession,
    *,
    run_id: int,
    corrections: Sequence[Correction],
    mass_masks: Mapping[int, int],
    passed: Mapping[int, int],
    on: date,
) -> list[Correction]:
    """Write beside the evidence which cells are corrected, with the counted numbers.

    Args:
        session: The transaction of the run.
        run_id: The run; its evidence is written already.
        corrections: Those laid over its cells.
        mass_masks: Bits of the mass subjects by procedure.
        passed: Merged schools: predecessor -> the school whose evidence holds the cell.
        on: The day of the run.

    Returns:
        Those of schools that the run names; a school that closed without a successor has no cells.
    """
    told = []
    for correction in corrections:
        counted = await session.execute(
            _COUNTED,
            {
                "school_id": correction.school_id,
                "procedure_id": correction.procedure_id,
                "mass": mass_masks[correction.procedure_id],
            },
        )
        kept: dict[str, Any] = asdict(correction) | {"counted": dict(counted.one()._mapping)}  # noqa: SLF001  a row's public mapping
        found = await session.execute(
            _KEEP,
            {
                "run_id": run_id,
                "school_id": passed.get(correction.school_id, correction.school_id),
                "on": on,
                "correction": json.dumps([kept], ensure_ascii=False),
            },
        )
        if found.first() is not None:
            told.append(correction)
    return told
