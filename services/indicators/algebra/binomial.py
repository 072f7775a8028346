"""Tails of the binomial law in integers, and the tail that a quantile of the normal law leaves.

Source: methodology B5, exact test ``P(X >= k | 0.30)``.
"""

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache

from services.indicators.algebra.exact import Exact, exact

__all__ = [
    "first_above",
    "first_in_upper_tail",
    "lower_tail",
    "normal_tail",
    "tail_of",
    "upper_tail",
]

_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899")
_PRECISION = 70
TAIL_DIGITS = 6
"""Significant digits of a tail that is derived from a quantile."""


def upper_tail(low: int, n: int, share: Fraction) -> Fraction:
    """Give P(X >= low) exactly, X being so many of ``n`` with the probability ``share`` each."""
    return 1 - lower_tail(low - 1, n, share)


def lower_tail(low: int, n: int, share: Fraction) -> Fraction:
    """Give P(X <= low) exactly."""
    if low < 0:
        return Fraction(0)
    a, d = share.numerator, share.denominator
    term, total = (d - a) ** n, 0
    for k in range(min(low, n) + 1):
        total += term
        term = term * (n - k) * a // ((k + 1) * (d - a))
    return Fraction(total, d**n)


def first_in_upper_tail(n: int, share: Fraction, tail: Fraction, *, strict: bool) -> int:
    """Find the smallest ``k`` with P(X >= k) <= tail (``strict``: < tail); ``n + 1`` if there is none."""
    a, d = share.numerator, share.denominator
    # Both sides multiplied by the denominators: integers from here on.
    limit = tail.numerator * d**n
    term, total, k = a**n, 0, n
    while k >= 0:
        total += term
        reached = total * tail.denominator
        if reached > limit or (strict and reached == limit):
            return k + 1
        term = term * k * (d - a) // ((n - k + 1) * a)
        k -= 1
    return 0


def first_above(n: int, share: Fraction, tail: Fraction, *, strict: bool) -> int:
    """Find the smallest ``k`` with P(X <= k) >= tail (``strict``: > tail); it is never above ``n``."""
    a, d = share.numerator, share.denominator
    limit = tail.numerator * d**n
    term, total, k = (d - a) ** n, 0, 0
    while k < n:
        total += term
        reached = total * tail.denominator
        if reached > limit or (not strict and reached == limit):
            return k
        term = term * (n - k) * a // ((k + 1) * (d - a))
        k += 1
    return n


@lru_cache(maxsize=64)
def tail_of(z: Exact) -> Fraction:
    """Give the share of the normal law above ``z``, rounded half up to six significant digits.

    The quantile of the document is itself rounded (1.959964 stands for 2.5 % on each side), so the
    tail is rounded back to the number that was meant: 0.0250000.
    """
    with localcontext(prec=TAIL_DIGITS, rounding=ROUND_HALF_UP):
        return Fraction(+normal_tail(exact(z)))


def normal_tail(z: Fraction) -> Decimal:
    """Give the share of the normal law above ``z`` to more digits than are ever shown."""
    with localcontext(prec=_PRECISION, rounding=ROUND_HALF_UP):
        quantile = Decimal(z.numerator) / Decimal(z.denominator)
        square = quantile * quantile
        term = total = quantile
        odd = 1
        # 1/2 + density * (z + z^3/3 + z^5/15 + ...): every term is positive, nothing cancels.
        while term > total.scaleb(-_PRECISION):
            odd += 2
            term = term * square / odd
            total += term
        density = (-square / 2).exp() / (2 * _PI).sqrt()
        return Decimal("0.5") - density * total
