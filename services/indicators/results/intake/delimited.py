"""Reading CSV from a pipe, block by block."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import polars as pl

from services.indicators.results.intake import headers, records
from services.indicators.results.intake.batches import Batch
from services.indicators.results.intake.encodings import Decoder
from services.indicators.results.intake.headers import Header
from services.indicators.results.intake.refusals import Refusal, cut
from services.indicators.results.layouts import Layout, Table

_BLOCK = 3 * 1024 * 1024
_LONGEST_RECORD = 16 * 1024 * 1024
_DELIMITERS = (";", ",", "\t")


@dataclass(frozen=True)
class Piece:
    """A batch, and the rows of the same block that are not part of it."""

    batch: Batch
    empty: np.ndarray
    misshapen: np.ndarray


@dataclass
class Delimited:
    """One CSV upload; `encoding` and `delimiter` are known after the first piece."""

    layout: Layout
    table: Table
    stream: BinaryIO
    decoder: Decoder = field(default_factory=Decoder)
    delimiter: str = ""
    header: Header | None = None
    row: int = 1
    """The number a spreadsheet would show for the next record."""

    def pieces(self) -> Iterator[Piece]:
        """Read the file to its end."""
        for block in self._blocks():
            text = self.decoder.utf8(block, self.row)
            if self.header is None:
                text = self._read_header(text)
            if text:
                yield self._piece(text)
        if self.header is None:
            raise Refusal("file-empty", "Файл пуст.", "Загрузите файл с заголовком и данными.")

    def _blocks(self) -> Iterator[bytes]:
        """Give whole records, about eight megabytes at a time."""
        rest = self.decoder.start(self.stream.read(_BLOCK))
        while True:
            more = self.stream.read(_BLOCK)
            if not more:
                break
            length = records.complete(rest)
            if length == 0 and len(rest) > _LONGEST_RECORD:
                raise records.refuse_long(_LONGEST_RECORD, self.row)
            if length:
                yield rest[:length]
            rest = rest[length:] + more
        line = records.unclosed_quote(rest)
        if line is not None:
            raise cut(
                f"Файл заканчивается внутри кавычек, открытых около строки {self.row + line}."
            )
        length = records.complete(rest)
        if length:
            yield rest[:length]
        if last := rest[length:]:
            # Only here is the header known for certain: the file may be one block.
            self._check_last(last)
            yield last + b"\n"

    def _check_last(self, line: bytes) -> None:
        """Refuse a file whose last line ends before its last field."""
        if self.header is None or not line.strip():
            return
        fields = line.count(self.delimiter.encode()) + 1
        if fields < self.header.width and b'"' not in line:
            raise cut(
                f"Последняя строка {self.row} обрывается: полей {fields} из {self.header.width}, "
                "перевода строки нет."
            )

    def _read_header(self, text: bytes) -> bytes:
        """Recognise stamp, delimiter and header; gives the text after them."""
        line, rest = _first_line(text)
        self.row += 1
        if found := headers.stamp(line):
            headers.check_stamp(self.layout, *found)
            line, rest = _first_line(rest)
            self.row += 1
        self.delimiter, cells = self._delimiter(line)
        self.header = headers.recognise(self.layout, self.table, cells, delimiter=self.delimiter)
        if rest and not rest.endswith(b"\n"):
            rest += b"\n"
        return rest

    def _delimiter(self, line: str) -> tuple[str, list[str]]:
        """Choose the delimiter under which most columns are recognised."""
        readings = {mark: next(csv.reader([line], delimiter=mark), []) for mark in _DELIMITERS}
        best = max(
            _DELIMITERS,
            key=lambda mark: (
                len(headers.positions(self.table, readings[mark])),
                len(readings[mark]),
            ),
        )
        if len(readings[best]) == 1 and len(self.table.columns) > 1:
            other = next((mark for mark in "|:~^" if mark in line), None)
            found = f"Найден разделитель «{other}»." if other else "Разделитель не найден."
            raise Refusal(
                "delimiter-unsupported",
                f"{found} Ожидается точка с запятой, запятая или табуляция.",
                "Сохраните файл с разделителем «;».",
                {"found": other, "expected": list(_DELIMITERS)},
            )
        return best, readings[best]

    def _piece(self, text: bytes) -> Piece:
        assert self.header is not None  # noqa: S101  the header is read from the first block
        found = records.split(text, ord(self.delimiter), self.header.width)
        start, self.row = self.row, self.row + found.count
        names = sorted(self.header.positions, key=self.header.positions.__getitem__)
        batch = Batch(
            (start + found.regular).astype(np.uint32),
            _parsed(found.text, self.delimiter, self.header, names, len(found.regular)),
        )
        return Piece(
            batch,
            (start + found.empty).astype(np.uint32),
            (start + found.misshapen).astype(np.uint32),
        )


def _parsed(
    text: bytes, delimiter: str, header: Header, names: list[str], count: int
) -> pl.DataFrame:
    """Parse regular records, reading only the named columns."""
    if not count:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    try:
        frame = pl.read_csv(
            io.BytesIO(text),
            has_header=False,
            separator=delimiter,
            columns=[header.positions[name] for name in names],
            schema={f"column_{place}": pl.String for place in range(1, header.width + 1)},
        )
    except pl.exceptions.PolarsError:
        frame = pl.DataFrame()  # the message may quote the file: it goes no further
    if len(frame) != count:
        raise Refusal(
            "quotes-broken",
            "Кавычки расставлены так, что строки не разделяются однозначно.",
            "Выгрузите файл заново: поля с кавычками должны быть взяты в кавычки целиком.",
        )
    frame.columns = names
    return frame


def _first_line(text: bytes) -> tuple[str, bytes]:
    line, _, rest = text.partition(b"\n")
    return line.decode(), rest
