"""Rollups per school: counts by subject, patterns of participants, sources; kept by the import."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["recompute"]

_TABLES = ("rollup_subject", "rollup_pattern", "rollup_source")

# Territory is today's place of the school; a school the projection lost keeps its last place.
_SUBJECT = """
    INSERT INTO rollup_subject
        (procedure_id, school_id, subject, region_id, municipality_id, year, grade,
         n, absent, cancelled, low_n, failed_n, mass_n, top_n, sum_milli, sum_sq,
         mark_2, mark_3, mark_4, mark_5)
    SELECT p.id, g.school_id, g.subject, g.region_id,
           COALESCE(s.municipality_id, g.municipality_id), p.year, p.grade,
           g.n, g.absent, g.cancelled, g.low_n, g.failed_n, g.mass_n, g.top_n, g.sum_milli, g.sum_sq,
           g.mark_2, g.mark_3, g.mark_4, g.mark_5
    FROM (
        SELECT r.school_id, r.subject, min(r.region_id) AS region_id,
               max(r.municipality_id) AS municipality_id,
               count(*) FILTER (WHERE r.status = 0) AS n,
               count(*) FILTER (WHERE r.status = 1) AS absent,
               count(*) FILTER (WHERE r.status = 2) AS cancelled,
               count(*) FILTER (WHERE r.status = 0 AND r.score_milli < c.low_below_milli) AS low_n,
               count(*) FILTER (WHERE r.status = 0 AND r.score_milli < c.minimum_milli) AS failed_n,
               count(*) FILTER (WHERE r.status = 0 AND r.score_milli >= c.mass_from_milli) AS mass_n,
               count(*) FILTER (WHERE r.status = 0 AND r.score_milli >= c.top_milli) AS top_n,
               COALESCE(sum(r.score_milli) FILTER (WHERE r.status = 0), 0) AS sum_milli,
               COALESCE(sum(r.score_milli::bigint * r.score_milli) FILTER (WHERE r.status = 0), 0)
                   AS sum_sq,
               count(*) FILTER (WHERE r.status = 0 AND r.mark = 2) AS mark_2,
               count(*) FILTER (WHERE r.status = 0 AND r.mark = 3) AS mark_3,
               count(*) FILTER (WHERE r.status = 0 AND r.mark = 4) AS mark_4,
               count(*) FILTER (WHERE r.status = 0 AND r.mark = 5) AS mark_5
        FROM result r JOIN scale c ON c.procedure_id = :procedure AND c.position = r.subject
        WHERE r.procedure_id = :procedure {touched}
        GROUP BY r.school_id, r.subject
    ) AS g
    JOIN procedure p ON p.id = :procedure
    LEFT JOIN school s ON s.id = g.school_id
"""

# A participant counts once per school and took part in at least one subject. F4, methodology A1.
_PATTERN = """
    INSERT INTO rollup_pattern
        (procedure_id, school_id, taken_mask, low_mask, failed_mask, region_id, municipality_id, n)
    SELECT :procedure, g.school_id, g.taken, g.low, g.failed, min(g.region_id),
           COALESCE(min(s.municipality_id), max(g.municipality_id)), count(*)
    FROM (
        SELECT r.school_id, min(r.region_id) AS region_id,
               max(r.municipality_id) AS municipality_id,
               bit_or(CASE WHEN c.is_mass THEN 1::bigint << c.position ELSE 0 END) AS taken,
               bit_or(CASE WHEN c.is_mass AND r.score_milli < c.low_below_milli
                           THEN 1::bigint << c.position ELSE 0 END) AS low,
               bit_or(CASE WHEN c.is_mass AND r.score_milli < c.minimum_milli
                           THEN 1::bigint << c.position ELSE 0 END) AS failed
        FROM result r JOIN scale c ON c.procedure_id = :procedure AND c.position = r.subject
        WHERE r.procedure_id = :procedure AND r.status = 0 {touched}
        GROUP BY r.school_id, r.participant
    ) AS g
    LEFT JOIN school s ON s.id = g.school_id
    GROUP BY g.school_id, g.taken, g.low, g.failed
"""

_SOURCE = """
    INSERT INTO rollup_source
        (procedure_id, school_id, import_id, sheet_no, region_id, municipality_id,
         first_row, last_row, rows)
    SELECT :procedure, r.school_id, r.import_id, r.sheet_no, min(r.region_id),
           COALESCE(min(s.municipality_id), max(r.municipality_id)),
           min(r.row_no), max(r.row_no), count(*)
    FROM result r LEFT JOIN school s ON s.id = r.school_id
    WHERE r.procedure_id = :procedure {touched}
    GROUP BY r.school_id, r.import_id, r.sheet_no
"""


async def recompute(
    session: AsyncSession, procedure_id: int, *, schools: Sequence[int] | None = None
) -> None:
    """Compute the rollups of a procedure again, of the touched schools or (None) of all."""
    touched = "" if schools is None else "AND r.school_id = ANY (:schools)"
    values: dict[str, object] = {"procedure": procedure_id}
    if schools is not None:
        values["schools"] = list(schools)
    await session.execute(text("SET LOCAL work_mem = '128MB'"))
    for table in _TABLES:
        of_schools = "" if schools is None else "AND school_id = ANY (:schools)"
        await session.execute(
            text(f"DELETE FROM {table} WHERE procedure_id = :procedure {of_schools}"), values
        )
    for statement in (_SUBJECT, _PATTERN, _SOURCE):
        await session.execute(text(statement.format(touched=touched)), values)
    await session.execute(
        text("UPDATE procedure SET rollup_revision = rollup_revision + 1 WHERE id = :procedure"),
        {"procedure": procedure_id},
    )
