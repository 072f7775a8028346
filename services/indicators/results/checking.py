"""The check of an import: batch by batch into the stage, everything wrong told at once.

One transaction of the worker: after a crash nothing of it is there, and the next attempt begins
afresh. Memory does not grow with the file except for eight bytes a row that find repetitions.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.results import findings as findings_
from services.indicators.results import staging
from services.indicators.results.copying import Group, groups
from services.indicators.results.findings import MARKED_ROWS, Findings
from services.indicators.results.intake.batches import FAULTS
from services.indicators.results.judging import Accepted, Judge, Judged
from services.indicators.results.reference import read_reference
from services.indicators.results.rules import BY_NUMBER, Outcome
from services.indicators.results.staging import Marks

__all__ = ["Batch", "Batches", "Checked", "Subject", "check", "read_batch"]


@dataclass(frozen=True)
class Subject:
    """Which import is checked, and how its layout treats versions."""

    import_id: int
    procedure_id: int
    region_id: int
    results_table: str
    versions_are_explicit: bool
    rows_in: int


@dataclass(frozen=True)
class Batch:
    """Rows of one sheet and what could not be read in them."""

    sheet_no: int
    rows: pl.DataFrame
    faults: pl.DataFrame


Batches = AsyncIterator[Batch]
Progress = Callable[[int, int], Awaitable[None]]


@dataclass(frozen=True)
class Checked:
    """The outcome of a check. `stored` rows stand in the stage."""

    stage: str
    is_first: bool
    """No results of the procedure are in force: the stage can become its partition."""
    stored: int
    rejected: int
    ignored: int
    findings: Findings
    fingerprint: str

    @property
    def counts(self) -> dict[str, Any]:
        """Rows by reason, for the import's report."""
        return {
            "rejected": self.findings.rejected,
            "ignored": self.findings.ignored,
            "noted": self.findings.noted,
        }


@dataclass
class _Prepared:
    """A batch ready to be copied."""

    sheet_no: int
    judged: Judged
    groups: list[Group]
    rows: int


@dataclass
class _Repetitions:
    """Finds out whether any (participant, subject) may occur twice: eight bytes a row."""

    keys: list[npt.NDArray[np.uint64]] = field(default_factory=list)

    def add(self, accepted: Accepted) -> None:
        spread = accepted.subject.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        self.keys.append(accepted.participant[:, 1] ^ spread)

    def possible(self) -> bool:
        """Tell whether two keys are equal; a rare collision only costs a look by the database."""
        if not self.keys:
            return False
        every = np.concatenate(self.keys)
        self.keys.clear()
        every.sort()
        return bool((every[1:] == every[:-1]).any())


async def check(
    session: AsyncSession, subject: Subject, batches: Batches, progress: Progress
) -> Checked:
    """Check an import from its batches; the session's transaction holds all effects."""
    await staging.lock(session, subject.procedure_id)
    await findings_.forget(session, subject.import_id)
    reference = await read_reference(session, subject.procedure_id)
    labels = await _labels(session, subject.procedure_id)
    judge = Judge(reference, dict(labels))
    stage = await staging.create(
        session,
        procedure_id=subject.procedure_id,
        region_id=subject.region_id,
        import_id=subject.import_id,
    )
    found = Findings()
    repetitions = _Repetitions()
    done = 0
    async for prepared in _prepared(batches, judge):
        await staging.copy(session, stage, prepared.groups)
        await _report(session, subject, found, prepared)
        repetitions.add(prepared.judged.accepted)
        done += prepared.rows
        await progress(done, subject.rows_in)
    await _store_labels(session, subject, labels, judge.labels)
    table = subject.results_table
    if repetitions.possible():
        marks = _marks(subject, found)
        found.add_removed(table, await staging.remove_repetitions(session, stage, marks))
    is_first = not await staging.has_results(session, subject.procedure_id)
    if not is_first:
        found.add_removed(
            table,
            await staging.compare_with_stored(
                session,
                stage,
                _marks(subject, found),
                procedure_id=subject.procedure_id,
                versions_are_explicit=subject.versions_are_explicit,
            ),
        )
        found.add_removed(table, await staging.moved_rows(session, stage, subject.procedure_id))
    rejected, ignored = sum(found.rejected.values()), sum(found.ignored.values())
    await found.store(session, import_id=subject.import_id, region_id=subject.region_id)
    return Checked(
        stage=stage,
        is_first=is_first,
        stored=subject.rows_in - rejected - ignored,
        rejected=rejected,
        ignored=ignored,
        findings=found,
        fingerprint=reference.fingerprint,
    )


