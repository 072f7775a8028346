from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.indicators.algebra.shares import Share, round_half_up

THIRTY = Fraction(3, 10)


def test_three_of_ten_stand_exactly_at_thirty_percent():
    assert Share(3, 10).reaches(THIRTY, strict=False)
    assert not Share(3, 10).reaches(THIRTY, strict=True)
    assert Share(31, 100).reaches(THIRTY, strict=True)
    assert not Share(29, 100).reaches(THIRTY, strict=False)


def test_a_share_of_nobody_has_no_value_and_reaches_nothing():
    nobody = Share(0, 0)

    assert nobody.value is None
    assert nobody.percent(2) is None
    assert nobody.rounded(4) is None
    assert not nobody.reaches(THIRTY, strict=False)


@pytest.mark.parametrize(("numerator", "denominator"), [(2, 1), (-1, 3), (1, 0)])
def test_what_is_not_a_share_is_refused(numerator, denominator):
    with pytest.raises(ValueError, match="is not a share"):
        Share(numerator, denominator)


def test_halves_are_rounded_up_and_only_once():
    assert Share(1, 8).percent(0) == Decimal(13)
    assert Share(5, 1000).percent(0) == Decimal(1)
    assert Share(27, 63).percent(2) == Decimal("42.86")
    assert str(Share(7315, 31022).percent(4)) == "23.5800"
    # 0.4995 is a half of the last place; a detour over 0.49950000...1 would not show it.
    assert round_half_up(Fraction(4995, 10000), 3) == Decimal("0.500")
    assert round_half_up(Fraction(-1, 8), 2) == Decimal("-0.13")


@given(
    low=st.integers(0, 500),
    more=st.integers(0, 500),
    threshold=st.fractions(min_value=0, max_value=1, max_denominator=200),
)
def test_reaching_is_the_comparison_of_rationals(low, more, threshold):
    n = low + more
    share = Share(low, n)
    if n:
        assert share.reaches(threshold, strict=False) == (Fraction(low, n) >= threshold)
        assert share.reaches(threshold, strict=True) == (Fraction(low, n) > threshold)
