"""What change can be seen: the figures of the neighbours' study, Newcombe's example, SciPy's law."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from services.indicators.algebra.detectable import (
    Change,
    Verdict,
    change_of_shares,
    design_effect,
    detectable,
    needed,
    quantile,
    verdict,
)

ALPHA, POWER = Fraction(1, 20), Fraction(4, 5)
THIRTY = Fraction(3, 10)
USUAL = {"variance": THIRTY * (1 - THIRTY), "alpha": ALPHA, "power": POWER}


@pytest.mark.parametrize(
    ("tail", "found"),
    [("1/40", "1.959964"), ("1/5", "0.841621"), ("1/20", "1.644854"), ("1/200", "2.575829")],
)
def test_quantiles_are_those_of_the_tables(tail, found):
    assert quantile(Fraction(tail)) == Fraction(found)


def test_three_points_need_3663_takers_at_five_percent_and_a_power_of_eighty():
    assert needed(Fraction(3, 100), **USUAL) == 3663


def test_a_school_of_25_sees_no_change_below_36_points():
    seen = detectable(before=25, after=25, **USUAL)

    assert seen is not None
    assert seen == Decimal("0.363127")


@settings(deadline=None)
@given(
    share=st.fractions(min_value=Fraction(1, 50), max_value=Fraction(49, 50), max_denominator=50),
    before=st.integers(1, 5000),
    after=st.integers(1, 5000),
    alpha=st.sampled_from([Fraction(1, 20), Fraction(1, 10), Fraction(1, 100)]),
    power=st.sampled_from([Fraction(4, 5), Fraction(9, 10), Fraction(1, 2) + Fraction(1, 100)]),
)
def test_the_smallest_change_is_the_one_of_the_textbook(share, before, after, alpha, power):
    z = stats.norm.isf(float(alpha) / 2) + stats.norm.isf(1 - float(power))
    textbook = z * math.sqrt(float(share * (1 - share)) * (1 / before + 1 / after))

    found = detectable(
        variance=share * (1 - share), before=before, after=after, alpha=alpha, power=power
    )

    assert found is not None
    assert float(found) == pytest.approx(textbook, abs=2e-6)


@given(n=st.integers(5, 20000))
def test_what_is_needed_and_what_is_seen_agree(n):
    seen = detectable(before=n, after=n, places=30, **USUAL)

    assert seen is not None
    assert needed(Fraction(seen) + Fraction(1, 10**12), **USUAL) <= n
    assert needed(Fraction(seen) - Fraction(1, 10**8), **USUAL) > n


def test_pupils_who_come_by_schools_count_for_fewer():
    effect = design_effect(per_school=Fraction(21), rho=Fraction(1, 10))

    alone = detectable(before=900, after=900, **USUAL)
    together = detectable(before=900, after=900, effect=effect, **USUAL)

    assert effect == 3
    assert alone is not None
    assert together is not None
    assert float(together / alone) == pytest.approx(math.sqrt(3), rel=1e-4)
    assert design_effect(per_school=Fraction(21), rho=Fraction(-1, 10)) == 1


def test_nobody_sees_nothing():
    assert detectable(before=0, after=25, **USUAL) is None
    assert change_of_shares((0, 0), (3, 10), alpha=ALPHA) is None


def test_the_interval_of_a_difference_is_the_one_that_newcombe_printed():
    """Newcombe 1998, table II, example (a), method 10: 56/70 less 48/80 is 0.0524 to 0.3339."""
    found = change_of_shares((48, 80), (56, 70), alpha=ALPHA)

    assert found is not None
    assert found.change == Fraction(1, 5)
    assert (round(found.lower, 4), round(found.upper, 4)) == (Decimal("0.0524"), Decimal("0.3339"))


@given(
    first=st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    second=st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
)
def test_the_interval_holds_the_change_and_turns_round_with_it(first, second):
    there = change_of_shares(first, second, alpha=ALPHA)
    back = change_of_shares(second, first, alpha=ALPHA)

    assert there is not None
    assert back is not None
    assert there.lower <= Decimal(float(there.change)) + Decimal("1e-12")
    assert there.upper >= Decimal(float(there.change)) - Decimal("1e-12")
    assert (back.change, back.lower, back.upper) == (-there.change, -there.upper, -there.lower)


@pytest.mark.parametrize(
    ("before", "after", "wanted", "expected"),
    [
        # 40 % -> 30 % of 2 000: a fall of 10 points, seen; five were wanted, 12 were not reached.
        ((800, 2000), (600, 2000), "-1/20", Verdict.REACHED),
        ((800, 2000), (600, 2000), "-7/50", Verdict.NOT_REACHED),
        ((800, 2000), (600, 2000), "-3/25", Verdict.INDISTINGUISHABLE),
        # The same shares in a school of 20.
        ((8, 20), (6, 20), "-1/20", Verdict.INDISTINGUISHABLE),
        # A rise where a fall was wanted.
        ((600, 2000), (800, 2000), "-1/20", Verdict.NOT_REACHED),
        # A rise that is wanted.
        ((600, 2000), (800, 2000), "1/20", Verdict.REACHED),
        # So large a fall is seen even in a school of 20.
        ((18, 20), (2, 20), "-1/20", Verdict.REACHED),
        # Exactly as much as wanted.
        ((800, 2000), (700, 2000), "-1/20", Verdict.REACHED),
    ],
)
def test_a_target_is_judged_only_where_the_numbers_carry_it(before, after, wanted, expected):
    found = change_of_shares(before, after, alpha=ALPHA)

    assert found is not None
    assert verdict(found, Fraction(wanted)) is expected


def test_a_target_without_a_change_is_no_target():
    with pytest.raises(ValueError, match="no change"):
        verdict(Change(Fraction(0), Decimal(-1), Decimal(1)), Fraction(0))


def test_of_targets_judged_without_a_true_change_few_are_called_reached():
    """A stable share of 30 %, measured twice in 400 schools of 25: alpha bounds the false verdicts."""
    law = stats.binom(25, 0.3)
    reached = sum(
        law.pmf(one) * law.pmf(other)
        for one in range(26)
        for other in range(26)
        if verdict(change_of_shares((one, 25), (other, 25), alpha=ALPHA), Fraction(-3, 100))
        is Verdict.REACHED
    )
    bare = sum(
        law.pmf(one) * law.pmf(other)
        for one in range(26)
        for other in range(26)
        if Fraction(other - one, 25) <= Fraction(-3, 100)
    )

    assert reached < 0.03
    assert bare > 0.4
