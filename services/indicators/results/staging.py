"""The staging table of an import: filled by COPY, cleaned of repetitions, compared with what is stored.

All functions run under the system's reach in the check's transaction. The table is made by the
owner's function (migrations), since the application may not create tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.results.copying import Group
from services.indicators.results.rules import RULES, Outcome

__all__ = [
    "Marks",
    "Removed",
    "attach",
    "compare_with_stored",
    "copy",
    "create",
    "drop",
    "has_results",
    "lock",
    "merge",
    "moved_rows",
    "remove_repetitions",
    "touched_schools",
]


@dataclass(frozen=True)
class Removed:
    """Rows taken out of the stage under one rule: how many, and the first and last (sheet, row)."""

    rule: str
    count: int
    first: tuple[int, int]
    last: tuple[int, int]


@dataclass(frozen=True)
class Marks:
    """Where rejected rows are marked, and how many more marks there is room for."""

    region: int
    import_: int
    table: str
    room: int

    def values(self) -> dict[str, Any]:
        """Give the parameters of the statements that mark rows."""
        return {
            "region": self.region,
            "import": self.import_,
            "table": self.table,
            "room": self.room,
        }


async def lock(session: AsyncSession, procedure_id: int) -> None:
    """Let checks and commits of one procedure go one after the other."""
    await session.execute(text("SET LOCAL statement_timeout = 0"))
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('procedure:' || :id, 0))"),
        {"id": str(procedure_id)},
    )


async def create(
    session: AsyncSession, *, procedure_id: int, region_id: int, import_id: int
) -> str:
    """Create the stage afresh and return its name."""
    made = await session.execute(
        text("SELECT create_result_stage(:procedure, :region, :import)"),
        {"procedure": procedure_id, "region": region_id, "import": import_id},
    )
    return str(made.scalar_one())


async def drop(session: AsyncSession, *, procedure_id: int, import_id: int) -> None:
    """Drop the stage if it is there."""
    await session.execute(
        text("SELECT drop_result_stage(:procedure, :import)"),
        {"procedure": procedure_id, "import": import_id},
    )


async def copy(session: AsyncSession, stage: str, groups: Sequence[Group]) -> None:
    """Send encoded rows to the stage."""
    connection = await (await session.connection()).get_raw_connection()
    driver: Any = connection.driver_connection
    for group in groups:
        await driver.copy_to_table(
            stage, source=memoryview(group.body), columns=group.columns, format="binary"
        )


async def has_results(session: AsyncSession, procedure_id: int) -> bool:
    """Tell whether results of the procedure are in force: its partition is there."""
    found = await session.execute(
        text("SELECT EXISTS (SELECT FROM result WHERE procedure_id = :id)"), {"id": procedure_id}
    )
    return bool(found.scalar_one())


async def remove_repetitions(session: AsyncSession, stage: str, marks: Marks) -> list[Removed]:
    """Settle rows of one participant and subject that the file has more than once.

    The highest source version wins; among equals an identical repetition is ignored, and differing
    ones are all rejected, because nobody can tell which is right.
    """
    return await _remove(
        session,
        marks,
        f"""
        WITH repeated AS (
            SELECT ctid AS place, participant, subject, sheet_no, row_no,
                   source_version, max(source_version) OVER each AS newest,
                   count(*) OVER each AS times,
                   concat_ws('|', school_id, status, coalesce(score_milli, -1),
                             coalesce(mark, -1), coalesce(journal_mark, -1)) AS content
            FROM {stage}
            WINDOW each AS (PARTITION BY participant, subject)
        ), newest AS (
            SELECT place, count(*) OVER each AS times,
                   min(content) OVER each = max(content) OVER each AS is_same,
                   row_number() OVER (PARTITION BY participant, subject ORDER BY sheet_no, row_no)
                       AS turn
            FROM repeated WHERE times > 1 AND source_version = newest
            WINDOW each AS (PARTITION BY participant, subject)
        ), judged AS (
            SELECT place, 'older-version' AS rule
            FROM repeated WHERE times > 1 AND source_version < newest
            UNION ALL
            SELECT place,
                   CASE WHEN is_same THEN 'duplicate-identical' ELSE 'duplicate-conflicting' END
            FROM newest WHERE times > 1 AND (NOT is_same OR turn > 1)
        ), removed AS (
            DELETE FROM {stage} s USING judged j WHERE s.ctid = j.place
            RETURNING j.rule, s.sheet_no, s.row_no
        )
        """,
        {},
    )


async def compare_with_stored(
    session: AsyncSession,
    stage: str,
    marks: Marks,
    *,
    procedure_id: int,
    versions_are_explicit: bool,
) -> list[Removed]:
    """Take out what says nothing new against the stored results, or contradicts them.

    Files without versions of their own (РИС, ВПР) correct by coming later: a changed result gets
    the next version.
    """
    values = {"procedure": procedure_id}
    if not versions_are_explicit:
        await session.execute(
            text(
                f"""
                UPDATE {stage} s SET source_version = r.source_version + 1
                FROM result r
                WHERE r.procedure_id = :procedure AND r.participant = s.participant
                  AND r.subject = s.subject AND NOT {_SAME}
                """
            ),
            values,
        )
    return await _remove(
        session,
        marks,
        f"""
        WITH removed AS (
            DELETE FROM {stage} s USING result r
            WHERE r.procedure_id = :procedure AND r.participant = s.participant
              AND r.subject = s.subject
              AND (s.source_version <= r.source_version OR {_SAME} AND NOT :explicit)
            RETURNING CASE WHEN {_SAME} THEN 'unchanged'
                           WHEN s.source_version < r.source_version THEN 'older-version'
                           ELSE 'same-version-conflict' END AS rule,
                      s.sheet_no, s.row_no
        )
        """,
        {**values, "explicit": versions_are_explicit},
    )


async def _remove(
    session: AsyncSession, marks: Marks, removed: str, values: dict[str, Any]
) -> list[Removed]:
    """Run a statement whose last CTE is `removed`; marks rejected rows, counts all of them."""
    rejecting = [rule.code for rule in RULES if rule.outcome is Outcome.REJECTED]
    rows = await session.execute(
        text(
            f"""
            {removed}, marked AS (
                INSERT INTO import_rejection (region_id, import_id, table_name, sheet_no, row_no, rule)
                SELECT :region, :import, :table, sheet_no, row_no, rule FROM removed
                WHERE rule = ANY (:rejecting) ORDER BY sheet_no, row_no LIMIT :room
            )
            SELECT rule, count(*),
                   min(ARRAY[sheet_no::integer, row_no]), max(ARRAY[sheet_no::integer, row_no])
            FROM removed GROUP BY rule ORDER BY rule
            """
        ),
        {**values, "rejecting": rejecting, **marks.values()},
    )
    return [
        Removed(rule, count, (first[0], first[1]), (last[0], last[1]))
        for rule, count, first, last in rows
    ]


async def moved_rows(session: AsyncSession, stage: str, procedure_id: int) -> list[Removed]:
    """Find staged results of participants whose stored result is in another school."""
    rows = await session.execute(
        text(
            f"""
            SELECT 'school-moved', count(*),
                   min(ARRAY[s.sheet_no::integer, s.row_no]), max(ARRAY[s.sheet_no::integer, s.row_no])
            FROM {stage} s JOIN result r USING (participant, subject)
            WHERE r.procedure_id = :procedure AND r.school_id <> s.school_id
            HAVING count(*) > 0
            """
        ),
        {"procedure": procedure_id},
    )
    return [
        Removed(rule, count, (first[0], first[1]), (last[0], last[1]))
        for rule, count, first, last in rows
    ]


_SAME = (
    "((s.school_id, s.status) = (r.school_id, r.status)"
    " AND (s.score_milli, s.mark) IS NOT DISTINCT FROM (r.score_milli, r.mark)"
    " AND (s.journal_mark IS NULL OR s.journal_mark IS NOT DISTINCT FROM r.journal_mark))"
)
"""Whether a staged row `s` says the same as a stored row `r`, or no more: not every file has the journal."""


async def touched_schools(session: AsyncSession, stage: str, procedure_id: int) -> list[int]:
    """List the schools whose results change: those of the stage and those somebody leaves."""
    rows = await session.scalars(
        text(
            f"""
            SELECT DISTINCT school_id FROM {stage}
            UNION
            SELECT DISTINCT r.school_id FROM result r JOIN {stage} s USING (participant, subject)
            WHERE r.procedure_id = :procedure
            """
        ),
        {"procedure": procedure_id},
    )
    return list(rows)


async def attach(session: AsyncSession, *, procedure_id: int, import_id: int) -> None:
    """Make the stage the partition of its procedure."""
    await session.execute(
        text("SELECT attach_result_stage(:procedure, :import)"),
        {"procedure": procedure_id, "import": import_id},
    )


async def merge(session: AsyncSession, stage: str, *, procedure_id: int, import_id: int) -> int:
    """Put the staged rows in force; what they supersede goes to the history. Returns how many.

    Not MERGE: the school is part of the key (a participant may have moved to another), and MERGE
    cannot change where a row lives and keep its old state in one statement.
    """
    columns = (
        "procedure_id, school_id, region_id, municipality_id, import_id, participant, row_no,"
        " source_version, score_milli, exam_date, variant, subject, status, sheet_no, mark, class_no,"
        " journal_mark"
    )
    superseded = await session.execute(
        text(
            f"""
            WITH old AS (
                DELETE FROM result r USING {stage} s
                WHERE r.procedure_id = :procedure AND r.participant = s.participant
                  AND r.subject = s.subject
                RETURNING r.*
            ), kept AS (
                INSERT INTO result_history ({columns}, superseded_by)
                SELECT {columns}, :import FROM old
                RETURNING 1
            )
            SELECT count(*) FROM kept
            """
        ),
        {"procedure": procedure_id, "import": import_id},
    )
    count = int(superseded.scalar_one())
    await session.execute(text(f"INSERT INTO result ({columns}) SELECT {columns} FROM {stage}"))
    return count
