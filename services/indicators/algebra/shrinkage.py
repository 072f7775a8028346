"""Empirical Bayes: what the other schools of a procedure say about the share of a small one.

The shares of the schools are taken to vary around the region's share by a beta law, and the low results
within a school to be binomial. The share of a school is then drawn towards the region's the more, the
fewer took part: ``(k + M P) / (n + M)``.

Source: methodology B5, beta-binomial shrinkage: ``M = (1 - rho) / rho``,
``rho = (MSB - MSW) / (MSB + (n0 - 1) MSW)``, ``MSB = sum n (p - P)^2 / (k - 1)``,
``MSW = sum n p (1 - p) / (N - k)``, ``n0 = (N - sum n^2 / N) / (k - 1)`` for k schools, N participants.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

from services.indicators.algebra.shares import round_half_up

__all__ = ["Prior", "prior_of", "shrunken", "shrunken_from"]

WEIGHT_DIGITS = 9
"""Digits after the point of a prior's weight and rho: what a run keeps and a person can copy."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What the schools of a procedure have in common.

    ``share`` is the share of all participants together; ``weight`` is M, in participants, or None for
    "without end": the schools differ no more than chance makes them, and each is drawn to ``share``
    altogether. ``rho`` is the likeness of two participants of one school.
    """

    share: Fraction
    rho: Fraction
    weight: Fraction | None
    schools: int

    def texts(self) -> dict[str, str | int | None]:
        """Give the prior as plain JSON values, exact."""
        return {
            "share": str(self.share),
            "rho": str(self.rho),
            "weight": None if self.weight is None else str(self.weight),
            "schools": self.schools,
        }

    @classmethod
    def from_texts(cls, texts: Mapping[str, Any]) -> Self:
        """Read back what `texts` gave."""
        weight = texts["weight"]
        return cls(
            share=Fraction(texts["share"]),
            rho=Fraction(texts["rho"]),
            weight=None if weight is None else Fraction(weight),
            schools=int(texts["schools"]),
        )


def prior_of(cells: Mapping[tuple[int, int], int]) -> Prior | None:
    """Estimate the prior from all schools of a procedure.

    ``cells`` says how many schools have ``(low, n)``; their order does not matter.
    None where it cannot be estimated: fewer than two schools, or never two participants in a school.
    Rho and the weight are exact rationals rounded half up to nine digits after the point, once, here.
    A rho of 0 or less means that the shares differ no more than by chance.
    """
    # Sums of integers by the size of the school: exact, and in no order.
    people, low, squares, schools = 0, 0, 0, 0
    squared_low: dict[int, int] = {}
    for (k, n), many in cells.items():
        if n == 0:
            continue
        people, low = people + n * many, low + k * many
        squares, schools = squares + n * n * many, schools + many
        squared_low[n] = squared_low.get(n, 0) + k * k * many
    if schools < 2 or people == schools:
        return None
    within_shares = sum(
        (Fraction(total, n) for n, total in sorted(squared_low.items())), Fraction()
    )
    between = (within_shares - Fraction(low * low, people)) / (schools - 1)
    within = (low - within_shares) / (people - schools)
    n0 = (people - Fraction(squares, people)) / (schools - 1)
    spread = between + (n0 - 1) * within
    likeness = (between - within) / spread if spread else Fraction(0)
    share, rho = Fraction(low, people), _rounded(likeness)
    if rho <= 0:
        return Prior(share, rho, None, schools)
    return Prior(share, rho, _rounded((1 - likeness) / likeness), schools)


def _rounded(value: Fraction) -> Fraction:
    return Fraction(round_half_up(value, WEIGHT_DIGITS))


def shrunken(low: int, n: int, prior: Prior) -> Fraction:
    """Give the share of a school drawn towards the region's, exactly."""
    if prior.weight is None or n + prior.weight == 0:
        return prior.share
    return (low + prior.weight * prior.share) / (n + prior.weight)


def shrunken_from(n: int, prior: Prior, *, threshold: Fraction, strict: bool) -> int:
    """Find the smallest number of low results whose shrunken share reaches the threshold.

    ``n + 1`` stands for "cannot be reached".
    """
    if prior.weight is None:
        reaches = prior.share > threshold if strict else prior.share >= threshold
        return 0 if reaches else n + 1
    needed = threshold * n + prior.weight * (threshold - prior.share)
    first = needed.numerator // needed.denominator + 1 if strict else -(-needed // 1)
    return min(n + 1, max(0, int(first)))
