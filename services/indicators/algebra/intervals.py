"""Wilson's interval of a share, and its ends compared with a threshold without a root.

Source: methodology B5. The ends ``c - h`` and ``c + h`` are the roots of
``n (p - t)^2 = z^2 t (1 - t)``; so "the lower end reaches t" is
"p reaches t, and n (p - t)^2 is at least z^2 t (1 - t)", a comparison of integers.
"""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from math import isqrt

from services.indicators.algebra.exact import Exact, exact
from services.indicators.algebra.shares import round_half_up

_PRECISION = 40


@dataclass(frozen=True, slots=True)
class Interval:
    """The two ends of an interval of a share, as decimals for display."""

    lower: Decimal
    upper: Decimal


def wilson(low: int, n: int, *, z: Exact, places: int = 6) -> Interval | None:
    """Give Wilson's interval for ``low`` of ``n``; None when there is nobody.

    The ends are rounded half up to ``places`` digits and are for people to read; decisions are
    made by `cuts`, which needs no root. ``z`` is the quantile, 1.959964 for 95 %.
    """
    if n == 0:
        return None
    quantile = exact(z)
    share = Fraction(low, n)
    square = quantile * quantile
    widened = 1 + square / n
    centre = (share + square / (2 * n)) / widened
    spread = quantile**2 * (share * (1 - share) / n + square / (4 * n * n)) / widened**2
    with localcontext(prec=_PRECISION):
        half = (Decimal(spread.numerator) / Decimal(spread.denominator)).sqrt()
    reach = Fraction(half)
    return Interval(
        lower=round_half_up(max(Fraction(0), centre - reach), places),
        upper=round_half_up(min(Fraction(1), centre + reach), places),
    )


@dataclass(frozen=True, slots=True)
class Cuts:
    """For one ``n``: the smallest number of low results that reaches each certainty.

    ``n + 1`` stands for "cannot be reached". Always ``not_excluded <= possible <= certain``.
    """

    not_excluded: int
    possible: int
    certain: int


def cuts(n: int, *, threshold: Fraction, strict: bool, z: Exact) -> Cuts:
    """Find the numbers of low results at which the classes of certainty begin, exactly.

    ``possible``: the share itself reaches the threshold; ``certain``: the lower end of Wilson's
    interval does; ``not_excluded``: the upper end does. ``strict`` asks for "above" instead of
    "at or above" in all three.

    Source: methodology B5, decision classes.
    """
    if not 0 < threshold < 1:
        raise ValueError("A threshold of a share lies strictly between 0 and 1")
    if n == 0:
        return Cuts(1, 1, 1)
    a, d = threshold.numerator, threshold.denominator
    square = exact(z) ** 2
    # |k d - n a| is compared with sqrt(z^2 n a (d - a)): integers against an integer root.
    radicand = square * n * a * (d - a)
    floor_root = isqrt(radicand.numerator // radicand.denominator)
    is_whole_root = Fraction(floor_root) ** 2 == radicand
    ceil_root = floor_root if is_whole_root else floor_root + 1
    if strict:
        possible = n * a // d + 1
        # Strictly more than the root: the next integer after its floor.
        certain = max(possible, (n * a + floor_root + 1 + d - 1) // d)
        not_excluded = (n * a - ceil_root) // d + 1
    else:
        possible = -(-n * a // d)
        certain = max(possible, -(-(n * a + ceil_root) // d))
        not_excluded = -(-(n * a - floor_root) // d)
    return Cuts(
        not_excluded=min(n + 1, max(0, not_excluded)),
        possible=min(n + 1, possible),
        certain=min(n + 1, certain),
    )
