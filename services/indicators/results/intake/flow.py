"""From a task and a stream of bytes to frames: the same steps for CSV and XLSX."""

import io
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import polars as pl

from services.indicators.results.intake import frames
from services.indicators.results.intake.ahead import ahead
from services.indicators.results.intake.batches import Typed, Typist, row_faults
from services.indicators.results.intake.delimited import Delimited
from services.indicators.results.intake.frames import Kind
from services.indicators.results.intake.pseudonyms import Pseudonyms
from services.indicators.results.intake.refusals import Refusal
from services.indicators.results.intake.workbooks import Workbook
from services.indicators.results.layouts import Layout, LayoutCode, Table, layout


@dataclass(frozen=True)
class Task:
    """What to read; comes from the service, never from the client."""

    layout: Layout
    table: Table
    form: str
    """`csv` or `xlsx`."""
    pseudonyms: Pseudonyms
    subjects: frozenset[str]
    constants: dict[str, int | str]

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Task":
        """Read the task line."""
        found = layout(LayoutCode(document["layout"]))
        table = found.table(document["table"])
        if table is None:
            raise KeyError(document["table"])
        return cls(
            layout=found,
            table=table,
            form=document["form"],
            pseudonyms=Pseudonyms(bytes.fromhex(document["key"]), document["scope"]),
            subjects=frozenset(document["subjects"]),
            constants=document.get("constants", {}),
        )


@dataclass
class _Tally:
    """Counts of the entire file."""

    rows_in: int = 0
    empty: int = 0
    misshapen: int = 0
    faults: Counter[int] = field(default_factory=Counter)


def run(task: Task, stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Read the upload to its end.

    Raises:
        Refusal: the file as a whole cannot be taken.
    """
    tally = _Tally()
    facts = (
        _workbook(task, stdin, stdout, tally)
        if task.form == "xlsx"
        else _csv(task, stdin, stdout, tally)
    )
    if not tally.rows_in:
        raise Refusal("file-empty", "В файле только заголовок.", "Загрузите файл с данными.")
    done = {
        "rows_in": tally.rows_in,
        "empty": tally.empty,
        "misshapen": tally.misshapen,
        **facts,
    }
    frames.write_json(stdout, Kind.DONE, done)


def _csv(task: Task, stdin: BinaryIO, stdout: BinaryIO, tally: _Tally) -> dict[str, Any]:
    source = Delimited(task.layout, task.table, stdin)
    typist = Typist(task.table, task.pseudonyms, task.subjects, task.constants)
    for piece in ahead(source.pieces()):
        typed = typist.type(piece.batch)
        aside = [
            row_faults(rows, rule)
            for rows, rule in ((piece.misshapen, 1), (piece.empty, 2), (typed.empty, 2))
            if len(rows)
        ]
        tally.rows_in += len(piece.batch.rows) + len(piece.empty) + len(piece.misshapen)
        tally.misshapen += len(piece.misshapen)
        tally.empty += len(piece.empty) + len(typed.empty)
        _send(stdout, typed, aside, sheet_no=1)
    return {"encoding": source.decoder.name, "delimiter": source.delimiter, "sheets": [1]}


def _workbook(task: Task, stdin: BinaryIO, stdout: BinaryIO, tally: _Tally) -> dict[str, Any]:
    source = Workbook(task.layout, task.table, stdin)
    title: dict[str, Any] = {}
    for part in source.batches():
        title = {
            name: part.constants[name] for name in ("subject", "grade", "year") if part.constants
        }
        constants = {name: value for name, value in part.constants.items() if name != "year"}
        typist = Typist(task.table, task.pseudonyms, task.subjects, {**task.constants, **constants})
        typed = typist.type(part.batch)
        tally.rows_in += len(part.batch.rows)
        tally.empty += len(typed.empty)
        aside = [row_faults(typed.empty, 2)] if len(typed.empty) else []
        _send(stdout, typed, aside, sheet_no=part.sheet_no)
    return {"encoding": None, "delimiter": None, "sheets": source.sheets, "title": title}


def _send(stdout: BinaryIO, typed: Typed, aside: list[pl.DataFrame], *, sheet_no: int) -> None:
    faults = pl.concat([typed.faults, *aside]) if aside else typed.faults
    # Rows first, even none: a batch's faults share its number.
    _write(stdout, Kind.ROWS, typed.rows, sheet_no)
    if len(faults):
        _write(stdout, Kind.FAULTS, faults, sheet_no)


def _write(stdout: BinaryIO, kind: Kind, frame: pl.DataFrame, sheet_no: int) -> None:
    buffer = io.BytesIO()
    numbered = frame.with_columns(sheet_no=pl.lit(sheet_no, dtype=pl.Int16))
    numbered.write_ipc(buffer, compression="lz4")
    frames.write(stdout, kind, buffer.getbuffer())
    stdout.flush()
