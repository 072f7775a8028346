"""Vectors of methodology B5 and an oracle in 60-digit decimals."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.indicators.algebra.certainty import Certainty, certainty
from services.indicators.algebra.intervals import cuts, wilson

Z = Decimal("1.959964")
THIRTY = Fraction(3, 10)


@pytest.mark.parametrize(
    ("low", "n", "lower", "upper"),
    [
        (0, 5, "0", "0.434482"),
        (1, 5, "0.036224", "0.624465"),
        (2, 5, "0.117621", "0.769276"),
        (3, 10, "0.107791", "0.603222"),
        (5, 12, "0.193260", "0.680489"),
        (6, 20, "0.145477", "0.518973"),
        (9, 30, "0.166647", "0.478758"),
        (12, 40, "0.180748", "0.454300"),
        (30, 100, "0.218949", "0.395849"),
        (63, 348, "0.144133", "0.224901"),
        (75, 360, "0.169570", "0.253256"),
        (96, 635, "0.125421", "0.181136"),
        (430, 474, "0.877676", "0.930124"),
        (12, 188, "0.036887", "0.108241"),
    ],
)
def test_wilson_agrees_with_the_published_vectors(low, n, lower, upper):
    found = wilson(low, n, z=Z)

    assert found is not None
    assert abs(found.lower - Decimal(lower)) <= Decimal("0.000001")
    assert abs(found.upper - Decimal(upper)) <= Decimal("0.000001")


def test_the_interval_of_nobody_is_undefined():
    assert wilson(0, 0, z=Z) is None
    assert certainty(0, 0, threshold=THIRTY, strict=False, z=Z) is Certainty.NONE


def test_all_and_none_end_at_one_and_zero():
    everyone, no_one = wilson(7, 7, z=Z), wilson(0, 7, z=Z)

    assert everyone is not None
    assert no_one is not None
    assert everyone.upper == 1
    assert str(no_one.lower) == "0.000000"


def oracle(low: int, n: int, z: Decimal) -> tuple[Decimal, Decimal]:
    """The ends by the textbook formula, in decimals of 60 digits."""
    with localcontext(prec=60):
        p, square = Decimal(low) / n, z * z
        centre = (p + square / (2 * n)) / (1 + square / n)
        half = z * (p * (1 - p) / n + square / (4 * Decimal(n) ** 2)).sqrt() / (1 + square / n)
        return centre - half, centre + half


@given(
    n=st.integers(1, 3000),
    part=st.fractions(min_value=0, max_value=1),
    threshold=st.fractions(
        min_value=Fraction(1, 50), max_value=Fraction(49, 50), max_denominator=100
    ),
    z=st.sampled_from([Decimal("1.959964"), Decimal("1.644854"), Decimal(2)]),
    strict=st.booleans(),
)
def test_the_class_without_a_root_is_the_class_by_the_formula(n, part, threshold, z, strict):
    low = round(part * n)
    lower, upper = oracle(low, n, z)
    with localcontext(prec=60):
        t = Decimal(threshold.numerator) / threshold.denominator
        tolerance = Decimal("1e-50")
        # Where an end stands on the threshold itself decimals cannot decide; integers do, below.
        if min(abs(lower - t), abs(upper - t)) < tolerance:
            return
    reaches = (Fraction(low, n) > threshold) if strict else (Fraction(low, n) >= threshold)
    expected = (
        Certainty.CERTAIN
        if lower > t
        else Certainty.POSSIBLE
        if reaches
        else Certainty.NOT_EXCLUDED
        if upper > t
        else Certainty.NONE
    )
    assert certainty(low, n, threshold=threshold, strict=strict, z=z) is expected


def test_an_end_that_stands_on_the_threshold_is_decided_by_integers():
    # n (p - t)^2 = z^2 t (1 - t) with t = 1/5, z = 2, n = 400: p = 24 % and p = 16 % are roots.
    fifth = Fraction(1, 5)

    at = cuts(16 * 25, threshold=fifth, strict=False, z=2)
    above = cuts(16 * 25, threshold=fifth, strict=True, z=2)

    assert (at.certain, at.possible, at.not_excluded) == (96, 80, 64)
    assert (above.certain, above.possible, above.not_excluded) == (97, 81, 65)


def test_exactly_thirty_percent_is_possible_and_just_below_is_not_excluded():
    assert certainty(3, 10, threshold=THIRTY, strict=False, z=Z) is Certainty.POSSIBLE
    assert certainty(3, 10, threshold=THIRTY, strict=True, z=Z) is Certainty.NOT_EXCLUDED
    assert certainty(299, 1000, threshold=THIRTY, strict=False, z=Z) is Certainty.NOT_EXCLUDED


def test_few_participants_are_a_class_of_their_own():
    few = {"threshold": THIRTY, "strict": False, "z": Z, "too_few": True}

    assert certainty(1, 1, **few) is Certainty.TOO_FEW
    assert certainty(0, 5, **few) is Certainty.TOO_FEW
    # Even nine pupils can be enough to say "no".
    assert certainty(0, 9, **few) is Certainty.NONE
