"""The common share of schools, and how alike pupils of one school are.

Source: methodology B5: rho = (MSB - MSW) / (MSB + (n0 - 1) MSW).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Common", "without_each"]

_TINY = 10**12


@dataclass(frozen=True, slots=True)
class Common:
    """What the other schools say."""

    counted: int
    n: int
    share: Fraction
    """Half a pupil is added on both sides, so that "nobody elsewhere" is not "impossible"."""
    likeness: Fraction
    """Intraclass correlation; 0 when schools differ no more than by chance."""


def without_each(cells: Sequence[tuple[int, int]]) -> list[Common | None]:
    """For each school, given as (counted, n), sum up the others; None with fewer than two others.

    The quotients k^2/n are kept with twelve places, rounded down: sums of them are then integers and do
    not depend on the order of schools.
    """
    schools = [(k, n, k * k * _TINY // n) for k, n in cells]
    many = len(schools)
    counted, people = sum(k for k, _, _ in schools), sum(n for _, n, _ in schools)
    squares, parts = sum(n * n for _, n, _ in schools), sum(q for _, _, q in schools)
    return [
        _common(many - 1, counted - k, people - n, squares - n * n, Fraction(parts - q, _TINY))
        for k, n, q in schools
    ]


def _common(many: int, counted: int, n: int, squares: int, parts: Fraction) -> Common | None:
    fewest = 2
    if many < fewest or n <= many:
        return None
    between = (parts - Fraction(counted * counted, n)) / (many - 1)
    within = (counted - parts) / (n - many)
    size = (n - Fraction(squares, n)) / (many - 1)
    spread = between + (size - 1) * within
    likeness = (between - within) / spread if spread > 0 else Fraction(0)
    limit = Fraction(99, 100)
    return Common(
        counted,
        n,
        Fraction(2 * counted + 1, 2 * (n + 1)),
        min(limit, max(Fraction(0), likeness)),
    )
