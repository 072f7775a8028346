"""What a cell counts for, under the exact interval and with shrunken shares."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from services.indicators.algebra.certainty import Certainty
from services.indicators.identification.answering.judging import Cells, judge, priors_of
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.shipped import shipped_methodologies

EXACT = {"z": "1.959964", "interval": "exact"}
SHRUNKEN = {"z": "1.959964", "shrinkage": "beta_binomial"}
NAIVE = {"below": 1, "policy": "flag"}
POOLED = {"below": 10, "policy": "pool", "years": 2}


def methodology(**changed) -> Methodology:
    document = shipped_methodologies()["smolensk-nro-fnsu"].canonical()
    return Methodology.model_validate(document | changed)


def cells_of(rows) -> Cells:
    """Make cells of (school, series, years back, n, low)."""
    columns = np.array(rows, dtype=np.int64).reshape(-1, 5)
    return Cells(*(columns[:, i] for i in range(5)))


def test_the_exact_interval_is_slower_to_be_sure():
    cells = cells_of([(0, 0, 1, 10, 6), (1, 0, 1, 10, 7)])

    by_wilson = judge(cells, methodology(small_n=NAIVE))
    exactly = judge(cells, methodology(small_n=NAIVE, certainty=EXACT))

    assert list(by_wilson.certainty) == [Certainty.CERTAIN, Certainty.CERTAIN]
    # P(X >= 6 | 10, 0.3) is 0.047, more than 0.025; P(X >= 7) is 0.011.
    assert list(exactly.certainty) == [Certainty.POSSIBLE, Certainty.CERTAIN]


def test_a_small_school_at_the_threshold_is_drawn_below_it_by_the_others():
    # Twenty schools of 50 with 2 to 12 low; one of 5 with 2: 40 %.
    others = [(school, 0, 1, 50, 2 + school % 11) for school in range(20)]
    cells = cells_of([*others, (20, 0, 1, 5, 2)])

    bare = judge(cells, methodology(small_n=NAIVE))
    drawn = judge(cells, methodology(small_n=NAIVE, certainty=SHRUNKEN))

    assert bare.certainty[20] == Certainty.POSSIBLE
    assert drawn.certainty[20] == Certainty.NOT_EXCLUDED
    assert bare.priors == {}
    assert list(drawn.priors) == [(0, 1)]


def test_each_procedure_has_a_prior_of_its_own():
    weak = [(school, 0, 1, 40, 20 + school) for school in range(8)]
    strong = [(school, 1, 1, 40, school) for school in range(8)]
    both = cells_of([*weak, *strong])

    found = priors_of(both)

    assert found[0, 1] == priors_of(cells_of(weak))[0, 1]
    assert found[1, 1] == priors_of(cells_of(strong))[1, 1]
    assert found[0, 1] != found[1, 1]


def test_one_school_is_judged_by_the_priors_of_the_whole_region():
    rows = [(school, 0, 1, 12, school % 7) for school in range(30)]
    whole = judge(cells_of(rows), methodology(small_n=NAIVE, certainty=SHRUNKEN))

    alone = [
        judge(cells_of([row]), methodology(small_n=NAIVE, certainty=SHRUNKEN), whole.priors)
        for row in rows
    ]

    assert [found.certainty[0] for found in alone] == list(whole.certainty)


def test_pooling_takes_the_shrunken_share_of_the_sum():
    rows = [(school, 0, back, 6, (school * back) % 5) for school in range(20) for back in (1, 2)]
    document = methodology(small_n=POOLED, certainty=SHRUNKEN)

    found = judge(cells_of(rows), document)

    # 6 + 6 of the year before; the prior is of the year itself, not of sums.
    assert found.n[0] == 12
    assert found.priors[0, 1] == priors_of(cells_of([row for row in rows if row[2] == 1]))[0, 1]


def by_the_formulas(rows, document: dict, place: int) -> Certainty:
    """Judge one cell with NumPy's and SciPy's floats, formula by formula."""
    _, series, back, n, low = rows[place]
    share = float(Fraction(document["low_result"]["threshold"]))
    same = np.array([(r[4], r[3]) for r in rows if r[1:3] == (series, back)], dtype=float)
    k, sizes = same.T
    tail = 0.025
    if stats.binom.cdf(low, n, share) < tail:
        return Certainty.NONE
    reaches = Fraction(low, n) >= Fraction(document["low_result"]["threshold"])
    schools, people = len(k), sizes.sum()
    if schools > 1 and people > schools:
        whole, p = k.sum() / people, k / sizes
        msb = (sizes * (p - whole) ** 2).sum() / (schools - 1)
        msw = (sizes * p * (1 - p)).sum() / (people - schools)
        n0 = (people - (sizes**2).sum() / people) / (schools - 1)
        spread = msb + (n0 - 1) * msw
        rho = (msb - msw) / spread if spread else 0
        if abs(rho) < 1e-8:
            return None  # on the border between "no end" and an enormous weight
        weight = (1 - rho) / rho if rho > 0 else None
        drawn = whole if weight is None else (low + weight * whole) / (n + weight)
        if abs(drawn - share) < 1e-8:
            return None  # too close for the oracle's floats
        reaches = reaches and drawn > share
    if not reaches:
        return Certainty.NOT_EXCLUDED
    sure = stats.binom.sf(low - 1, n, share) <= tail
    return Certainty.CERTAIN if sure else Certainty.POSSIBLE


@settings(max_examples=120, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 9),
            st.integers(0, 1),
            st.integers(1, 2),
            st.integers(1, 40),
            st.integers(0, 40),
        ),
        min_size=1,
        max_size=30,
        unique_by=lambda row: row[:3],
    ).map(lambda rows: [(*row[:4], min(row[3], row[4])) for row in rows])
)
def test_exact_and_shrunken_classes_are_those_of_the_formulas(rows):
    document = methodology(small_n=NAIVE, certainty=EXACT | SHRUNKEN)

    found = judge(cells_of(rows), document)

    for place in range(len(rows)):
        expected = by_the_formulas(rows, document.canonical(), place)
        assert expected is None or found.certainty[place] == expected, rows[place]


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_cells_changes_no_class_and_no_prior(seed):
    rng = np.random.default_rng(seed)
    rows = [
        (school, school % 2, 1 + school % 3, 5 + school % 30, school % 5) for school in range(60)
    ]
    order = rng.permutation(len(rows))
    document = methodology(small_n=POOLED, certainty=EXACT | SHRUNKEN)

    straight = judge(cells_of(rows), document)
    shuffled = judge(cells_of([rows[place] for place in order]), document)

    assert list(shuffled.certainty) == [straight.certainty[place] for place in order]
    assert shuffled.priors == straight.priors


def test_nobody_is_judged_when_there_are_no_cells():
    found = judge(cells_of([]), methodology(certainty=SHRUNKEN))

    assert len(found.certainty) == 0
    assert found.priors == {}


def test_of_every_number_in_every_size_those_count_that_reach_the_threshold_twice():
    others = cells_of([(school, 0, 1, 50, 2 + school % 11) for school in range(20)])
    priors = priors_of(others)
    prior = priors[0, 1]
    every = [(n, low) for n in range(1, 41) for low in range(n + 1)]
    document = methodology(small_n=NAIVE, certainty=SHRUNKEN)

    found = judge(cells_of([(0, 0, 1, *cell) for cell in every]), document, priors)

    threshold = Fraction(3, 10)
    expected = [
        Fraction(low, n) >= threshold
        and (low + prior.weight * prior.share) / (n + prior.weight) >= threshold
        for n, low in every
    ]
    assert [bool(c >= Certainty.POSSIBLE) for c in found.certainty] == expected
    assert sum(expected) < sum(Fraction(low, n) >= threshold for n, low in every)
