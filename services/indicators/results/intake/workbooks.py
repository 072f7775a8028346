"""Reading XLSX: each sheet that has the header, batch by batch."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any, BinaryIO

import numpy as np
import polars as pl
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from services.indicators.results.intake import archives, headers
from services.indicators.results.intake.batches import Batch
from services.indicators.results.intake.headers import Header
from services.indicators.results.intake.refusals import Refusal, cut, too_big
from services.indicators.results.layouts import Layout, Table

LARGEST = 50 * 1024 * 1024
_ROWS = 50_000
_HEADER_WITHIN = 60
_TITLE = re.compile(
    r"ВПР\D{0,20}(\d{4})\D{0,10}\s(.+?)\.?\s+(\d{1,2})\s*[- ]?\s*класс", re.IGNORECASE
)


@dataclass(frozen=True)
class SheetBatch:
    """A batch of one sheet; `constants` stand above the header (subject, grade)."""

    sheet_no: int
    batch: Batch
    constants: dict[str, int | str]


@dataclass
class Workbook:
    """One XLSX upload, kept in memory only."""

    layout: Layout
    table: Table
    stream: BinaryIO
    sheets: list[int] = field(default_factory=list)

    def batches(self) -> Iterator[SheetBatch]:
        """Read every sheet that carries the table."""
        body = self.stream.read(LARGEST + 1)
        if len(body) > LARGEST:
            raise too_big(LARGEST)
        archives.check(body)
        try:
            book = CalamineWorkbook.from_filelike(io.BytesIO(body))
            del body
            yield from self._sheets(book)
        except CalamineError:
            raise cut("Книга XLSX не читается: лист повреждён.") from None
        if not self.sheets:
            self._refuse(book)

    def _sheets(self, book: CalamineWorkbook) -> Iterator[SheetBatch]:
        for number, name in enumerate(book.sheet_names, start=1):
            if self.table.sheet and self.table.sheet not in name.lower():
                continue
            sheet = book.get_sheet_by_name(name)
            top = [_texts(row) for row in islice(_rows(sheet), _HEADER_WITHIN)]
            self._check_stamp(top)
            at = next(
                (at for at, row in enumerate(top) if headers.is_header(self.table, row)), None
            )
            if at is None:
                continue
            self.sheets.append(number)
            header = Header(headers.positions(self.table, top[at]), len(top[at]))
            constants = _title(top[:at]) if self.table.subject_from_title else {}
            yield from self._of_sheet(number, sheet, header, at, constants)

    def _of_sheet(
        self,
        number: int,
        sheet: CalamineSheet,
        header: Header,
        at: int,
        constants: dict[str, int | str],
    ) -> Iterator[SheetBatch]:
        rows = islice(_rows(sheet), at + 1, None)
        row = at + 2
        while part := list(islice(rows, _ROWS)):
            texts = pl.DataFrame(
                {
                    name: [_text(cells[place]) if place < len(cells) else "" for cells in part]
                    for name, place in header.positions.items()
                },
                schema=dict.fromkeys(header.positions, pl.String),
            )
            numbers = np.arange(row, row + len(part), dtype=np.uint32)
            row += len(part)
            yield SheetBatch(number, Batch(numbers, texts), constants)

    def _check_stamp(self, top: list[list[str]]) -> None:
        first = top[0][0] if top and top[0] else ""
        if found := headers.stamp(first):
            headers.check_stamp(self.layout, *found)

    def _refuse(self, book: CalamineWorkbook) -> None:
        """Say what is wrong with the first sheet: no sheet had the header."""
        names = book.sheet_names
        if self.table.sheet and not any(self.table.sheet in name.lower() for name in names):
            raise Refusal(
                "sheet-missing",
                f"В книге нет листа «{self.table.title}» (листов: {len(names)}).",
                "Выгрузите форму Ф1 «Индивидуальные результаты» целиком, не переименовывая листы.",
            )
        row = next((_texts(row) for row in _rows(book.get_sheet_by_index(0)) if any(row)), [])
        headers.recognise(self.layout, self.table, row, delimiter=None)


def _rows(sheet: CalamineSheet) -> Iterator[list[Any]]:
    """Give rows from the first row of the sheet, so that numbers equal those on the screen."""
    start = sheet.start
    if start:
        yield from ([] for _ in range(start[0]))
        pad = [""] * start[1]
        yield from (pad + row for row in sheet.iter_rows())


def _texts(row: list[Any]) -> list[str]:
    return [_text(cell) for cell in row]


def _text(cell: Any) -> str:
    """Write a cell as the text a CSV would have."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return "" if cell is None else str(cell)


def _title(top: list[list[str]]) -> dict[str, int | str]:
    """Read subject, grade and year from the title of ВПР Ф1: «ВПР 2025 Математика 5 класс»."""
    for row in top:
        for cell in row:
            if match := _TITLE.search(" ".join(cell.split())):
                subject = match[2].strip(' .,«»"').lower()
                return {"subject": subject, "grade": int(match[3]), "year": int(match[1])}
    raise Refusal(
        "title-missing",
        "Над таблицей нет заголовка вида «ВПР 2025 Математика 5 класс».",
        "Загрузите форму Ф1 в том виде, в каком её выгрузила ФИС ОКО.",
    )
