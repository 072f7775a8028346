"""The exact interval: vectors of methodology B5, and SciPy as an oracle."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from services.indicators.algebra.binomial import lower_tail, tail_of, upper_tail
from services.indicators.algebra.certainty import Certainty, certainty
from services.indicators.algebra.intervals import clopper_pearson, cuts

Z = Decimal("1.959964")
THIRTY = Fraction(3, 10)


@pytest.mark.parametrize(
    ("low", "n", "tail"), [(2, 5, "0.471780"), (5, 12, "0.276345"), (10, 14, "0.001666")]
)
def test_the_exact_test_agrees_with_the_published_vectors(low, n, tail):
    assert abs(upper_tail(low, n, THIRTY) - Fraction(tail)) <= Fraction(1, 10**6)


def test_a_tail_is_a_rational_number_to_the_last_digit():
    assert upper_tail(2, 5, THIRTY) == Fraction(47178, 100000)
    assert lower_tail(1, 5, THIRTY) + upper_tail(2, 5, THIRTY) == 1


@pytest.mark.parametrize(
    ("z", "tail"),
    [("1.959964", "0.025"), ("1.644854", "0.05"), ("2.575829", "0.005"), ("0.1", "0.460172")],
)
def test_a_rounded_quantile_stands_for_the_tail_that_was_meant(z, tail):
    assert tail_of(Decimal(z)) == Fraction(tail)


@settings(deadline=None)
@given(n=st.integers(1, 400), part=st.fractions(min_value=0, max_value=1))
def test_the_ends_agree_with_scipy(n, part):
    low = round(part * n)
    found = clopper_pearson(low, n, z=Z)
    oracle = stats.binomtest(low, n).proportion_ci(confidence_level=0.95, method="exact")

    assert found is not None
    assert float(found.lower) == pytest.approx(oracle.low, abs=1e-6)
    assert float(found.upper) == pytest.approx(oracle.high, abs=1e-6)


@settings(deadline=None)
@given(
    n=st.integers(1, 300),
    part=st.fractions(min_value=0, max_value=1),
    threshold=st.sampled_from([THIRTY, Fraction(1, 3), Fraction(1, 2), Fraction(123, 1000)]),
    strict=st.booleans(),
)
def test_the_class_without_an_end_is_the_class_by_the_tails(n, part, threshold, strict):
    low = round(part * n)
    share = float(threshold)
    found = certainty(low, n, threshold=threshold, strict=strict, z=Z, kind="exact")
    above, below = stats.binom.sf(low - 1, n, share), stats.binom.cdf(low, n, share)
    if abs(above - 0.025) < 1e-9 or abs(below - 0.025) < 1e-9:
        return  # too close for the oracle's floats

    reaches = Fraction(low, n) > threshold if strict else Fraction(low, n) >= threshold
    if reaches:
        assert (found is Certainty.CERTAIN) == (above < 0.025)
    else:
        assert (found is Certainty.NONE) == (below < 0.025)


def test_a_tail_that_is_exactly_the_limit_counts_unless_asked_to_be_above():
    # P(X >= 1) of one participant is the threshold itself: 0.025.
    limit = Fraction(25, 1000)

    assert cuts(1, threshold=limit, strict=False, z=Z, kind="exact").certain == 1
    assert cuts(1, threshold=limit, strict=True, z=Z, kind="exact").certain == 2


def test_the_exact_interval_is_the_more_careful_of_the_two():
    for n in range(1, 120):
        exact = cuts(n, threshold=THIRTY, strict=False, z=Z, kind="exact")
        wilson = cuts(n, threshold=THIRTY, strict=False, z=Z)
        assert exact.possible == wilson.possible
        assert exact.not_excluded <= wilson.not_excluded + 1
        assert exact.certain >= wilson.certain


def test_nobody_and_everybody():
    assert clopper_pearson(0, 0, z=Z) is None
    everybody = clopper_pearson(5, 5, z=Z)

    assert everybody is not None
    assert (str(everybody.lower), str(everybody.upper)) == ("0.478176", "1.000000")
