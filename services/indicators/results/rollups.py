"""Rollups per school: counts by subject, patterns of participants, sources; kept by the import.

The million rows are read twice, the first time by a statement that PostgreSQL may run in parallel
(CREATE TABLE AS; an INSERT ... SELECT never is). Bounds travel as arrays indexed by the subject's position: a join
with the scales would cost a look-up a row and spoil the estimates.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["recompute"]

_TABLES = ("rollup_subject", "rollup_pattern", "rollup_source")
_POSITIONS = 63

# Equal rows are counted first: the many counts below then read thousands of groups, not the million.
_COUNTED = """
    CREATE TEMPORARY TABLE counted_result ON COMMIT DROP AS
    SELECT g.school_id, g.subject, g.import_id, g.sheet_no,
           min(g.first_row) AS first_row, max(g.last_row) AS last_row, sum(g.rows) AS rows,
           sum(g.rows) FILTER (WHERE g.status = 0) AS n,
           sum(g.rows) FILTER (WHERE g.status = 1) AS absent,
           sum(g.rows) FILTER (WHERE g.status = 2) AS cancelled,
           sum(g.rows) FILTER (WHERE g.status = 0 AND g.score_milli < {low}[g.subject + 1]) AS low_n,
           sum(g.rows) FILTER (WHERE g.status = 0 AND g.score_milli < {minimum}[g.subject + 1])
               AS failed_n,
           sum(g.rows) FILTER (WHERE g.status = 0 AND g.score_milli >= {mass}[g.subject + 1])
               AS mass_n,
           sum(g.rows) FILTER (WHERE g.status = 0 AND g.score_milli >= {top}[g.subject + 1])
               AS top_n,
           sum(g.rows * g.score_milli) FILTER (WHERE g.status = 0) AS sum_milli,
           sum(g.rows * g.score_milli * g.score_milli) FILTER (WHERE g.status = 0) AS sum_sq,
           sum(g.rows) FILTER (WHERE g.status = 0 AND g.mark = 2) AS mark_2,
           sum(g.rows) FILTER (WHERE g.status = 0 AND g.mark = 3) AS mark_3,
           sum(g.rows) FILTER (WHERE g.status = 0 AND g.mark = 4) AS mark_4,
           sum(g.rows) FILTER (WHERE g.status = 0 AND g.mark = 5) AS mark_5
    FROM (
        SELECT r.school_id, r.subject, r.import_id, r.sheet_no, r.status, r.score_milli, r.mark,
               count(*) AS rows, min(r.row_no) AS first_row, max(r.row_no) AS last_row
        FROM result r
        WHERE r.procedure_id = {procedure} {touched}
        GROUP BY r.school_id, r.subject, r.import_id, r.sheet_no, r.status, r.score_milli, r.mark
    ) AS g
    GROUP BY g.school_id, g.subject, g.import_id, g.sheet_no
"""

# A participant counts once per school and took part in at least one subject. F4, methodology A1.
_PATTERNS = """
    CREATE TEMPORARY TABLE counted_pattern ON COMMIT DROP AS
    SELECT school_id, taken, low, failed, count(*) AS n
    FROM (
        SELECT r.school_id,
               bit_or({bit}[r.subject + 1]) AS taken,
               bit_or(CASE WHEN r.score_milli < {low}[r.subject + 1]
                           THEN {bit}[r.subject + 1] ELSE 0 END) AS low,
               bit_or(CASE WHEN r.score_milli < {minimum}[r.subject + 1]
                           THEN {bit}[r.subject + 1] ELSE 0 END) AS failed
        FROM result r
        WHERE r.procedure_id = {procedure} AND r.status = 0 {touched}
        GROUP BY r.school_id, r.participant
    ) AS person
    GROUP BY school_id, taken, low, failed
