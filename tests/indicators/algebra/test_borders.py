"""Borderline schools, against asking the run's own words again for every single changed cell."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.indicators.algebra.borders import Numbers, borders
from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.rules import Rule

RULES = (Rule("a", (1,), 2), Rule("b", (1, 2), 1))
SMALL = 10

cell = st.tuples(
    st.integers(0, 2),  # school
    st.integers(0, 2),  # series
    st.integers(0, 2),  # years back
    st.integers(1, 14),  # n
    st.integers(0, 14),  # low, cut to n
)


def is_low_pooled(rows, at):
    """Is this cell low by 30 %, small groups taken with the same series a year earlier? In words."""
    school, series, back, n, low = rows[at]
    if n < SMALL:
        for other_school, other_series, other_back, other_n, other_low in rows:
            if (other_school, other_series, other_back) == (school, series, back + 1):
                n, low = n + other_n, low + other_low
    return low * 10 >= n * 3


def is_flagged(rows, school):
    """Does one of the rules hold for the school?"""
    in_year = {
        back: sum(
            is_low_pooled(rows, at)
            for at, row in enumerate(rows)
            if row[0] == school and row[2] == back
        )
        for back in range(4)
    }
    return any(all(in_year[back] >= r.at_least for back in r.years_back) for r in RULES)


def by_brute_force(rows, step):
    """Return the schools whose flag flips when one cell changes by one pupil."""
    flipped = set()
    for at, (school, series, back, n, low) in enumerate(rows):
        if not 0 <= low + step <= n:
            continue
        changed = [*rows]
        changed[at] = (school, series, back, n, low + step)
        if is_flagged(changed, school) != is_flagged(rows, school):
            flipped.add(school)
    return flipped


def as_columns(rows):
    return Numbers(*(np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)))


@given(st.lists(cell, min_size=1, max_size=14))
@settings(max_examples=400, deadline=None)
def test_exactly_the_schools_that_one_pupil_decides_are_found(drawn):
    rows = [(s, k, y, n, min(low, n)) for s, k, y, n, low in drawn]

    def found(cells):
        columns = (cells.school, cells.series, cells.years_back, cells.n, cells.low)
        now = list(zip(*(column.tolist() for column in columns), strict=True))
        low = np.array([is_low_pooled(now, at) for at in range(len(now))])
        return np.where(low, Certainty.POSSIBLE, Certainty.NONE)

    answer = borders(RULES, as_columns(rows), schools=3, found=found)

    assert set(np.flatnonzero(answer.lost_by_one_fewer)) == by_brute_force(rows, -1)
    assert set(np.flatnonzero(answer.gained_by_one_more)) == by_brute_force(rows, +1)


def test_three_of_ten_hang_on_one_pupil_and_four_of_ten_do_not():
    rows = [(0, 0, 1, 10, 3), (0, 1, 1, 10, 8), (1, 0, 1, 10, 4), (1, 1, 1, 10, 8)]
    threshold = Fraction(3, 10)

    def found(cells):
        return np.where(cells.low * threshold.denominator >= 10 * threshold.numerator, 3, 0)

    answer = borders(RULES[:1], as_columns(rows), schools=2, found=found)

    assert answer.lost_by_one_fewer.tolist() == [True, False]
    assert answer.gained_by_one_more.tolist() == [False, False]


def test_a_region_without_cells_has_no_borderline_schools():
    nothing = np.array([], dtype=np.int64)
    cells = Numbers(nothing, nothing, nothing, nothing, nothing)

    answer = borders(RULES, cells, schools=2, found=lambda some: some.low)

    assert not answer.lost_by_one_fewer.any()
    assert not answer.gained_by_one_more.any()
