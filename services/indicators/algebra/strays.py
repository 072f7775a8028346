"""Schools that stand away from where the others let one expect them: how far, in their own noise.

A school of twenty pupils strays by chance further than one of two hundred. So the distance is measured
against two spreads: that of schools of endless size, estimated from the middle of all schools (a few
far ones do not hide each other in it), and the school's own noise, which follows from its n.

Numbers come in as integers of millionths; lines are rational, roots are decimal.
Source: methodology B4, O3 (residual of one procedure on another, same cohort) and O4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

from services.indicators.algebra.tails import PRECISE, decimal_of

__all__ = ["Point", "Stray", "around_the_line", "around_the_middle", "percentile"]

_SHOWN = Decimal("1e-9")
_FEWEST_ON_A_LINE = 3
# Of a normal distribution the middle of the distances is 0.6745 of the standard deviation.
_MIDDLE = Fraction(14826, 10_000)


@dataclass(frozen=True, slots=True)
class Point:
    """One school: what is known (x), what is asked about (y), both in millionths."""

    x: int
    y: int
    noise: Fraction
    """Variance that y has of itself, because few pupils are measured; squared millionths."""
    x_noise: Fraction = Fraction(0)
    """The same of x; it counts by the square of the slope."""


@dataclass(frozen=True, slots=True)
class Stray:
    """How far one school is from what is expected of it."""

    expected: Decimal
    """In millionths, 9 digits."""
    residual: Decimal
    z: Decimal


def around_the_line(points: Sequence[Point]) -> list[Stray] | None:
    """Compare each school with the line through all others; None where no line is determined."""
    n = len(points)
    if n <= _FEWEST_ON_A_LINE:
        return None
    sx, sy = sum(p.x for p in points), sum(p.y for p in points)
    sxx, sxy = sum(p.x * p.x for p in points), sum(p.x * p.y for p in points)
    found: list[tuple[Fraction, Fraction]] = []
    for p in points:
        ox, oy = sx - p.x, sy - p.y
        spread = (n - 1) * (sxx - p.x * p.x) - ox * ox
        if not spread:
            return None
        slope = Fraction((n - 1) * (sxy - p.x * p.y) - ox * oy, spread)
        expected = (oy - slope * ox) / (n - 1) + slope * p.x
        found.append((expected, p.noise + slope * slope * p.x_noise))
    return _strays(points, found)


def around_the_middle(points: Sequence[Point]) -> list[Stray] | None:
    """Compare each school with the middle of all schools (the median of y)."""
    if len(points) < _FEWEST_ON_A_LINE:
        return None
    middle = _median([Fraction(p.y) for p in points])
    return _strays(points, [(middle, p.noise) for p in points])


def _strays(
    points: Sequence[Point], expected: Sequence[tuple[Fraction, Fraction]]
) -> list[Stray] | None:
    residuals = [p.y - at for p, (at, _) in zip(points, expected, strict=True)]
    typical = _MIDDLE * _median([abs(residual) for residual in residuals])
    between = max(Fraction(0), typical * typical - _median([noise for _, noise in expected]))
    out = []
    with localcontext(PRECISE):
        for residual, (at, noise) in zip(residuals, expected, strict=True):
            spread = decimal_of(between + noise).sqrt()
            if not spread:
                return None
            out.append(
                Stray(
                    decimal_of(at).quantize(_SHOWN, ROUND_HALF_UP),
                    decimal_of(residual).quantize(_SHOWN, ROUND_HALF_UP),
                    (decimal_of(residual) / spread).quantize(_SHOWN, ROUND_HALF_UP),
                )
            )
    return out


def _median(values: Sequence[Fraction]) -> Fraction:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def percentile(values: Sequence[int], percent: int) -> int:
    """Give the smallest value below or at which at least `percent` of the values lie (nearest rank)."""
    ordered = sorted(values)
    rank = -(-percent * len(ordered) // 100)
    return ordered[max(rank, 1) - 1]
