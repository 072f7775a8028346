"""Exact numbers: what may enter the algebra and how it becomes a rational."""

from decimal import Decimal
from fractions import Fraction

Exact = int | Fraction | Decimal
"""A number without a binary rounding error."""


def exact(value: Exact | str) -> Fraction:
    """Turn an exact number, or its text such as ``"3/10"`` or ``"0.30"``, into a rational.

    Raises:
        TypeError: For a float, whose binary rounding has already happened.
    """
    if isinstance(value, float):
        raise TypeError("A float is not exact: pass an int, a Fraction, a Decimal or text")
    return Fraction(value)
