"""Counting the cells of a run from the rollups into its evidence.

Rows of people are not touched: the patterns already count them. What the cells of a merged school are
counted for, and which cells an accepted correction replaces, is decided elsewhere (`reorganisations`,
`corrections`); here both become part of the statements that count.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.rules import Integers
from services.indicators.identification.freezing.considered import FrozenProcedure
from services.indicators.identification.freezing.corrections import Correction, applied_to
from services.indicators.identification.freezing.reorganisations import taken_by
from services.indicators.methodologies.document import Methodology

__all__ = ["DETAILS_HASH", "CountedCells", "count_cells", "sent"]


@dataclass(frozen=True, slots=True)
class CountedCells:
    """The counted cells as columns, one entry per school and procedure with participants.

    ``low`` are people low by the bound that the methodology chose, ``low_otherwise`` by the other.
    """

    school_id: Integers
    procedure_id: Integers
    n: Integers
    low: Integers
    low_otherwise: Integers


# People are low when they are low in at least one mass subject (methodology A1, F4); the mask
# chosen says by which bound.
# A table made by CREATE TABLE AS may be counted by several processes, an INSERT ... SELECT may not;
# ids and masks stand in the statement as constants, so that the planner knows how many there are.
_CELLS = """
    SELECT p.school_id, p.procedure_id, sum(p.n)::integer AS n,
           COALESCE(sum(p.n) FILTER (WHERE p.{bits} & {mass} <> 0), 0)::integer AS low,
           COALESCE(sum(p.n) FILTER (WHERE p.{other_bits} & {mass} <> 0), 0)::integer AS low_otherwise
    FROM rollup_pattern p
    WHERE p.procedure_id = ANY ('{procedures}')
    GROUP BY p.school_id, p.procedure_id
    HAVING sum(p.n) > 0
"""
# Only where cells are corrected or taken over: one more sum over few columns.
_TAKEN_OVER = """
    SELECT {school} AS school_id, p.procedure_id, sum(p.n)::integer AS n, sum(p.low)::integer AS low,
           sum(p.low_otherwise)::integer AS low_otherwise
    FROM ({cells}) p {join}
    GROUP BY {school}, p.procedure_id
    HAVING sum(p.n) > 0
"""
_COUNT = """
    CREATE TEMPORARY TABLE counted ON COMMIT DROP AS
    SELECT school_id, array_agg(procedure_id) AS procedure_id, array_agg(n) AS n,
           array_agg(low) AS low, array_agg(low_otherwise) AS low_otherwise
    FROM ({cells}) cell
    GROUP BY school_id
"""
_SUBJECTS = """
    SELECT p.school_id, p.procedure_id, p.subject, p.n, p.absent, p.low_n, p.failed_n, p.mass_n
    FROM rollup_subject p
    WHERE p.procedure_id = ANY ('{procedures}') AND ({mass} >> p.subject) & 1 = 1
"""
_SUBJECTS_TAKEN_OVER = """
    SELECT {school} AS school_id, p.procedure_id, p.subject, sum(p.n)::integer AS n,
           sum(p.absent)::integer AS absent, sum(p.low_n)::integer AS low_n,
           sum(p.failed_n)::integer AS failed_n, sum(p.mass_n)::integer AS mass_n
    FROM ({subjects}) p {join}
    GROUP BY {school}, p.procedure_id, p.subject
"""
_COUNT_SUBJECTS = """
    CREATE TEMPORARY TABLE counted_subject ON COMMIT DROP AS
    SELECT p.school_id, array_agg(p.procedure_id) AS subject_procedure_id,
           array_agg(p.subject) AS subject, array_agg(p.n) AS subject_n,
           array_agg(p.absent) AS subject_absent, array_agg(p.low_n) AS subject_low,
           array_agg(p.failed_n) AS subject_failed, array_agg(p.mass_n) AS subject_mass
    FROM ({subjects}) p
    GROUP BY p.school_id
"""
_COUNT_SOURCES = """
    CREATE TEMPORARY TABLE counted_source ON COMMIT DROP AS
    SELECT {school} AS school_id, array_agg(p.procedure_id) AS source_procedure_id,
           array_agg(p.import_id) AS import_id, array_agg(p.sheet_no) AS sheet_no,
           array_agg(p.first_row) AS first_row, array_agg(p.last_row) AS last_row,
           array_agg(p.rows) AS source_rows
    FROM rollup_source p {join}
    WHERE p.procedure_id = ANY ('{procedures}')
    GROUP BY {school}
