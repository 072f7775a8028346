"""Vectors of methodology A1 (F1 to F3) and B8."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.indicators.algebra.bounds import bmid, bmin, ceil_milli

F = Fraction
SHARE = F(5, 100)


@pytest.mark.parametrize(
    ("minimum", "maximum", "top", "lower", "middle"),
    [
        pytest.param(24, 100, 81, F(29), F(55), id="ege-russian"),
        pytest.param(36, 100, 81, F(41), F(61), id="ege-russian-university"),
        pytest.param(27, 100, 81, F(32), F(113, 2), id="ege-mathematics"),
        pytest.param(36, 100, 81, F(41), F(61), id="ege-physics"),
        pytest.param(15, 33, 29, F(333, 20), F(913, 40), id="oge-russian"),
        pytest.param(8, 31, 22, F(191, 20), F(631, 40), id="oge-mathematics"),
        pytest.param(14, 37, 32, F(317, 20), F(957, 40), id="oge-social-studies"),
        pytest.param(14, 38, 33, F(159, 10), F(489, 20), id="vpr-russian-4"),
        pytest.param(6, 20, 15, F(7), F(11), id="vpr-mathematics-4"),
        pytest.param(18, 45, 39, F(81, 4), F(237, 8), id="vpr-russian-5"),
        pytest.param(7, 20, 15, F(8), F(23, 2), id="vpr-mathematics-5"),
        pytest.param(25, 51, 45, F(551, 20), F(1451, 40), id="vpr-russian-6"),
        pytest.param(6, 16, 14, F(34, 5), F(52, 5), id="vpr-mathematics-6"),
        pytest.param(2, 10, 10, F(5, 2), F(25, 4), id="a-level-chemistry"),
    ],
)
def test_bounds_of_the_methodology(minimum, maximum, top, lower, middle):
    assert bmin(minimum, maximum, SHARE) == lower
    assert bmid(bmin(minimum, maximum, SHARE), top) == middle


def test_a_margin_from_the_database_is_taken_exactly():
    assert bmin(15, 33, Decimal("0.05")) == F(333, 20)


def test_a_float_is_refused():
    with pytest.raises(TypeError):
        bmin(15, 33, 0.05)


@pytest.mark.parametrize(
    ("score", "is_low"), [(28, True), (29, False)], ids=["below", "at the bound"]
)
def test_the_bound_itself_is_not_low(score, is_low):
    assert (score * 1000 < ceil_milli(bmin(24, 100, SHARE))) is is_low


@given(
    bound=st.fractions(min_value=0, max_value=100, max_denominator=4000),
    score_milli=st.integers(0, 100_000),
)
def test_thousandths_compare_as_the_rationals_do(bound, score_milli):
    assert (score_milli < ceil_milli(bound)) == (Fraction(score_milli, 1000) < bound)
    assert (score_milli >= ceil_milli(bound)) == (Fraction(score_milli, 1000) >= bound)
