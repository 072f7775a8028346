"""Files that a person opens in a spreadsheet: every CSV and every book that leaves is written here.

A text that a spreadsheet would compute gets an apostrophe in front. So does a text that begins with
apostrophes before such a start: then taking exactly one away (`original`) gives the text back, and a
file that goes out and comes in again and again does not grow.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import xlsxwriter

__all__ = ["CSV", "XLSX", "book", "csv_text", "inert", "original", "put"]

CSV: Final = "text/csv; charset=utf-8"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

MARK: Final = "\ufeff"
"""Excel reads UTF-8 only with a byte order mark."""

_STAMP = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""A fixed date: the same content is the same bytes."""

_LONGEST = 32_767
"""A cell of a book holds no more; a longer text would be left out without a word."""

_STARTS = frozenset("=+-@\u2212")
"""What begins a formula; full-width and other forms of these are taken for them."""

_SEEN = frozenset("LNPS")
"""Kinds of characters (Unicode) that somebody sees; programs skip all others, or lose them on the way."""

_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols by name that are drawn as nothing: fillers of Hangul and the empty Braille cell."""

_TABLES = (unicodedata, unicodedata.ucd_3_2_0)
"""The Unicode of this Python, and 3.2, the same in every Python. A character is seen if both say so: one
that a program with older tables does not know, or that changed its kind, hides no formula behind it."""

_QUOTES = frozenset("'\"`")

_NUMBER = re.compile(r"-[0-9]{1,15}([.,][0-9]{1,10})?")

Value = str | int | Decimal | None


def inert(text: str) -> str:
    """Make a text that no spreadsheet takes for a formula, wherever it is copied."""
    return f"'{text}" if _is_computed(text) else text


def original(cell: str) -> str:
    """Return the text that `inert` has made this cell of; any other cell is as it is."""
    return cell[1:] if cell.startswith("'") and _is_computed(cell[1:]) else cell


def _is_computed(text: str) -> bool:
    """Say whether some program could take the text for a formula, or break it into several cells."""
    if _NUMBER.fullmatch(text):
        return False
    for character in text:
        if character in "\t\r\n" or unicodedata.normalize("NFKC", character)[:1] in _STARTS:
            return True
        if character not in _QUOTES and _is_seen(character):
            return False
    return False


def _is_seen(character: str) -> bool:
    return character not in _BLANK and all(
        table.category(character)[0] in _SEEN for table in _TABLES
    )


def csv_text(rows: Iterable[Iterable[Value]], *, mark: bool = True) -> str:
    """Write rows as Excel in Russia opens them: semicolons, CRLF, a byte order mark."""
    stream = io.StringIO(newline="")
    if mark:
        stream.write(MARK)
    writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    for row in rows:
        writer.writerow([_plain(value) for value in row])
    return stream.getvalue()


def _plain(value: Value) -> str:
    if value is None:
        return ""
    return inert(value) if isinstance(value, str) else str(value)


def book(stream: io.BytesIO, *, title: str) -> xlsxwriter.Workbook:
    """Begin a book in which no text becomes a formula, a link or a number; close it when it is full."""
    made = xlsxwriter.Workbook(
        stream,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    made.set_properties({"created": _STAMP, "title": title})
    return made


def put(sheet: Any, row: int, column: int, value: Value, style: Any = None) -> None:
    """Write one cell: a number as a number, a text as a text."""
    if value is None:
        sheet.write_blank(row, column, None, style)
    elif isinstance(value, str):
        sheet.write_string(row, column, inert(value)[:_LONGEST], style)
    else:
        sheet.write_number(row, column, value, style)
