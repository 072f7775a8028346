"""Shares as they are: so many of so many, never a float."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

_DISPLAY_PRECISION = 50


@dataclass(frozen=True, slots=True)
class Share:
    """So many (``numerator``) of so many (``denominator``).

    A share of nobody is not zero: with ``denominator == 0`` it has no value.

    Source: methodology A1, F6.
    """

    numerator: int
    denominator: int

    def __post_init__(self) -> None:
        if not 0 <= self.numerator <= self.denominator:
            raise ValueError(f"{self.numerator} of {self.denominator} is not a share")

    @property
    def value(self) -> Fraction | None:
        """The exact value, or None for a share of nobody."""
        return Fraction(self.numerator, self.denominator) if self.denominator else None

    def rounded(self, places: int) -> Decimal | None:
        """Round half up for display, ``places`` digits after the point; None for nobody."""
        return None if self.value is None else round_half_up(self.value, places)

    def percent(self, places: int) -> Decimal | None:
        """Give the share in percent, rounded half up for display; None for nobody."""
        return None if self.value is None else round_half_up(self.value * 100, places)

    def reaches(self, threshold: Fraction, *, strict: bool) -> bool:
        """Say whether the share stands at the threshold or above it (``strict``: above it only).

        Integers are compared, so 3 of 10 stands exactly at 30 %. A share of nobody reaches nothing.
        """
        if not self.denominator:
            return False
        mine = self.numerator * threshold.denominator
        asked = threshold.numerator * self.denominator
        return mine > asked if strict else mine >= asked


def round_half_up(value: Fraction, places: int) -> Decimal:
    """Round a rational half up (away from zero), ``places`` digits after the point.

    The rounding is done on integers: a division in decimals first would round twice.
    """
    scale = 10**places
    doubled = 2 * abs(value.numerator) * scale + value.denominator
    units = doubled // (2 * value.denominator)
    with localcontext(prec=_DISPLAY_PRECISION, rounding=ROUND_HALF_UP):
        magnitude = Decimal(units).scaleb(-places)
    return -magnitude if value < 0 and units else magnitude
