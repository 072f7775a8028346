"""What a check found, gathered while batches go by: exact counts, first and last place, a sample."""

import json
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.results.rules import BY_CODE, BY_NUMBER, Outcome
from services.indicators.results.staging import Marks, Removed

__all__ = ["MARKED_ROWS", "Findings"]

MARKED_ROWS = 50_000
"""Marked rows kept per import; beyond this a person corrects the rule, not the rows."""


@dataclass
class Finding:
    """One rule broken in one column."""

    count: int
    first: tuple[int, int]
    last: tuple[int, int]
    sample: str | None

    def add(self, other: "Finding") -> None:
        """Take the same rule from a later batch."""
        self.count += other.count
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)
        self.sample = self.sample if self.sample is not None else other.sample


@dataclass
class Findings:
    """Findings of one import and the counts of its rows."""

    by_rule: dict[tuple[str, str, str | None], Finding] = field(default_factory=dict)
    """(table, rule, column) -> finding."""
    rejected: dict[str, int] = field(default_factory=dict)
    """Rule -> rows of which it is the first reason; sums to the rejected rows."""
    ignored: dict[str, int] = field(default_factory=dict)
    noted: dict[str, int] = field(default_factory=dict)
    marked: int = 0

    def add_faults(self, table: str, sheet_no: int, faults: pl.DataFrame) -> pl.DataFrame:
        """Take the faults of a batch; gives those to be marked row by row."""
        if not len(faults):
            return faults
        grouped = faults.group_by("rule", "column").agg(
            pl.len().alias("count"),
            pl.col("row_no").min().alias("first"),
            pl.col("row_no").max().alias("last"),
            pl.col("sample").drop_nulls().first().alias("sample"),
        )
        for rule, column, count, first, last, sample in grouped.iter_rows():
            self._add(
                (table, BY_NUMBER[rule].code, column),
                Finding(count, (sheet_no, first), (sheet_no, last), sample),
            )
        worth = [n for n, rule in BY_NUMBER.items() if rule.outcome is Outcome.REJECTED]
        marks = faults.filter(pl.col("rule").is_in(worth)).head(MARKED_ROWS - self.marked)
        self.marked += len(marks)
        return marks

    def add_removed(self, table: str, removed: list[Removed]) -> None:
        """Take rows that the database took out of the stage, or noted."""
        for rows in removed:
            self._add((table, rows.rule, None), Finding(rows.count, rows.first, rows.last, None))
            outcome = BY_CODE[rows.rule].outcome
            if outcome is Outcome.REJECTED:
                self.marked = min(MARKED_ROWS, self.marked + rows.count)
            self.count(outcome, rows.rule, rows.count)

    def count(self, outcome: Outcome, rule: str, rows: int) -> None:
        """Count rows under their reason."""
        counts = {
            Outcome.REJECTED: self.rejected,
            Outcome.IGNORED: self.ignored,
            Outcome.NOTED: self.noted,
        }[outcome]
        if rows:
            counts[rule] = counts.get(rule, 0) + rows

    def _add(self, key: tuple[str, str, str | None], finding: Finding) -> None:
        if key in self.by_rule:
            self.by_rule[key].add(finding)
        else:
            self.by_rule[key] = finding

    async def store(self, session: AsyncSession, *, import_id: int, region_id: int) -> None:
        """Write the findings."""
        for (table, rule, column), found in self.by_rule.items():
            await session.execute(
                text(
                    """
                    INSERT INTO import_finding
                        (region_id, import_id, table_name, rule, column_name, count,
                         first_sheet, first_row, last_sheet, last_row, sample)
                    VALUES (:region, :import, :table, :rule, :column, :count,
                            :first_sheet, :first_row, :last_sheet, :last_row, :sample)
                    """
                ),
                {
                    "region": region_id,
                    "import": import_id,
                    "table": table,
                    "rule": rule,
                    "column": column,
                    "count": found.count,
                    "first_sheet": found.first[0],
                    "first_row": found.first[1],
                    "last_sheet": found.last[0],
                    "last_row": found.last[1],
                    "sample": found.sample,
                },
            )


async def forget(session: AsyncSession, import_id: int) -> None:
    """Delete the findings of an earlier check."""
    for table in ("import_finding", "import_rejection"):
        await session.execute(text(f"DELETE FROM {table} WHERE import_id = :id"), {"id": import_id})


async def mark(session: AsyncSession, marks: Marks, sheet_no: int, faults: pl.DataFrame) -> None:
    """Write marked rows: row number, rule, column, sample."""
    if not len(faults):
        return
    rows: list[dict[str, Any]] = [
        {"row": row, "rule": BY_NUMBER[rule].code, "column": column, "sample": sample}
        for row, rule, column, sample in faults.select(
            "row_no", "rule", "column", "sample"
        ).iter_rows()
    ]
    await session.execute(
        text(
            """
            INSERT INTO import_rejection
                (region_id, import_id, table_name, sheet_no, row_no, rule, column_name, sample)
            SELECT :region, :import, :table, :sheet, r."row", r.rule, r."column", r.sample
            FROM jsonb_to_recordset(CAST(:rows AS jsonb))
                AS r ("row" integer, rule text, "column" text, sample text)
            """
        ),
        {
            "region": marks.region,
            "import": marks.import_,
            "table": marks.table,
            "sheet": sheet_no,
            "rows": json.dumps(rows, ensure_ascii=False),
        },
    )
