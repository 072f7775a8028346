"""From the bytes of an uploaded CSV or XLSX to numbered rows of text: format, encoding, delimiter.

What the columns mean is for whoever asks. A file that cannot be read as a table is refused as a whole,
with the reason and the remedy in Russian.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from services.kit import workbooks

__all__ = ["Opened", "Reason", "Unreadable", "open_table", "stamp_of", "width_of"]

_STAMP = re.compile(r"#\s*([a-z0-9-]+)/(\d+)\s*")
_DELIMITERS = (";", ",", "\t")


class Reason(StrEnum):
    """Why a file is no table."""

    CUT = "cut"
    UNREADABLE = "unreadable"
    ENCODING = "encoding"


class Unreadable(Exception):  # noqa: N818  a fact about the file, told to its owner
    """The file cannot be read as a table; `row` where it is known."""

    def __init__(self, reason: Reason, detail: str, hint: str, row: int | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.hint = hint
        self.row = row


@dataclass(frozen=True)
class Opened:
    """A file read as a table; its rows are numbered as a spreadsheet shows them.

    Reading the rows of a CSV may still find that the file is cut (`Unreadable`).
    """

    format: str
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    rows: Iterator[tuple[int, list[str]]]


def open_table(body: bytes, *, is_heading: Callable[[str], bool], max_inflated: int) -> Opened:
    """Open a file.

    Args:
        body: The file, not empty.
        is_heading: Whether a cell names a known column: the delimiter is the one under which most do.
        max_inflated: Largest book after unpacking, bytes.

    Raises:
        Unreadable: It is neither a CSV nor an XLSX that can be read.
    """
    if body.startswith(b"PK"):
        try:
            book = workbooks.read(body, max_inflated=max_inflated)
        except workbooks.Refused as refusal:
            reason = Reason.CUT if refusal.is_cut else Reason.UNREADABLE
            raise Unreadable(
                reason, str(refusal), "Сохраните книгу заново как XLSX или CSV"
            ) from refusal
        return Opened("xlsx", None, None, book.sheet, iter(book.rows))
    text, encoding = _decoded(body)
    delimiter = _delimiter(text, is_heading)
    return Opened("csv", encoding, delimiter, None, _records(text, delimiter))


def stamp_of(record: list[str]) -> tuple[str, int] | None:
    """Return the template and its version that a row names; None when it is no stamp."""
    found = _STAMP.fullmatch(record[0].strip()) if record else None
    return (found[1], int(found[2])) if found else None


def width_of(record: list[str]) -> int:
    """Return how many cells a row has, without the empty ones at its end."""
    width = len(record)
    while width and not record[width - 1].strip():
        width -= 1
    return width


def _decoded(body: bytes) -> tuple[str, str]:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable(
            Reason.ENCODING,
            "Файл в кодировке UTF-16",
            "Сохраните как «CSV UTF-8» и загрузите снова",
        )
    if b"\0" in body:
        raise Unreadable(
            Reason.UNREADABLE,
            "Файл двоичный",
            "Загрузите CSV или XLSX; старый XLS пересохраните",
        )
    for encoding in ("utf-8-sig", "cp1251"):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        marked = body.startswith(b"\xef\xbb\xbf")
        return text, "utf-8" if encoding == "utf-8-sig" and not marked else encoding
    raise Unreadable(
        Reason.ENCODING,
        "Ожидается UTF-8 (с меткой или без) или Windows-1251",
        "Сохраните как «CSV UTF-8» и загрузите снова",
    )


def _delimiter(text: str, is_heading: Callable[[str], bool]) -> str:
    head = [line for line in text.splitlines()[:3] if line and not _STAMP.match(line.strip('"'))]
    heading = head[0] if head else ""

    def known(delimiter: str) -> int:
        return sum(is_heading(cell.strip().strip('"')) for cell in heading.split(delimiter))

    return max(_DELIMITERS, key=known)


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for record in reader:
            yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise Unreadable(
                Reason.CUT,
                f"Кавычка, открытая в строке {line}, не закрыта до конца файла",
                "Закройте кавычку или загрузите файл целиком",
                line,
            ) from error
        raise Unreadable(
            Reason.UNREADABLE,
            f"Строка {line} составлена неверно: после закрывающей кавычки лишний текст",
            "Удвойте кавычки внутри ячейки или сохраните файл из Excel заново",
            line,
        ) from error
