"""Columns of exact numbers: their moments do not depend on the order of the schools.

A column is held as integers over one power of ten, so sums are exact. Only square roots, logarithms
and quotients are rounded: to 50 significant digits, half to even, whatever the machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from functools import cached_property

__all__ = ["PRECISE", "Column", "as_decimal", "correlation", "quotients", "rounded"]

PRECISE = Context(prec=50, rounding=ROUND_HALF_EVEN)
"""Arithmetic of what cannot be exact; answers are shown with 9 digits, far from its rounding."""

_EXACT = Context(prec=400, rounding=ROUND_HALF_EVEN)
_SHOWN = Decimal("1E-9")
_DERIVED = Decimal("1E-24")
"""Ratios and logarithms are kept with 24 places and exact from there on."""


def rounded(value: Decimal) -> Decimal:
    """Round to 9 places, half to even: how numbers leave the algebra."""
    # Plus: rounding may leave a zero with a sign, which would read as a small negative number.
    return _EXACT.plus(value.quantize(_SHOWN, rounding=ROUND_HALF_EVEN, context=_EXACT))


def as_decimal(value: Fraction) -> Decimal:
    """Give a rational with 50 significant digits."""
    return PRECISE.divide(Decimal(value.numerator), Decimal(value.denominator))


@dataclass(frozen=True)
class Column:
    """One number per school in a fixed order; None where there is none."""

    units: tuple[int | None, ...]
    places: int
    """A number is its units divided by ten to this power."""

    @classmethod
    def of(cls, values: Sequence[Decimal | None]) -> "Column":
        """Take numbers as they are, without rounding."""
        places = max((_places(value) for value in values if value is not None), default=0)
        return cls(
            tuple(None if value is None else int(value.scaleb(places, _EXACT)) for value in values),
            places,
        )

    @cached_property
    def n(self) -> int:
        """How many schools have a number."""
        return sum(unit is not None for unit in self.units)

    @cached_property
    def total(self) -> int:
        """The sum of the units."""
        return sum(unit for unit in self.units if unit is not None)

    @cached_property
    def spread(self) -> int:
        """N times the sum of squares less the square of the sum, in units: n squared variances."""
        squares = sum(unit * unit for unit in self.units if unit is not None)
        return self.n * squares - self.total * self.total

    @property
    def mean(self) -> Decimal | None:
        """The mean; None of nothing."""
        if not self.n:
            return None
        return PRECISE.divide(Decimal(self.total), Decimal(self.n * 10**self.places))

    def deviation(self, *, degrees_lost: int = 0) -> Decimal | None:
        """Give the standard deviation: divided by n (the population), or by n less `degrees_lost`.

        None where there are not more numbers than degrees lost.
        """
        if self.n <= degrees_lost:
            return None
        scale = Decimal(10**self.places)
        with localcontext(PRECISE):
            spread = Decimal(self.spread) / (self.n * (self.n - degrees_lost))
            return spread.sqrt() / scale

    @property
    def least(self) -> Decimal | None:
        """The smallest number; None of nothing."""
        return self._number(min((u for u in self.units if u is not None), default=None))

    @property
    def greatest(self) -> Decimal | None:
        """The greatest number; None of nothing."""
        return self._number(max((u for u in self.units if u is not None), default=None))

    def numbers(self) -> list[Decimal | None]:
        """Give the numbers back, exact."""
        return [self._number(unit) for unit in self.units]

    def standard_scores(self) -> list[Decimal | None]:
        """Give (x - mean) / population deviation of each school; 0 where all are equal.

        Source: methodology B3, (ii).
        """
        with localcontext(PRECISE):
            root = Decimal(self.spread).sqrt()
            return [
                None
                if unit is None
                else (Decimal(self.n * unit - self.total) / root if root else Decimal(0))
                for unit in self.units
            ]

    def logarithms(self) -> list[Decimal | None]:
        """Give natural logarithms; None also where the number is not positive."""
        scale = Decimal(10**self.places)
        with localcontext(PRECISE):
            return [
                (Decimal(unit) / scale).ln().quantize(_DERIVED) if unit and unit > 0 else None
                for unit in self.units
            ]

    def _number(self, unit: int | None) -> Decimal | None:
        return None if unit is None else Decimal(unit).scaleb(-self.places, _EXACT)


def quotients(over: Column, under: Column) -> list[Decimal | None]:
    """Divide two columns; None where either is missing or the divisor is zero."""
    with localcontext(PRECISE):
        scale = Decimal(10) ** (under.places - over.places)
        return [
            (Decimal(top) / Decimal(bottom) * scale).quantize(_DERIVED)
            if top is not None and bottom
            else None
            for top, bottom in zip(over.units, under.units, strict=True)
        ]


def correlation(one: Column, other: Column) -> tuple[int, Decimal | None]:
    """Give n and Pearson's correlation over the schools that have both; None if one is constant."""
    pairs = [
        (a, b)
        for a, b in zip(one.units, other.units, strict=True)
        if a is not None and b is not None
    ]
    left = Column(tuple(a for a, _ in pairs), one.places)
    right = Column(tuple(b for _, b in pairs), other.places)
    if not left.spread or not right.spread:
        return len(pairs), None
    shared = len(pairs) * sum(a * b for a, b in pairs) - left.total * right.total
    with localcontext(PRECISE):
        return len(pairs), Decimal(shared) / (
            Decimal(left.spread).sqrt() * Decimal(right.spread).sqrt()
        )


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise TypeError("A column holds finite numbers")
    return max(0, -exponent)
