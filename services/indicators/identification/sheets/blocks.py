"""The parts that a decision sheet is made of. Every text in them is safe to print and to copy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from services.indicators.identification.tracing.narration import comma
from services.kit.spreadsheets import inert

__all__ = ["HIDDEN", "NOTHING", "Fact", "Section", "Table", "day", "hidden", "moment", "printed"]

HIDDEN = "скрыто"
"""Stands where the group is so small that the number would point at people."""
NOTHING = "—"


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the head: what it is, and what it says."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table: names of its columns, rows of texts."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Section:
    """A section: a title, then paragraphs, steps in their order, a table."""

    title: str
    paragraphs: Sequence[str] = ()
    steps: Sequence[str] = ()
    table: Table | None = None


def printed(value: object) -> str:
    """Write a value as a cell of a sheet: a decimal comma, a dash for nothing, no control characters.

    A text that a spreadsheet would compute after copying is made inert, as in every file that leaves.
    """
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "да" if value else "нет"
    if isinstance(value, Decimal):
        return format(value, "f").replace(".", ",")
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return day(value)
    # A document is XML: what XML cannot hold is shown as what it is, a character that cannot be read.
    return inert("".join(c if _is_xml(c) else "\ufffd" for c in str(value)))


def _is_xml(character: str) -> bool:
    """Say whether XML 1.0 can hold the character (the production `Char`)."""
    code = ord(character)
    return (
        character == "\t"
        or 0x20 <= code <= 0xD7FF
        or 0xE000 <= code <= 0xFFFD
        or 0x10000 <= code <= 0x10FFFF
    )


def hidden(value: object, name: str, suppressed: Iterable[str]) -> str:
    """Write a number of pupils, or that it is hidden."""
    return HIDDEN if name in suppressed else printed(value)


def day(value: date) -> str:
    """Write a date as Russian papers do."""
    return f"{value:%d.%m.%Y}"


def moment(value: datetime) -> str:
    """Write an instant, in UTC, as the trace gives it."""
    return f"{value:%d.%m.%Y %H:%M} UTC"


def exactly(text: str) -> str:
    """Write an exact number of the trace (a fraction or a decimal) with a decimal comma."""
    return text.replace(".", ",") if "/" not in text else text


def percent(value: Decimal | None) -> str:
    """Write a rounded percentage."""
    return NOTHING if value is None else f"{comma(value)} %"
