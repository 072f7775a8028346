"""How probable it is that the true share of a school reaches the threshold, given the other schools.

The share of a school has, after its results are known, the beta law with ``a = k + M P`` and
``b = n - k + M (1 - P)`` (see `shrinkage`). The probability is worked out in decimals of fixed precision,
so it is the same on every machine, and is rounded half up to nine digits.

Source: methodology B5, beta-binomial; peers 3, the probability of the class. The series are the ones
of the NIST Digital Library of Mathematical Functions, 8.17.8 (incomplete beta) and 5.11.1 (gamma).
"""

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache

from services.indicators.algebra.shrinkage import Prior

__all__ = ["probability_at_least"]

PLACES = 9
_PRECISION = 50
_LN_SQRT_TAU = Decimal("0.91893853320467274178032973640561763986139747363778341281715154048")
_SHIFT = 40
# Bernoulli numbers B2k / (2k (2k - 1)): with arguments above 40 the next term is below 1e-35.
_STIRLING = [
    Fraction(1, 12),
    Fraction(-1, 360),
    Fraction(1, 1260),
    Fraction(-1, 1680),
    Fraction(1, 1188),
    Fraction(-691, 360360),
    Fraction(1, 156),
    Fraction(-3617, 122400),
    Fraction(43867, 244188),
    Fraction(-174611, 125400),
    Fraction(77683, 5796),
]


@lru_cache(maxsize=65536)
def probability_at_least(low: int, n: int, prior: Prior, threshold: Fraction) -> Decimal:
    """Give the probability that the share of the school is at the threshold or above it.

    The law has no lumps, so "above" and "at or above" are the same, except where the weight of the
    prior has no end or is 0, or its share is 0 or 1: then the share is taken as known.
    """
    if prior.weight is None:
        return _known(prior.share, threshold)
    a = low + prior.weight * prior.share
    b = n - low + prior.weight * (1 - prior.share)
    if a == 0 or b == 0:
        return _known(Fraction(0) if a == 0 else Fraction(1), threshold)
    with localcontext(prec=_PRECISION, rounding=ROUND_HALF_UP):
        # The series is quick on the side of the threshold where there is less of the law.
        if threshold * (a + b) <= a:
            value = 1 - _lower(a, b, threshold)
        else:
            value = _lower(b, a, 1 - threshold)
        bounded = min(Decimal(1), max(Decimal(0), value))
        return bounded.quantize(Decimal(1).scaleb(-PLACES))


def _known(share: Fraction, threshold: Fraction) -> Decimal:
    return Decimal(int(share >= threshold)).quantize(Decimal(1).scaleb(-PLACES))


def _lower(a: Fraction, b: Fraction, x: Fraction) -> Decimal:
    """Give the regularised incomplete beta function, within a context of `_PRECISION` digits."""
    one, other, at = _decimal(a), _decimal(b), _decimal(x)
    term = total = Decimal(1)
    step = 0
    while term > total.scaleb(-_PRECISION):
        term = term * at * (one + other + step) / (one + 1 + step)
        total += term
        step += 1
    front = (
        one * at.ln()
        + other * (1 - at).ln()
        + _ln_gamma(one + other)
        - _ln_gamma(one)
        - _ln_gamma(other)
    )
    return front.exp() * total / one


def _ln_gamma(value: Decimal) -> Decimal:
    product = Decimal(1)
    while value < _SHIFT:
        product *= value
        value += 1
    series = sum((_decimal(c) / value ** (2 * k + 1) for k, c in enumerate(_STIRLING)), Decimal(0))
    return (value - Decimal("0.5")) * value.ln() - value + _LN_SQRT_TAU + series - product.ln()


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)
