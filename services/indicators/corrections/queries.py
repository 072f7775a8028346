"""Which corrections a run applies, and which it has to leave because the counts have changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["Correction", "CorrectionsFound", "corrections", "corrections_found", "fingerprint"]


@dataclass(frozen=True, slots=True)
class Correction:
    """The numbers of people that an accepted appeal gives a cell."""

    id: int
    appeal_id: int
    school_id: int
    procedure_id: int
    n: int
    low: int
    failed: int
    order_number: str | None


class CorrectionsFound(NamedTuple):
    """The newest correction of every cell, parted by whether its cell is still as contested."""

    applied: list[Correction]
    overtaken: list[Correction]
    """The stored counts are not those that were contested: the newer counts stand."""


# The counts of a cell as one text: people by the subjects they took and were low in, whatever the
# order of rows. It does not name imports: the same results imported again are the same cell.
_HASH = """
    encode(sha256(convert_to(COALESCE((
        SELECT string_agg(
            format('%s:%s:%s:%s', p.taken_mask, p.low_mask, p.failed_mask, p.n), ' '
            ORDER BY p.taken_mask, p.low_mask, p.failed_mask
        )
        FROM rollup_pattern p
        WHERE p.school_id = {school} AND p.procedure_id = {procedure}
    ), ''), 'UTF8')), 'hex')
"""
_FINGERPRINT = text("SELECT " + _HASH.format(school=":school_id", procedure=":procedure_id"))
_NEWEST = text(
    f"""
    SELECT c.id, c.appeal_id, c.school_id, c.procedure_id, c.n, c.low, c.failed, c.order_number,
           c.counts_hash = {_HASH.format(school="c.school_id", procedure="c.procedure_id")} AS is_current
    FROM (
        SELECT DISTINCT ON (school_id, procedure_id) *
        FROM cell_correction
        WHERE region_id = :region_id AND procedure_id = ANY (CAST(:procedure_ids AS bigint[]))
        ORDER BY school_id, procedure_id, id DESC
    ) c
    ORDER BY c.school_id, c.procedure_id
    """
)


async def fingerprint(session: AsyncSession, *, school_id: int, procedure_id: int) -> str:
    """Hash the counts of a cell as they are now; a cell without results has a hash too."""
    found = await session.scalar(
        _FINGERPRINT, {"school_id": school_id, "procedure_id": procedure_id}
    )
    return str(found)


async def corrections_found(
    session: AsyncSession, *, region_id: int, procedure_ids: Sequence[int]
) -> CorrectionsFound:
    """Read the newest correction of every cell of these procedures, by school and procedure."""
    rows = await session.execute(
        _NEWEST, {"region_id": region_id, "procedure_ids": sorted(set(procedure_ids))}
    )
    applied: list[Correction] = []
    overtaken: list[Correction] = []
    for *columns, is_current in rows:
        (applied if is_current else overtaken).append(Correction(*columns))
    return CorrectionsFound(applied, overtaken)


async def corrections(
    session: AsyncSession, *, region_id: int, procedure_ids: Sequence[int]
) -> list[Correction]:
    """Read the corrections that a run lays over its counted cells, by school and procedure."""
    found = await corrections_found(session, region_id=region_id, procedure_ids=procedure_ids)
    return found.applied
