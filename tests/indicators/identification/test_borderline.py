"""Schools that a single pupil brings into the list or out of it, against changing each pupil in turn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.rules import answer_all
from services.indicators.identification.answering.borderline import borderline_schools, to_threshold
from services.indicators.identification.answering.judging import judge
from tests.indicators.identification.test_judging import SHRUNKEN, cells_of, methodology

POLICIES = [
    {"below": 1, "policy": "flag"},
    {"below": 10, "policy": "no_flag"},
    {"below": 10, "policy": "pool", "years": 2},
]


def holds(cells, document, priors, schools):
    answers = answer_all(
        document.as_rules(),
        schools=schools,
        school=cells.school,
        years_back=cells.years_back,
        found=judge(cells, document, priors).certainty,
    )
    return answers.certainty.max(axis=0) >= Certainty.POSSIBLE


def by_trying(cells, document, priors, schools):
    """Change every cell by one pupil, one after the other, and judge the whole region each time."""
    base = holds(cells, document, priors, schools)
    found = set()
    for place in range(len(cells.n)):
        for change in (-1, 1):
            low = cells.low.copy()
            low[place] += change
            if 0 <= low[place] <= cells.n[place]:
                turned = holds(replace(cells, low=low), document, priors, schools) != base
                found |= set(np.flatnonzero(turned).tolist())
    return found


@settings(max_examples=80, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 4),
            st.integers(0, 1),
            st.integers(1, 3),
            st.integers(1, 25),
            st.integers(0, 25),
        ),
        min_size=1,
        max_size=16,
        unique_by=lambda row: row[:3],
    ).map(lambda rows: [(*row[:4], min(row[3], row[4])) for row in rows]),
    policy=st.sampled_from(POLICIES),
    certainty=st.sampled_from([{"z": "1.959964"}, SHRUNKEN]),
)
def test_borderline_schools_are_those_that_trying_finds(rows, policy, certainty):
    document = methodology(small_n=policy, certainty=certainty)
    cells = cells_of(rows)
    judged = judge(cells, document)

    found = borderline_schools(cells, judged, document, schools=5)

    assert set(np.flatnonzero(found.either).tolist()) == by_trying(
        cells, document, judged.priors, 5
    )


def test_a_school_far_from_the_threshold_is_not_borderline():
    document = methodology(small_n=POLICIES[0])
    # Low in both procedures: 9 of 30 stands at the threshold; 20 of 30 is far above it.
    cells = cells_of([(0, 0, 1, 30, 9), (0, 1, 1, 30, 20), (1, 0, 1, 30, 20), (1, 1, 1, 30, 20)])

    found = borderline_schools(cells, judge(cells, document), document, schools=2)

    assert list(found.either) == [True, False]


def test_another_procedure_that_is_low_as_well_takes_a_school_off_the_border():
    document = methodology(small_n=POLICIES[0])
    cells = cells_of([(0, 0, 1, 30, 9), (0, 1, 1, 30, 20), (0, 2, 1, 30, 20)])

    found = borderline_schools(cells, judge(cells, document), document, schools=1)

    assert list(found.either) == [False]


@pytest.mark.parametrize(
    ("n", "low", "first", "found"),
    [(30, 9, 9, 1), (30, 8, 9, -1), (30, 12, 9, 4), (30, 0, 9, -9), (2, 1, 3, -2)],
)
def test_pupils_are_counted_to_the_threshold(n, low, first, found):
    assert to_threshold(n, low, first) == found
