"""РИС ГИА: four tables joined by hashed keys inside the database, in constant memory of the worker.

One result per participant and subject: the latest valid attempt (ProcessCondition = 6); when none is
valid, the latest one, stored as cancelled. Rows are counted as rows of res_HumanTests.
Source: methodology digest, B6.
"""

import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.results.checking import Batch
from services.indicators.results.chunks import batches_of
from services.indicators.results.intake.batches import FAULTS
from services.indicators.results.rules import BY_CODE
from services.indicators.results.tables import ImportFile
from services.kit.database import Database

__all__ = ["joined"]

VALID = 6
"""ProcessCondition of a valid result."""
_PAGE = 20_000


@dataclass(frozen=True)
class _Column:
    """A column of a temporary table; `key` columns are pairs of numbers, others go as they are."""

    name: str
    kind: str


_TABLES: dict[str, tuple[_Column, ...]] = {
    "res_HumanTests": (
        _Column("test", "uuid"),
        _Column("person", "uuid"),
        _Column("subject", "text"),
        _Column("exam_date", "integer"),
        _Column("variant", "integer"),
        _Column("condition", "integer"),
        _Column("sheet_no", "smallint"),
        _Column("row_no", "bigint"),
    ),
    "res_Marks": (
        _Column("test", "uuid"),
        _Column("primary", "integer"),
        _Column("test100", "integer"),
        _Column("mark", "integer"),
    ),
    "rbd_Participants": (
        _Column("person", "uuid"),
        _Column("participant", "uuid"),
        _Column("class_label", "text"),
        _Column("school", "uuid"),
    ),
    "rbd_Schools": (
        _Column("school", "uuid"),
        _Column("school_code", "text"),
        _Column("deleted", "integer"),
    ),
}


async def joined(
    session: AsyncSession, database: Database, files: Mapping[str, ImportFile]
) -> AsyncIterator[Batch]:
    """Load the tables into temporary ones, join them, give canonical batches."""
    for table in _TABLES:
        await _load(session, database, table, files[table].id)
    async for batch in batches_of(database, files["res_HumanTests"].id):
        # Before the join: a work with an unreadable cell is nobody's attempt.
        if len(batch.faults):
            await _keep_faults(session, batch)
    await session.execute(text(_JOIN))
    await session.execute(text("CREATE INDEX ON ris_result (turn)"))
    last = 0
    while True:
        rows = (await session.execute(_NEXT, {"after": last, "limit": _PAGE})).all()
        if not rows:
            break
        last = rows[-1].turn
        for sheet_no in sorted({row.sheet_no for row in rows}):
            of_sheet = [row for row in rows if row.sheet_no == sheet_no]
            yield _canonical(sheet_no, of_sheet, await _faults(session, sheet_no, of_sheet))
    left = (await session.execute(text(_ORPHAN_FAULTS))).all()
    if left:
        yield _canonical(1, [], _frame([tuple(row) for row in left]))
    await session.execute(
        text("DROP TABLE ris_result, ris_fault, " + ", ".join(map(_temporary, _TABLES)))
    )


def _temporary(table: str) -> str:
    return f"ris_{table.lower()}"


async def _load(session: AsyncSession, database: Database, table: str, file_id: int) -> None:
    """Copy a table's batches into a temporary table as they are."""
    columns = _TABLES[table]
    name = _temporary(table)
    listed = ", ".join(f'"{column.name}" {column.kind}' for column in columns)
    await session.execute(text(f"CREATE TEMPORARY TABLE {name} ({listed}) ON COMMIT DROP"))
    if table == "res_HumanTests":
        await session.execute(
            text(
                "CREATE TEMPORARY TABLE ris_fault (sheet_no smallint, row_no bigint, rule smallint,"
                ' "column" text, sample text) ON COMMIT DROP'
            )
        )
    connection = await (await session.connection()).get_raw_connection()
    driver: Any = connection.driver_connection
    async for batch in batches_of(database, file_id):
        frame = batch.rows.select(_expression(batch.rows, column) for column in columns)
        out = io.BytesIO()
        frame.write_csv(out, include_header=False, null_value="")
        await driver.copy_to_table(
            name,
            source=memoryview(out.getvalue()),
            columns=[column.name for column in columns],
            format="csv",
        )
    await session.execute(text(f"ANALYZE {name}"))


def _expression(rows: pl.DataFrame, column: _Column) -> pl.Expr:
    if column.kind != "uuid":
        known = pl.col(column.name) if column.name in rows.columns else pl.lit(None)
        return known.alias(column.name)
    halves = rows.select(f"{column.name}_hi", f"{column.name}_lo").to_numpy().astype(">u8")
    digits = np.frombuffer(halves.tobytes().hex().encode(), "S32").astype(str)
    return pl.lit(pl.Series(column.name, digits))


