"""How small a change can be seen at all, and whether a change that was seen is one.

A change between two measurements with ``n1`` and ``n2`` participants is seen when it is larger than what
chance makes of them. The smallest change that a two-sided test at ``alpha`` finds with the ``power``:
``(z[1 - alpha/2] + z[power]) * sqrt(D * v * (1/n1 + 1/n2))``, ``v`` being ``p (1 - p)`` of a share or the
square of the standard deviation of a mean, ``D`` the design effect ``1 + (m - 1) rho`` of participants who
come ``m`` to a school (Kish).

Source: peers 4 («не менее 3 %» needs about 3 663 takers, a school of 25 sees 36 points only): both follow
from alpha 5 %, power 80 % and a share of 30 %. The interval of the difference of two shares is
Newcombe's (1998, method 10): Wilson's intervals of both, put together. No document of the programme names
alpha or power: they are settings of Opora.
"""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from services.indicators.algebra.binomial import normal_tail
from services.indicators.algebra.shares import round_half_up

__all__ = [
    "Change",
    "Verdict",
    "change_of_shares",
    "design_effect",
    "detectable",
    "needed",
    "quantile",
    "verdict",
]

PLACES = 6
_PRECISION = 40


@lru_cache(maxsize=64)
def quantile(tail: Fraction) -> Fraction:
    """Give the quantile of the normal law that leaves ``tail`` above it, rounded to six digits.

    1.959964 for 1/40, 0.841621 for 1/5. The tail lies between 0 and 1/2.
    """
    below, above = 0, 10 * 10**PLACES
    while above - below > 1:
        middle = (below + above) // 2
        # Half a unit below: the value that is still rounded up to the middle.
        if Fraction(normal_tail(Fraction(2 * middle - 1, 2 * 10**PLACES))) >= tail:
            below = middle
        else:
            above = middle
    return Fraction(below, 10**PLACES)


def design_effect(*, per_school: Fraction, rho: Fraction) -> Fraction:
    """Say how many times the variance grows because participants come ``per_school`` to a school.

    A rho below 0 is taken as 0: schools that are more alike than by chance promise nothing.
    """
    return 1 + max(Fraction(0), per_school - 1) * max(Fraction(0), rho)


def detectable(
    *,
    variance: Fraction,
    before: int,
    after: int,
    alpha: Fraction,
    power: Fraction,
    effect: Fraction = Fraction(1),
    places: int = PLACES,
) -> Decimal | None:
    """Give the smallest change that can be seen, in the unit of the measure; None without people.

    It is rounded half up for display; `needed` and `verdict` decide without it.
    """
    if not before or not after:
        return None
    both = quantile(alpha / 2) + quantile(1 - power)
    square = both**2 * effect * variance * (Fraction(1, before) + Fraction(1, after))
    with localcontext(prec=_PRECISION):
        root = (Decimal(square.numerator) / Decimal(square.denominator)).sqrt()
    return round_half_up(Fraction(root), places)


def needed(
    change: Fraction,
    *,
    variance: Fraction,
    alpha: Fraction,
    power: Fraction,
    effect: Fraction = Fraction(1),
) -> int:
    """Say how many participants before, and as many after, are needed to see the change, exactly."""
    both = quantile(alpha / 2) + quantile(1 - power)
    return max(1, int(-(-2 * both**2 * effect * variance / change**2 // 1)))


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a share from ``before`` to ``after`` and its interval; all are shares, not points."""

    change: Fraction
    lower: Decimal
    upper: Decimal


def change_of_shares(
    before: tuple[int, int],
    after: tuple[int, int],
    *,
    alpha: Fraction,
    effect: Fraction = Fraction(1),
) -> Change | None:
    """Give the change between ``(k1, n1)`` and ``(k2, n2)`` with Newcombe's interval; None for nobody.

    The ends are decimals of 24 digits: a comparison with a target cannot turn on their rounding, for
    they are irrational wherever they matter.
    """
    if not before[1] or not after[1]:
        return None
    with localcontext(prec=_PRECISION):
        one, first = _score(before, alpha, effect)
        other, second = _score(after, alpha, effect)
        difference = other - one
        lower = difference - ((other - second[0]) ** 2 + (first[1] - one) ** 2).sqrt()
        upper = difference + ((second[1] - other) ** 2 + (one - first[0]) ** 2).sqrt()
        unit = Decimal(1).scaleb(-24)
        return Change(
            Fraction(*after) - Fraction(*before), lower.quantize(unit), upper.quantize(unit)
        )


def _score(
    cell: tuple[int, int], alpha: Fraction, effect: Fraction
) -> tuple[Decimal, tuple[Decimal, Decimal]]:
    """Give a share and Wilson's ends for so many participants as count, within a context."""
    share, size = Fraction(*cell), Fraction(cell[1]) / effect
    square = quantile(alpha / 2) ** 2
    centre = _decimal((share + square / (2 * size)) / (1 + square / size))
    spread = (
        square * (share * (1 - share) / size + square / (4 * size**2)) / (1 + square / size) ** 2
    )
    half = _decimal(spread).sqrt()
    return _decimal(share), (max(Decimal(0), centre - half), min(Decimal(1), centre + half))


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


class Verdict(StrEnum):
    """Whether a change that was wanted is there."""

    REACHED = "reached"
    """The change is as large as wanted, and it is not chance: its interval leaves out "no change"."""
    NOT_REACHED = "not_reached"
    """The change is smaller than wanted, and the wanted one is outside its interval."""
    INDISTINGUISHABLE = "indistinguishable"
    """So few took part that the numbers carry neither."""


def verdict(found: Change, wanted: Fraction) -> Verdict:
    """Judge a change against the one wanted: a fall where ``wanted`` is below zero, else a rise.

    "Reached" asks that the change itself is at least the wanted one and that its interval leaves out
    zero; "not reached" that it is smaller and that its interval leaves out the wanted one.
    """
    if not wanted:
        raise ValueError("A target that wants no change cannot be judged by a change")
    change, lower, upper = found.change, Fraction(found.lower), Fraction(found.upper)
    if wanted < 0:
        change, lower, upper, wanted = -change, -upper, -lower, -wanted
    if change >= wanted and lower > 0:
        return Verdict.REACHED
    if change < wanted and upper < wanted:
        return Verdict.NOT_REACHED
    return Verdict.INDISTINGUISHABLE
