"""How improbable a count is by chance: tails of the distributions that detectors compare with.

Everything is decimal arithmetic of fixed precision, so a probability does not depend on the machine,
the order of schools or a library's approximation; results are rounded half up to 18 places, and zero
means less than 5e-19. Source: methodology B4 ("two-proportion z or exact"), B5 (beta-binomial).
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction

__all__ = [
    "PLACES",
    "PRECISE",
    "beta_binomial_tail",
    "both",
    "decimal_of",
    "normal_tail",
    "probability",
    "sum_of_binomials_tail",
]

PRECISE = Context(prec=50, rounding=ROUND_HALF_EVEN)
"""Digits and rounding that probabilities are computed with, whatever the caller's own are."""

_FINER = Context(prec=70, rounding=ROUND_HALF_EVEN)

PLACES = Decimal("1e-18")
"""To what a probability is rounded before anything is decided by it."""

_NEARLY_ZERO_Z = 12
"""From here on a normal tail is below 2e-33: zero in 18 places."""


def probability(value: Decimal) -> Decimal:
    """Round a probability half up to 18 places, and put what rounding moved out back into 0 to 1."""
    with localcontext(PRECISE):
        return min(Decimal(1), max(Decimal(0), value)).quantize(PLACES, ROUND_HALF_UP)


def decimal_of(value: Fraction) -> Decimal:
    """Divide once, in the context's precision."""
    return Decimal(value.numerator) / Decimal(value.denominator)


def sum_of_binomials_tail(k: int, parts: Sequence[tuple[int, Decimal]]) -> Decimal:
    """Give P(X >= k) of a sum of independent binomials, one `(n, p)` per part."""
    with localcontext(PRECISE):
        masses = [Decimal(1)]
        for n, p in parts:
            masses = _convolved(masses, _binomial(n, p))
        return probability(sum(masses[max(k, 0) :], Decimal(0)))


def _binomial(n: int, p: Decimal) -> list[Decimal]:
    if p in (0, 1):
        return [Decimal(int(x == n * int(p))) for x in range(n + 1)]
    odds = p / (1 - p)
    masses = [(1 - p) ** n]
    for x in range(n):
        masses.append(masses[-1] * (n - x) / (x + 1) * odds)
    return masses


def _convolved(left: Sequence[Decimal], right: Sequence[Decimal]) -> list[Decimal]:
    if len(left) == 1:
        return [left[0] * mass for mass in right]
    out = [Decimal(0)] * (len(left) + len(right) - 1)
    for x, mass in enumerate(left):
        for y, other in enumerate(right):
            out[x + y] += mass * other
    return out


def beta_binomial_tail(k: int, n: int, *, share: Fraction, likeness: Fraction) -> Decimal:
    """Give P(X >= k) for n pupils of a school drawn from schools whose shares differ.

    Args:
        k: How many are counted.
        n: Of how many.
        share: The mean share of the schools, strictly between 0 and 1.
        likeness: Likeness of pupils of one school (intraclass correlation), below 1; 0 or less is
            the plain binomial.
    """
    with localcontext(PRECISE):
        mean = decimal_of(share)
        if likeness <= 0:
            return sum_of_binomials_tail(k, [(n, mean)])
        weight = decimal_of((1 - likeness) / likeness)
        a, b = mean * weight, (1 - mean) * weight
        mass = Decimal(1)
        for i in range(n):
            mass *= (b + i) / (weight + i)
        total = mass if k <= 0 else Decimal(0)
        for x in range(n):
            mass = mass * (n - x) / (x + 1) * (a + x) / (b + n - x - 1)
            if x + 1 >= k:
                total += mass
        return probability(total)


def normal_tail(z: Decimal) -> Decimal:
    """Give the upper tail of the standard normal distribution, P(Z >= z).

    By the series of the middle part, whose terms are all positive:
    phi(z) (z + z^3/3 + z^5/(3·5) + ...) = P(0 <= Z <= z).
    """
    if z < 0:
        return probability(1 - normal_tail(-z))
    if z >= _NEARLY_ZERO_Z:
        return probability(Decimal(0))
    with localcontext(_FINER):
        term, total, odd = z, z, 1
        while term > Decimal("1e-70"):
            odd += 2
            term = term * z * z / odd
            total += term
        density = (-z * z / 2).exp() / (2 * _PI).sqrt()
        return probability(Decimal("0.5") - density * total)


_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620900")


def both(first: Decimal, second: Decimal) -> Decimal:
    """Join the probabilities of two independent facts into one (Fisher's method, two of them)."""
    with localcontext(PRECISE):
        product = first * second
        if not product:
            return probability(Decimal(0))
        return probability(product * (1 - product.ln()))
