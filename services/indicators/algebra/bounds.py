"""The lower bound and the middle of a scale of a procedure.

Source: methodology of the Stavropol monitoring, indicators 2 and 13 (digest A1, F1 and F3).
"""

from fractions import Fraction

from services.indicators.algebra.exact import Exact, exact

MILLI = 1000
"""Scores are stored in thousandths of a point."""


def bmin(minimum: Exact, maximum: Exact, margin_share: Exact) -> Fraction:
    """Give the lower bound: the minimum of the specification plus a share of the maximum.

    All in points of the scale. A result strictly below the bound is low.

    Source: F1, ``Bmin = minball + 0.05 * maxsum``; the share 0.05 is data of the scale.
    """
    return exact(minimum) + exact(margin_share) * exact(maximum)


def bmid(lower: Exact, top: Exact) -> Fraction:
    """Give the middle between the lower bound and the bound of high results, in points.

    A result not below the middle is a mass result. The lower bound already contains the margin.

    Source: F3, "среднее арифметическое между Bmin и Btop".
    """
    return (exact(lower) + exact(top)) / 2


def ceil_milli(bound: Exact) -> int:
    """Give the smallest integer of thousandths that is not below the bound.

    For a score kept in thousandths, ``score < bound`` is the same as
    ``score_milli < ceil_milli(bound)`` and ``score >= bound`` the same as
    ``score_milli >= ceil_milli(bound)``: the comparison of integers stays exact.
    """
    scaled = exact(bound) * MILLI
    return -((-scaled.numerator) // scaled.denominator)
