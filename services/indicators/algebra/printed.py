"""Printed percents and the counts they can stand for, exactly.

Source: seed-arithmetic 1.1 (printed percents mix rounding and truncation: 42,8 and 4,7 are cut, the
others rounded; 42,8 % of 63 can only be 27).
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from services.indicators.algebra.shares import round_half_up

__all__ = ["PrintedPercent", "Printing", "counts_printed_as", "printing_of", "read_percent"]


class Printing(StrEnum):
    """How a printed percent comes from its count."""

    EXACT = "exact"
    ROUNDED = "rounded"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class PrintedPercent:
    """A percent as it was printed: its value, its digits after the point, whether it has its sign."""

    value: Decimal
    places: int
    has_sign: bool


def read_percent(text: str) -> PrintedPercent:
    """Read "42,8 %", "42.8%" or "6,35".

    Raises:
        ValueError: The text is no percent.
    """
    plain = text.replace("\N{NO-BREAK SPACE}", " ").strip()
    has_sign = plain.endswith("%")
    number = plain.removesuffix("%").strip().replace(",", ".")
    whole, _, digits = number.partition(".")
    if not whole.isdecimal() or (digits and not digits.isdecimal()) or number.endswith("."):
        raise ValueError(f"«{text}» — не процент")
    return PrintedPercent(Decimal(number), len(digits), has_sign)


def printing_of(count: int, total: int, printed: PrintedPercent) -> Printing | None:
    """Say how ``count`` of ``total`` gives the printed percent; None when it does not."""
    if total == 0:
        return None
    share = Fraction(count * 100, total)
    if share == Fraction(printed.value):
        return Printing.EXACT
    if round_half_up(share, printed.places) == printed.value:
        return Printing.ROUNDED
    unit = 10**printed.places
    if Fraction(share.numerator * unit // share.denominator, unit) == Fraction(printed.value):
        return Printing.TRUNCATED
    return None


def counts_printed_as(printed: PrintedPercent, total: int) -> list[int]:
    """List the counts of ``total`` that could have been printed so, by rounding or by truncation."""
    unit = Fraction(1, 10**printed.places)
    lowest = (Fraction(printed.value) - unit) * total / 100
    highest = (Fraction(printed.value) + unit) * total / 100
    first = max(0, -(-lowest.numerator // lowest.denominator))
    last = min(total, highest.numerator // highest.denominator)
    return [k for k in range(first, last + 1) if printing_of(k, total, printed) is not None]