"""
_DETAILS = (
    "subject_procedure_id", "subject", "subject_n", "subject_absent", "subject_low",
    "subject_failed", "subject_mass", "source_procedure_id", "import_id", "sheet_no", "first_row",
    "last_row", "source_rows",
)  # fmt: skip
# 64 bits by the function that hash partitions lie by, so the same in every later version of
# PostgreSQL. SHA-256 over the same arrays would cost a fifth of the run.
DETAILS_HASH = "hash_array_extended(ARRAY[{}], 0)".format(
    ", ".join(f"hash_array_extended({name}, 0)" for name in _DETAILS)
)
_KEEP = text(
    f"""
    INSERT INTO run_evidence (
        run_id, school_id, region_id, municipality_id, procedure_id, n, low, low_otherwise,
        subject_procedure_id, subject, subject_n, subject_absent, subject_low, subject_failed,
        subject_mass, source_procedure_id, import_id, sheet_no, first_row, last_row, source_rows,
        details_hash
    )
    SELECT :run_id, s.id, s.region_id, s.municipality_id, p.procedure_id, p.n, p.low,
           p.low_otherwise,
           subject_procedure_id, subject, subject_n, subject_absent, subject_low, subject_failed,
           subject_mass, source_procedure_id, import_id, sheet_no, first_row, last_row, source_rows,
           {DETAILS_HASH}
    FROM counted p
    JOIN school s ON s.id = p.school_id AND s.region_id = :region_id
                 AND (s.closed_on IS NULL OR s.closed_on > :on)
    LEFT JOIN counted_subject USING (school_id)
    LEFT JOIN counted_source USING (school_id)
    RETURNING school_id, cardinality(procedure_id) AS cells, array_send(procedure_id) AS procedure_id,
              array_send(n) AS n, array_send(low) AS low, array_send(low_otherwise) AS low_otherwise
    """
)
# Sums over hundreds of thousands of patterns stay in memory (8 kB for a school, from 64 to 384 MB), and
# whole procedures are read in the order in which they lie: along the index by school every row would be
# looked up by itself.
_COUNTING = text(
    """
    SELECT set_config('work_mem', LEAST(384, GREATEST(64, count(*) / 125)) || 'MB', true),
           set_config('enable_indexscan', 'off', true)
    FROM school WHERE region_id = :region_id
    """
)
_COUNTED = text("SELECT set_config('enable_indexscan', 'on', true)")
_BITS = {"minimum": "failed_mask", "bmin": "low_mask"}
_OTHER_BITS = {"minimum": "low_mask", "bmin": "failed_mask"}


async def count_cells(
    session: AsyncSession,
    *,
    run_id: int,
    region_id: int,
    procedures: Sequence[FrozenProcedure],
    methodology: Methodology,
    corrections: Sequence[Correction],
    passed: Mapping[int, int],
    on: date,
) -> CountedCells:
    """Count and write the evidence of all schools open on the day; return its cells.

    Args:
        session: Reads rollups and writes with the reach of the run.
        run_id: The run.
        region_id: Its region.
        procedures: What it considers.
        methodology: Says by which bound people are low.
        corrections: Accepted corrections; they replace the counted numbers of their cells.
        passed: Merged schools whose cells another takes over: predecessor -> successor.
        on: The day of the run.
    """
    await session.execute(_COUNTING, {"region_id": region_id})
    connection = await session.connection()
    for counting in _statements(procedures, methodology, corrections, passed):
        # Not text(): the constants hold no parameters, and a cast must not look like one.
        await connection.exec_driver_sql(counting)
    await session.execute(_COUNTED)
    kept = await session.execute(_KEEP, {"run_id": run_id, "region_id": region_id, "on": on})
    rows = kept.all()
    return CountedCells(
        school_id=np.repeat(
            _column(row.school_id for row in rows), _column(row.cells for row in rows)
        ),
        procedure_id=sent((row.procedure_id for row in rows), ">i8"),
        n=sent((row.n for row in rows), ">i4"),
        low=sent((row.low for row in rows), ">i4"),
        low_otherwise=sent((row.low_otherwise for row in rows), ">i4"),
    )


def _statements(
    procedures: Sequence[FrozenProcedure],
    methodology: Methodology,
    corrections: Sequence[Correction],
    passed: Mapping[int, int],
) -> list[str]:
    join, school = taken_by(passed)
    constants = {
        "bits": _BITS[methodology.low_result.based_on],
        "other_bits": _OTHER_BITS[methodology.low_result.based_on],
        "mass": _mass_of_procedure(procedures),
        "procedures": _constant_ids(p.procedure_id for p in procedures),
        "join": join,
        "school": school,
    }
    cells, subjects = _CELLS.format(**constants), _SUBJECTS.format(**constants)
    if corrections:
        cells = applied_to(cells, corrections, methodology.low_result.based_on)
    if passed or corrections:
        cells = _TAKEN_OVER.format(**constants, cells=cells)
    if passed:
        subjects = _SUBJECTS_TAKEN_OVER.format(**constants, subjects=subjects)
    return [
        _COUNT.format(cells=cells),
        _COUNT_SUBJECTS.format(subjects=subjects),
        _COUNT_SOURCES.format(**constants),
    ]


def sent(arrays: Iterable[bytes], value: str) -> Integers:
    """Read arrays as PostgreSQL sends them, without a Python object for each of their numbers.

    Source: PostgreSQL, array_send: a header of 20 bytes (dimensions, flags, type, length, lower
    bound), then for each element its length and its value, all big-endian.
    """
    elements = np.dtype([("length", ">i4"), ("value", value)])
    joined = b"".join(array[20:] for array in arrays)
    return np.frombuffer(joined, dtype=elements)["value"].astype(np.int64)


def _constant_ids(ids: Iterable[int]) -> str:
    return "{" + ",".join(str(int(number)) for number in sorted(ids)) + "}"


def _mass_of_procedure(procedures: Sequence[FrozenProcedure]) -> str:
    """Write the mask of mass subjects of a row's procedure as SQL; mostly one constant."""
    by_mask: dict[int, list[int]] = {}
    for procedure in procedures:
        by_mask.setdefault(procedure.mass_mask, []).append(procedure.procedure_id)
    *some, last = by_mask
    cases = "".join(
        f" WHEN p.procedure_id = ANY ('{_constant_ids(by_mask[mask])}') THEN {mask}"
        for mask in some
    )
    return f"(CASE{cases} ELSE {last} END)::bigint" if cases else f"{last}::bigint"


def _column(values: Iterable[int]) -> Integers:
    return np.fromiter(values, dtype=np.int64)