async def _prepared(batches: Batches, judge: Judge) -> AsyncIterator[_Prepared]:
    """Judge the next batch in a thread while the database takes the last one."""
    waiting: asyncio.Task[_Prepared] | None = None
    try:
        async for batch in batches:
            following = asyncio.create_task(asyncio.to_thread(_prepare, judge, batch))
            if waiting is not None:
                done, waiting = waiting, following
                yield await done
            else:
                waiting = following
        if waiting is not None:
            done, waiting = waiting, None
            yield await done
    finally:
        if waiting is not None:
            waiting.cancel()


def _prepare(judge: Judge, batch: Batch) -> _Prepared:
    judged = judge.judge(batch.rows, batch.faults)
    aside = len(batch.faults.filter(~pl.col("row_no").is_in(batch.rows["row_no"].implode())))
    return _Prepared(batch.sheet_no, judged, list(groups(judged.accepted)), len(batch.rows) + aside)


async def _report(
    session: AsyncSession, subject: Subject, found: Findings, prepared: _Prepared
) -> None:
    """Count a batch's rows by reason and mark the rejected ones."""
    judged = prepared.judged
    for number, rows in judged.first_reasons.items():
        found.count(Outcome.REJECTED, BY_NUMBER[number].code, rows)
    for number in judged.faults["rule"].unique() if len(judged.faults) else ():
        rule = BY_NUMBER[number]
        if rule.outcome is Outcome.IGNORED:
            count = int((judged.faults["rule"] == number).sum())
            found.count(Outcome.IGNORED, rule.code, count)
    found.count(Outcome.NOTED, "cancelled", judged.cancelled_rows)
    marks = _marks(subject, found)
    worth = found.add_faults(subject.results_table, prepared.sheet_no, judged.faults)
    await findings_.mark(session, marks, prepared.sheet_no, worth)


def _marks(subject: Subject, found: Findings) -> Marks:
    room = max(0, MARKED_ROWS - found.marked)
    return Marks(subject.region_id, subject.import_id, subject.results_table, room)


async def _labels(session: AsyncSession, procedure_id: int) -> dict[str, int]:
    rows = await session.execute(
        text("SELECT label, number FROM class_label WHERE procedure_id = :id"),
        {"id": procedure_id},
    )
    return {row.label: row.number for row in rows}


async def _store_labels(
    session: AsyncSession, subject: Subject, known: dict[str, int], labels: dict[str, int]
) -> None:
    new = {label: number for label, number in labels.items() if label not in known}
    if new:
        await session.execute(
            text(
                """
                INSERT INTO class_label (procedure_id, number, region_id, label)
                SELECT :procedure, n, :region, l FROM unnest(
                    CAST(:numbers AS smallint[]), CAST(:labels AS text[])) AS t (n, l)
                """
            ),
            {
                "procedure": subject.procedure_id,
                "region": subject.region_id,
                "numbers": list(new.values()),
                "labels": list(new),
            },
        )


def read_batch(rows: bytes | None, faults: bytes | None) -> Batch:
    """Read a stored batch back."""
    frame = pl.read_ipc(io.BytesIO(rows)) if rows else None
    marks = pl.read_ipc(io.BytesIO(faults)) if faults else None
    numbered = frame if frame is not None and len(frame) else marks
    sheet_no = int(numbered["sheet_no"][0]) if numbered is not None and len(numbered) else 1
    if frame is None:
        raise ValueError("a batch without rows")
    return Batch(
        sheet_no, frame, pl.DataFrame(schema=FAULTS) if marks is None else marks.select(*FAULTS)
    )
