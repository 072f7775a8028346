"""Agreement of two lists, against numpy on the raw labels."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.indicators.algebra.agreement import Agreement, agreement

labels = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


@given(labels)
def test_kappa_and_jaccard_are_those_of_the_raw_labels(pairs):
    here = {i for i, (a, _) in enumerate(pairs) if a}
    there = {i for i, (_, b) in enumerate(pairs) if b}

    found = agreement(set(range(len(pairs))), here, there)

    a, b = np.array(pairs, dtype=float).T
    expected = a.mean() * b.mean() + (1 - a).mean() * (1 - b).mean()
    if found.kappa is None:
        assert np.isclose(expected, 1)
    else:
        assert np.isclose(float(found.kappa), ((a == b).mean() - expected) / (1 - expected))
    union = ((a + b) > 0).sum()
    assert found.jaccard == (Fraction(int((a * b).sum()), int(union)) if union else None)


def test_the_textbook_table_has_its_kappa():
    # J. Fleiss, Statistical Methods: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no.
    table = Agreement(both=20, first_only=5, second_only=10, neither=15)

    assert (table.n, table.kappa, table.jaccard) == (50, Fraction(2, 5), Fraction(4, 7))


def test_lists_that_must_agree_have_no_kappa():
    assert agreement({1, 2}, set(), set()).kappa is None
    assert agreement({1, 2}, {1, 2}, {1, 2}).kappa is None
    assert agreement(set(), set(), set()).kappa is None
    assert agreement({1, 2}, set(), set()).jaccard is None


def test_schools_that_only_one_list_could_name_are_left_out():
    found = agreement({1, 2}, {1, 9}, {1, 8})

    assert found == Agreement(both=1, first_only=0, second_only=0, neither=1)