# A test without a row in another table is kept, so that it is counted and told.
_JOIN = f"""
    CREATE TEMPORARY TABLE ris_result ON COMMIT DROP AS
    SELECT row_number() OVER (ORDER BY t.sheet_no, t.row_no) AS turn,
           t.sheet_no, t.row_no, t.subject, t.exam_date, t.variant, m.primary, m.test100, m.mark,
           p.participant, p.class_label, s.school_code,
           CASE WHEN t.condition = {VALID} THEN 0 ELSE 2 END AS status,
           p.person IS NULL OR s.school IS NULL
               OR (m.test IS NULL AND t.condition = {VALID}) AS is_loose,
           t.is_unsound,
           row_number() OVER (
               PARTITION BY t.person, t.subject, t.is_unsound, CASE WHEN t.is_unsound THEN t.row_no END
               ORDER BY (t.condition = {VALID}) DESC, t.exam_date DESC NULLS LAST,
                        t.sheet_no DESC, t.row_no DESC
           ) AS attempt
    FROM (
        SELECT h.*, EXISTS (SELECT FROM ris_fault f
                            WHERE f.sheet_no = h.sheet_no AND f.row_no = h.row_no) AS is_unsound
        FROM ris_res_humantests h
    ) t
    LEFT JOIN (SELECT DISTINCT ON (test) * FROM ris_res_marks) m ON m.test = t.test
    LEFT JOIN (SELECT DISTINCT ON (person) * FROM ris_rbd_participants) p ON p.person = t.person
    LEFT JOIN (SELECT DISTINCT ON (school) * FROM ris_rbd_schools
               WHERE COALESCE(deleted, 0) = 0) s ON s.school = p.school
"""
_NEXT = text("SELECT * FROM ris_result WHERE turn > :after ORDER BY turn LIMIT :limit")
_ORPHAN_FAULTS = """
    SELECT f.row_no, f.rule, f."column", f.sample FROM ris_fault f
    WHERE NOT EXISTS (SELECT FROM ris_result r
                      WHERE r.sheet_no = f.sheet_no AND r.row_no = f.row_no)
"""


async def _keep_faults(session: AsyncSession, batch: Batch) -> None:
    await session.execute(
        text(
            """
            INSERT INTO ris_fault
            SELECT :sheet, n, r, c, s FROM unnest(
                CAST(:rows AS bigint[]), CAST(:rules AS smallint[]),
                CAST(:columns AS text[]), CAST(:samples AS text[])) AS t (n, r, c, s)
            """
        ),
        {
            "sheet": batch.sheet_no,
            "rows": batch.faults["row_no"].to_list(),
            "rules": batch.faults["rule"].to_list(),
            "columns": batch.faults["column"].to_list(),
            "samples": batch.faults["sample"].to_list(),
        },
    )


async def _faults(session: AsyncSession, sheet_no: int, rows: list[Any]) -> pl.DataFrame:
    """Collect the faults of some joined rows: unreadable cells, loose ends, older attempts."""
    found = await session.execute(
        text(
            'SELECT row_no, rule, "column", sample FROM ris_fault'
            " WHERE sheet_no = :sheet AND row_no BETWEEN :first AND :last"
        ),
        {"sheet": sheet_no, "first": rows[0].row_no, "last": rows[-1].row_no},
    )
    of_row: dict[int, list[tuple[Any, ...]]] = {row.row_no: [] for row in rows}
    for fault in found:
        if fault.row_no in of_row:
            of_row[fault.row_no].append(tuple(fault))
    link, attempt = BY_CODE["link-missing"].number, BY_CODE["older-attempt"].number
    for row in rows:
        if row.attempt > 1:
            of_row[row.row_no] = [(row.row_no, attempt, None, None)]
        elif row.is_loose and not row.is_unsound:
            of_row[row.row_no].append((row.row_no, link, None, None))
    return _frame([fault for faults in of_row.values() for fault in faults])


def _frame(faults: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(faults, schema=FAULTS, orient="row")


def _canonical(sheet_no: int, rows: list[Any], faults: pl.DataFrame) -> Batch:
    """Shape joined rows like the batches of a single file; older attempts are only counted."""
    kept = [row for row in rows if row.attempt == 1]
    numbers = [row.participant.int if row.participant is not None else 0 for row in kept]
    frame = pl.DataFrame(
        {
            "row_no": pl.Series([row.row_no for row in kept], dtype=pl.UInt32),
            "school_code": pl.Series([row.school_code for row in kept], dtype=pl.String),
            "participant_hi": pl.Series([n >> 64 for n in numbers], dtype=pl.UInt64),
            "participant_lo": pl.Series([n & (2**64 - 1) for n in numbers], dtype=pl.UInt64),
            "subject": pl.Series([row.subject for row in kept], dtype=pl.String),
            "class_label": pl.Series([row.class_label for row in kept], dtype=pl.String),
            "variant": pl.Series([row.variant for row in kept], dtype=pl.Int32),
            "primary": pl.Series([row.primary for row in kept], dtype=pl.Int32),
            "test100": pl.Series([row.test100 for row in kept], dtype=pl.Int32),
            "mark": pl.Series([row.mark for row in kept], dtype=pl.Int32),
            "status": pl.Series([row.status for row in kept], dtype=pl.Int32),
            "exam_date": pl.Series([row.exam_date for row in kept], dtype=pl.Int32),
            "sheet_no": pl.Series([sheet_no] * len(kept), dtype=pl.Int16),
        }
    )
    return Batch(sheet_no, frame, faults)
