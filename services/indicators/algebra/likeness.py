"""The common share of schools, and how alike pupils of one school are.

Source: methodology B5: rho = (MSB - MSW) / (MSB + (n0 - 1) MSW). Around it Opora's own care, which no
document asks for: the spread between schools is taken without those that have the highest shares, or the
few that are looked for would hide each other; and since so fewer and tamer schools are left, it is taken at
the upper end of its own uncertainty, and never below a floor. The common share is that of all others:
of a rare thing the left out schools would be just those that have it, and the rest would say "never".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

__all__ = ["Common", "without_each"]

_TINY = 10**12
_MICRO = 10**6
_STANDARD_ERRORS = 4
"""How many standard errors of MSB are added to it; for normal schools one is MSB sqrt(2 / (k - 1))."""
_MOST = Fraction(99, 100)


@dataclass(frozen=True, slots=True)
class Common:
    """What the other schools say."""

    share: Fraction
    """Half a pupil is added on both sides, so that "nobody elsewhere" is not "impossible"."""
    likeness: Fraction
    """Intraclass correlation, from the floor on."""


def without_each(
    cells: Sequence[tuple[int, int]], *, left_out_percent: int, least: Fraction
) -> list[Common | None]:
    """For each school, given as (counted, n), sum up the others; None with fewer than two others.

    The quotients k^2/n are kept with twelve places, rounded down: sums of them are then integers and do
    not depend on the order of schools.

    Args:
        cells: The schools; every n is positive.
        left_out_percent: So many per cent of the schools, those with the highest shares, do not say how
            far schools differ.
        least: The least likeness.
    """
    counted, people = sum(k for k, _ in cells), sum(n for _, n in cells)
    kept = set(_tamest(cells, left_out_percent))
    schools = [(k, n, n * n, k * k * _TINY // n) for k, n in cells]
    sums = [sum(schools[place][column] for place in kept) for column in range(4)]
    out = []
    for place, school in enumerate(schools):
        own = school if place in kept else (0, 0, 0, 0)
        rest = [whole - part for whole, part in zip(sums, own, strict=True)]
        likeness = _likeness(len(kept) - (place in kept), *rest)
        k, n = cells[place]
        out.append(
            None
            if likeness is None
            else Common(
                Fraction(2 * (counted - k) + 1, 2 * (people - n + 1)),
                min(_MOST, max(least, likeness)),
            )
        )
    return out


def _tamest(cells: Sequence[tuple[int, int]], left_out_percent: int) -> list[int]:
    """Name the places of the schools that are listened to; equal shares: the larger school is left out.

    Schools alike in both numbers are interchangeable, so their order does not matter.
    """
    order = sorted(range(len(cells)), key=lambda place: (Fraction(*cells[place]), cells[place][1]))
    return order[: len(cells) - len(cells) * left_out_percent // 100]


def _likeness(many: int, counted: int, n: int, squares: int, parts: int) -> Fraction | None:
    fewest = 2
    if many < fewest or n <= many:
        return None
    quotients = Fraction(parts, _TINY)
    between = (quotients - Fraction(counted * counted, n)) / (many - 1)
    error = Fraction(isqrt(2 * _MICRO * _MICRO // (many - 1)), _MICRO)
    between *= 1 + _STANDARD_ERRORS * error
    within = (counted - quotients) / (n - many)
    size = (n - Fraction(squares, n)) / (many - 1)
    spread = between + (size - 1) * within
    return (between - within) / spread if spread > 0 else Fraction(0)
