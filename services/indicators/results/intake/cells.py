"""One cell: text in, a typed value or the number of the rule it breaks out.

Each distinct text of a batch is read once, so these may be plain Python. A text leaves the child
only in a shape its column allows: what a person could have written by mistake (a name in a
shifted column) becomes a description of itself.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from services.indicators.results.layouts import Column


class Reading(NamedTuple):
    """What one text means: at most one of `value` and `rule` is set; both empty = a blank cell."""

    value: int | str | None
    rule: int | None = None
    sample: str | None = None


Reader = Callable[[str], Reading]
BLANK = Reading(None)

_NUMBERISH = re.compile(r"[0-9.,+\-/ ]{1,20}")
_SCHOOL = re.compile(r"(?:edu|sch)?\d{1,12}", re.IGNORECASE)
_LABEL = re.compile(r"\d{1,2}\s?[-«\"]?\s?[А-ЯЁA-Zа-яёa-z]{0,2}\d{0,2}[»\"]?|[А-ЯЁA-Z]\d?")
_SCORE = re.compile(r"([+-]?)(\d{1,6})(?:[.,](\d{1,12}))?")
_INTEGER = re.compile(r"([+-]?\d{1,9})(?:[.,]0+)?")
_RUSSIAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ T].*)?")
_ISO_DATE = re.compile(r"(\d{4})[-.](\d{1,2})[-.](\d{1,2})(?:[ T].*)?")


def shown(text: str) -> str:
    """Give a sample that cannot be personal: numbers as they are, words only as their length."""
    return text if _NUMBERISH.fullmatch(text) else f"текст, {len(text)} зн."


def school_code(text: str) -> str:
    """Write a school's code or login the same way everywhere: Excel loses leading zeros."""
    code = text.strip().lower()
    return code.lstrip("0") or code if code.isdigit() else code


def reader(column: Column, subjects: frozenset[str]) -> Reader:
    """Choose how the cells of a column are read; `subjects` are the words a subject may be."""
    missing = frozenset(column.missing)

    statuses = dict(column.values)
    # Pseudonyms and keys are not here: they are replaced by a hash before they could be read.
    readers: dict[str, Reader] = {
        "school": _school,
        "subject": lambda text: _subject(text, subjects),
        "integer": _integer,
        "score": _score,
        "label": lambda text: Reading(text) if _LABEL.fullmatch(text) else BLANK,
        "status": lambda text: _status(text, statuses),
        "date": _date,
        "journal": _journal,
    }
    read = readers[column.kind]
    return lambda text: BLANK if not text or text.lower() in missing else read(text)


def _school(text: str) -> Reading:
    if _SCHOOL.fullmatch(text) is None:
        return Reading(None, 5, shown(text))
    return Reading(school_code(text))


def _subject(text: str, subjects: frozenset[str]) -> Reading:
    word = " ".join(text.lower().split())
    if word.isdigit():
        return Reading(word.lstrip("0")[:6] or "0")
    if word in subjects:
        return Reading(word)
    return Reading(None, 8, shown(text))


def _score(text: str) -> Reading:
    """Read a score in thousandths, exactly."""
    match = _SCORE.fullmatch(text)
    if match is None:
        return Reading(None, 10, shown(text))
    sign, whole, fraction = match[1], match[2], (match[3] or "").rstrip("0")
    if len(fraction) > 3:
        return Reading(None, 13, text)
    milli = int(whole) * 1000 + int((fraction + "000")[:3])
    if sign == "-" and milli:
        return Reading(None, 11, text)
    return Reading(milli)


def _integer(text: str) -> Reading:
    match = _INTEGER.fullmatch(text)
    return Reading(int(Decimal(match[1]))) if match else Reading(None, 15, shown(text))


def _journal(text: str) -> Reading:
    """Read a mark of the school's journal: 1 to 5. What else stands there does not spoil the result."""
    match = _INTEGER.fullmatch(text)
    mark = int(Decimal(match[1])) if match else 0
    return Reading(mark) if 1 <= mark <= 5 else Reading(None, 29, shown(text))


def _status(text: str, words: dict[str, int]) -> Reading:
    value = words.get(text.lower())
    return Reading(None, 17, shown(text)) if value is None else Reading(value)


def _date(text: str) -> Reading:
    """Read a date as the number of days since 1970-01-01."""
    if match := _RUSSIAN_DATE.fullmatch(text):
        day, month, year = (int(part) for part in match.groups())
    elif match := _ISO_DATE.fullmatch(text):
        year, month, day = (int(part) for part in match.groups())
    else:
        return Reading(None, 18, shown(text))
    try:
        return Reading((date(year, month, day) - date(1970, 1, 1)).days)
    except ValueError:
        return Reading(None, 18, shown(text))