"""

# Territory is the school's place today; results are only taken of schools that are known.
_STORE = (
    """
    INSERT INTO rollup_subject
        (procedure_id, school_id, subject, region_id, municipality_id, year, grade,
         n, absent, cancelled, low_n, failed_n, mass_n, top_n, sum_milli, sum_sq,
         mark_2, mark_3, mark_4, mark_5)
    SELECT p.id, s.id, c.subject, s.region_id, s.municipality_id, p.year, p.grade,
           COALESCE(sum(c.n), 0), COALESCE(sum(c.absent), 0), COALESCE(sum(c.cancelled), 0), COALESCE(sum(c.low_n), 0), COALESCE(sum(c.failed_n), 0), COALESCE(sum(c.mass_n), 0),
           COALESCE(sum(c.top_n), 0), COALESCE(sum(c.sum_milli), 0), COALESCE(sum(c.sum_sq), 0),
           COALESCE(sum(c.mark_2), 0), COALESCE(sum(c.mark_3), 0), COALESCE(sum(c.mark_4), 0), COALESCE(sum(c.mark_5), 0)
    FROM counted_result c JOIN school s ON s.id = c.school_id JOIN procedure p ON p.id = :procedure
    GROUP BY p.id, s.id, c.subject
    """,
    """
    INSERT INTO rollup_pattern
        (procedure_id, school_id, taken_mask, low_mask, failed_mask, region_id, municipality_id, n)
    SELECT :procedure, s.id, c.taken, c.low, c.failed, s.region_id, s.municipality_id, c.n
    FROM counted_pattern c JOIN school s ON s.id = c.school_id
    """,
    """
    INSERT INTO rollup_source
        (procedure_id, school_id, import_id, sheet_no, region_id, municipality_id,
         first_row, last_row, rows)
    SELECT :procedure, s.id, c.import_id, c.sheet_no, s.region_id, s.municipality_id,
           min(c.first_row), max(c.last_row), sum(c.rows)
    FROM counted_result c JOIN school s ON s.id = c.school_id
    GROUP BY s.id, c.import_id, c.sheet_no
    """,
    "DROP TABLE counted_result, counted_pattern",
)
_SCALES = text(
    """
    SELECT position, is_mass, low_below_milli AS low, minimum_milli AS minimum,
           mass_from_milli AS mass, top_milli AS top
    FROM scale WHERE procedure_id = :procedure
    """
)


async def recompute(
    session: AsyncSession, procedure_id: int, *, schools: Sequence[int] | None = None
) -> None:
    """Compute the rollups of a procedure again, of the touched schools or (None) of all."""
    values: dict[str, Any] = {"procedure": procedure_id}
    of_schools = ""
    if schools is not None:
        values["schools"] = list(schools)
        of_schools = "AND school_id = ANY (:schools)"
    for table in _TABLES:
        await session.execute(
            text(f"DELETE FROM {table} WHERE procedure_id = :procedure {of_schools}"), values
        )
    await session.execute(text("SET LOCAL work_mem = '128MB'"))
    # The planner takes the key's columns for independent and expects far more groups than there are:
    # at the usual price of handing a group over it would count in one process.
    await session.execute(text("SET LOCAL parallel_tuple_cost = 0.01"))
    constants = await _constants(session, procedure_id, schools)
    await session.execute(text(_COUNTED.format(**constants)))
    # Half a million groups are slower to hand between processes than to count in one.
    await session.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))
    await session.execute(text(_PATTERNS.format(**constants)))
    for statement in _STORE:
        bound = {"procedure": procedure_id} if ":procedure" in statement else {}
        await session.execute(text(statement), bound)
    await session.execute(
        text("UPDATE procedure SET rollup_revision = rollup_revision + 1 WHERE id = :procedure"),
        {"procedure": procedure_id},
    )


async def _constants(
    session: AsyncSession, procedure_id: int, schools: Sequence[int] | None
) -> dict[str, str]:
    """Write bounds, bits and schools into the statements: all of them our own whole numbers."""
    scales = {
        scale.position: scale
        for scale in await session.execute(_SCALES, {"procedure": procedure_id})
    }
    arrays = {
        name: _array(
            getattr(scales[place], name) if place in scales else None for place in range(_POSITIONS)
        )
        for name in ("low", "minimum", "mass", "top")
    }
    bits = (
        1 << place if place in scales and scales[place].is_mass else 0
        for place in range(_POSITIONS)
    )
    touched = "" if schools is None else f"AND r.school_id = ANY ({_array(schools, 'bigint')})"
    return {
        **arrays,
        "bit": _array(bits, "bigint"),
        "procedure": str(int(procedure_id)),
        "touched": touched,
    }


def _array(numbers: Iterable[int | None], kind: str = "integer") -> str:
    listed = ",".join("NULL" if number is None else str(int(number)) for number in numbers)
    return f"('{{{listed}}}'::{kind}[])"
