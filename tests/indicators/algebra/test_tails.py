"""Tails and the control of false alarms against scipy, which the service does not use."""

import random
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from services.indicators.algebra.discoveries import Control, adjusted
from services.indicators.algebra.likeness import without_each
from services.indicators.algebra.tails import (
    beta_binomial_tail,
    both,
    normal_tail,
    sum_of_binomials_tail,
)


def close(ours: Decimal, theirs: float) -> bool:
    return float(ours) == pytest.approx(theirs, rel=1e-9, abs=2e-15)


@pytest.mark.parametrize("z", ["-8", "-1.5", "0", "0.3", "1.959964", "3.29", "6", "7.9", "30"])
def test_the_normal_tail_is_scipys(z):
    assert close(normal_tail(Decimal(z)), stats.norm.sf(float(z)))


def test_a_far_normal_tail_keeps_its_digits():
    # 40-digit value of P(Z >= 7), from a table: 1.2798125438858350043836236907808...e-12.
    assert normal_tail(Decimal(7)) == Decimal("0.000000000001279813")


@pytest.mark.parametrize(
    ("k", "n", "p"), [(0, 5, "0.3"), (2, 5, "0.3"), (10, 14, "0.3"), (60, 100, "0.5")]
)
def test_one_binomial_is_scipys(k, n, p):
    assert close(sum_of_binomials_tail(k, [(n, Decimal(p))]), stats.binom.sf(k - 1, n, float(p)))


def test_the_printed_exact_tests_of_the_methodology_come_out():
    # Source: methodology B5, P(X >= k | 0.30).
    told = {(2, 5): "0.471780", (5, 12): "0.276345", (10, 14): "0.001666"}

    for (k, n), printed in told.items():
        p = sum_of_binomials_tail(k, [(n, Decimal("0.3"))])
        assert round(p, 6) == Decimal(printed)


def test_a_sum_of_binomials_is_what_drawing_pupil_by_pupil_gives():
    parts = [(7, 0.2), (4, 0.55), (9, 0.7)]
    # One pupil at a time: the distribution of a sum of unlike coins.
    mass = np.array([1.0])
    for n, p in parts:
        for _ in range(n):
            mass = np.append(mass, 0) * (1 - p) + np.append(0, mass) * p

    for k in range(21):
        ours = sum_of_binomials_tail(k, [(n, Decimal(str(p))) for n, p in parts])
        assert close(ours, mass[k:].sum())


@given(n=st.integers(1, 60), data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_beta_binomial_is_scipys(n, data):
    k = data.draw(st.integers(0, n))
    share = Fraction(data.draw(st.integers(1, 99)), 100)
    likeness = Fraction(data.draw(st.integers(1, 60)), 100)
    weight = float((1 - likeness) / likeness)

    ours = beta_binomial_tail(k, n, share=share, likeness=likeness)

    a, b = float(share) * weight, float(1 - share) * weight
    assert float(ours) == pytest.approx(
        stats.betabinom.pmf(range(k, n + 1), n, a, b).sum(), rel=1e-7
    )


def test_schools_that_do_not_differ_are_compared_with_the_plain_binomial():
    plain = beta_binomial_tail(9, 30, share=Fraction(1, 5), likeness=Fraction(0))

    assert close(plain, stats.binom.sf(8, 30, 0.2))


def test_two_independent_facts_are_joined_as_fisher_does():
    for first, second in ((0.02, 0.3), (1e-6, 0.5), (1.0, 1.0)):
        theirs = stats.combine_pvalues([first, second], method="fisher").pvalue
        assert close(both(Decimal(str(first)), Decimal(str(second))), theirs)


def test_likeness_is_recovered_from_schools_that_were_drawn_with_it():
    rng = np.random.default_rng(3)
    n = rng.integers(30, 120, 3000)
    share, likeness = 0.3, 0.1
    weight = (1 - likeness) / likeness
    k = rng.binomial(n, rng.beta(share * weight, (1 - share) * weight, len(n)))

    cells = list(zip(k.tolist(), n.tolist(), strict=True))
    found = without_each(cells, left_out_percent=0, least=Fraction(0))[0]

    assert float(found.share) == pytest.approx(share, abs=0.01)
    # Upwards: four standard errors of the spread between 3000 schools are ten per cent of it.
    assert likeness < float(found.likeness) < 1.2 * likeness


def test_what_a_school_did_is_not_in_what_it_is_compared_with():
    cells = [(3, 30), (6, 30), (30, 30)]

    common = without_each(cells, left_out_percent=0, least=Fraction(0))[2]

    assert common.share == Fraction(19, 122)
    assert without_each(cells[:2], left_out_percent=0, least=Fraction(0)) == [None, None]


def test_the_schools_that_are_looked_for_do_not_hide_each_other():
    cells = [(9 + place % 3, 60) for place in range(40)] + [(50, 60)] * 3

    careful = without_each(cells, left_out_percent=10, least=Fraction(3, 100))[-1]
    plain = without_each(cells, left_out_percent=0, least=Fraction(0))[-1]

    assert careful.likeness == Fraction(3, 100)
    assert plain.likeness > Fraction(1, 10)


# Control of false alarms ------------------------------------------------------------------------


def holm(values):
    """Holm's step-down, written from the paper: reject while p(i) <= level / (m - i)."""
    order = np.argsort(values, kind="stable")
    out, most = np.empty(len(values)), 0.0
    for rank, place in enumerate(order):
        most = max(most, min(1.0, values[place] * (len(values) - rank)))
        out[place] = most
    return out


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_adjusted_probabilities_are_those_of_scipy_and_of_the_paper(thousandths):
    values = [Decimal(one) / 1000 for one in thousandths]
    floats = [float(value) for value in values]

    benjamini = adjusted(values, Control.BENJAMINI_HOCHBERG)
    stepped = adjusted(values, Control.HOLM)

    theirs = stats.false_discovery_control(floats, method="bh")
    assert [float(one) for one in benjamini] == pytest.approx(list(theirs), abs=1e-12)
    assert [float(one) for one in stepped] == pytest.approx(list(holm(floats)), abs=1e-12)
    assert all(b <= s and b >= v for b, s, v in zip(benjamini, stepped, values, strict=True))


def test_the_order_of_schools_does_not_matter():
    values = [Decimal(one) / 1000 for one in (3, 40, 3, 700, 12, 40, 999)]
    shuffled = list(range(len(values)))
    random.Random(1).shuffle(shuffled)

    for control in Control:
        straight = adjusted(values, control)
        mixed = adjusted([values[place] for place in shuffled], control)
        assert [straight[place] for place in shuffled] == mixed


def test_of_a_thousand_honest_answers_the_uncontrolled_rule_names_fifty_and_the_controlled_none():
    rng = np.random.default_rng(11)
    values = [Decimal(str(round(one, 12))) for one in rng.uniform(0, 1, 1000)]

    bare = sum(value <= Decimal("0.05") for value in values)
    controlled = sum(
        value <= Decimal("0.05") for value in adjusted(values, Control.BENJAMINI_HOCHBERG)
    )

    assert bare > 30
    assert controlled == 0
