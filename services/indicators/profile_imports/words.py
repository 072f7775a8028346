"""What the words and numbers in a cell of a file mean, by the kind of the attribute.

An empty cell is not submitted; «н/п» is not applicable; 0 is zero.
Source: methodology B6 (decimal comma, spaces as Excel writes them), B10 decision 10.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from services.indicators.algebra.columns import PRECISE
from services.indicators.algebra.values import State
from services.indicators.profile_imports.layouts import normal
from services.indicators.profiles.cells import Cell, CellRefused, Kind, checked

__all__ = ["Reading", "meaning_of"]

_NOT_APPLICABLE = frozenset(
    {"н/п", "нп", "н.п.", "не применимо", "неприменимо", "не применяется", "n/a"}
)
_WITHDRAWN = frozenset({"нет сведений", "нет данных", "н/д"})
_YES = frozenset({"да", "есть", "+", "1", "true", "yes"})
_NO = frozenset({"нет", "-", "0", "false", "no"})
_COUNTS = re.compile(r"(\d{1,9})\s*(?:/|из)\s*(\d{1,9})")
_STEP = Decimal("1E-9")
_SPACES = str.maketrans("", "", " \u00a0\u202f")


@dataclass(frozen=True)
class Reading:
    """What a cell says; `is_rounded` when the file has more than nine places."""

    cell: Cell
    is_rounded: bool = False


def meaning_of(text: str, kind: Kind) -> Reading | None:
    """Read a cell; None when nothing was submitted.

    Raises:
        CellRefused: It cannot be read, or does not fit the attribute.
    """
    word = normal(text)
    if not word:
        return None
    if word in _NOT_APPLICABLE:
        return Reading(checked(kind, State.NOT_APPLICABLE))
    if word in _WITHDRAWN:
        return Reading(checked(kind, State.NOT_SUBMITTED))
    if kind is Kind.BOOLEAN:
        return Reading(checked(kind, State.VALUE, value=_truth(word)))
    if kind is Kind.SHARE and (counts := _COUNTS.fullmatch(word)):
        part, whole = int(counts[1]), int(counts[2])
        return Reading(checked(kind, State.VALUE, numerator=part, denominator=whole))
    is_percent = kind is Kind.SHARE and word.endswith("%")
    number = _number(word.removesuffix("%") if is_percent else word)
    if is_percent:
        number = PRECISE.divide(number, Decimal(100))
    fitting = number.quantize(_STEP, rounding=ROUND_HALF_EVEN, context=PRECISE)
    return Reading(checked(kind, State.VALUE, value=fitting), is_rounded=fitting != number)


def _truth(word: str) -> Decimal:
    if word not in _YES | _NO:
        raise CellRefused("not_a_boolean", "value", "Нужно да или нет")
    return Decimal(word in _YES)


def _number(word: str) -> Decimal:
    try:
        number = Decimal(word.translate(_SPACES).replace(",", "."))
    except InvalidOperation:
        raise CellRefused("number_invalid", "value", "Это не число") from None
    if not number.is_finite():
        raise CellRefused("number_invalid", "value", "Это не число")
    if number.adjusted() > 12:
        raise CellRefused("number_too_big", "value", "Число больше 10 в 12-й степени")
    return number
