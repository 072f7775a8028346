"""Intervals of a share, Wilson's and the exact one, and their ends compared with a threshold.

Source: methodology B5. The ends ``c - h`` and ``c + h`` of Wilson's interval are the roots of
``n (p - t)^2 = z^2 t (1 - t)``; so "the lower end reaches t" is
"p reaches t, and n (p - t)^2 is at least z^2 t (1 - t)", a comparison of integers.
The lower end of the exact interval (Clopper and Pearson) is the share at which ``P(X >= k)`` is the
tail; so "the lower end reaches t" is "P(X >= k | t) is at most the tail", a comparison of integers too.
"""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from math import comb, isqrt
from typing import Literal

from services.indicators.algebra.binomial import first_above, first_in_upper_tail, tail_of
from services.indicators.algebra.exact import Exact, exact
from services.indicators.algebra.shares import round_half_up

Kind = Literal["wilson", "exact"]
"""Which interval decides."""

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


def clopper_pearson(low: int, n: int, *, z: Exact, places: int = 6) -> Interval | None:
    """Give the exact interval for ``low`` of ``n``; None when there is nobody.

    The tail on each side is what the quantile ``z`` leaves (`tail_of`). The ends are rounded half up to
    ``places`` digits and are for people to read; decisions are made by `cuts`.
    """
    if n == 0:
        return None
    tail = tail_of(z)
    lower = _end(low, n, tail, places) if low else Decimal(0)
    upper = 1 - _end(n - low, n, tail, places) if low < n else Decimal(1)
    unit = Decimal(1).scaleb(-places)
    return Interval(lower=lower.quantize(unit), upper=upper.quantize(unit))


def _end(low: int, n: int, tail: Fraction, places: int) -> Decimal:
    """Find the share at which P(X >= low) is the tail, by halving between the rounded values."""
    below, above = 0, 10**places
    with localcontext(prec=_PRECISION):
        limit = Decimal(tail.numerator) / Decimal(tail.denominator)
        while above - below > 1:
            middle = (below + above) // 2
            # Half a unit below: the value that is still rounded up to the middle.
            share = (Decimal(2 * middle - 1) / 2).scaleb(-places)
            if _tail_at(low, n, share) <= limit:
                below = middle
            else:
                above = middle
        return Decimal(below).scaleb(-places)


def _tail_at(low: int, n: int, share: Decimal) -> Decimal:
    """Give P(X >= low) in decimals; called within a context of `_PRECISION` digits."""
    odds = share / (1 - share)
    term = comb(n, low) * share**low * (1 - share) ** (n - low)
    total = Decimal(0)
    for k in range(low, n + 1):
        total += term
        term = term * (n - k) * odds / (k + 1)
        if term < total.scaleb(-_PRECISION):
            break
    return total


def interval(low: int, n: int, *, kind: Kind, z: Exact, places: int = 6) -> Interval | None:
    """Give the interval that the methodology asks for."""
    form = wilson if kind == "wilson" else clopper_pearson
    return form(low, n, z=z, places=places)


@dataclass(frozen=True, slots=True)
class Cuts:
    """For one ``n``: the smallest number of low results that reaches each certainty.

    ``n + 1`` stands for "cannot be reached". Always ``not_excluded <= possible <= certain``.
    """

    not_excluded: int
    possible: int
    certain: int


def cuts(n: int, *, threshold: Fraction, strict: bool, z: Exact, kind: Kind = "wilson") -> Cuts:
    """Find the numbers of low results at which the classes of certainty begin, exactly.

    ``possible``: the share itself reaches the threshold; ``certain``: the lower end of the interval
    does; ``not_excluded``: the upper end does. ``strict`` asks for "above" instead of "at or above" in
    all three.

    Source: methodology B5, decision classes.
    """
    if not 0 < threshold < 1:
        raise ValueError("A threshold of a share lies strictly between 0 and 1")
    if n == 0:
        return Cuts(1, 1, 1)
    a, d = threshold.numerator, threshold.denominator
    possible = n * a // d + 1 if strict else -(-n * a // d)
    ends = _wilson_cuts if kind == "wilson" else _exact_cuts
    not_excluded, certain = ends(n, threshold, exact(z), strict=strict)
    return Cuts(
        not_excluded=min(n + 1, possible, max(0, not_excluded)),
        possible=min(n + 1, possible),
        certain=min(n + 1, max(possible, certain)),
    )


def _wilson_cuts(n: int, threshold: Fraction, z: Fraction, *, strict: bool) -> tuple[int, int]:
    a, d = threshold.numerator, threshold.denominator
    # |k d - n a| is compared with sqrt(z^2 n a (d - a)): integers against an integer root.
    radicand = z**2 * n * a * (d - a)
    floor_root = isqrt(radicand.numerator // radicand.denominator)
    is_whole_root = Fraction(floor_root) ** 2 == radicand
    ceil_root = floor_root if is_whole_root else floor_root + 1
    if strict:
        # Strictly more than the root: the next integer after its floor.
        return (n * a - ceil_root) // d + 1, (n * a + floor_root + 1 + d - 1) // d
    return -(-(n * a - floor_root) // d), -(-(n * a + ceil_root) // d)


@lru_cache(maxsize=4096)
def _exact_cuts(n: int, threshold: Fraction, z: Fraction, *, strict: bool) -> tuple[int, int]:
    tail = tail_of(z)
    return (
        first_above(n, threshold, tail, strict=strict),
        first_in_upper_tail(n, threshold, tail, strict=strict),
    )
