"""Causes: what is said to suffice does, nothing smaller does, and nothing of the same size is left out."""

from itertools import chain, combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.indicators.algebra.attribution import Cause, causes

FACTORS = ("data", "rule", "scale", "school")


def every_set():
    sizes = range(len(FACTORS) + 1)
    return [frozenset(s) for s in chain.from_iterable(combinations(FACTORS, k) for k in sizes)]


@st.composite
def worlds(draw):
    """For each set of factors, for each of five schools: does it give the later answer?"""
    many = 5
    table = {
        applied: np.array(draw(st.lists(st.booleans(), min_size=many, max_size=many)))
        for applied in every_set()
    }
    table[frozenset()] = np.zeros(many, dtype=bool)
    table[frozenset(FACTORS)] = np.ones(many, dtype=bool)
    unable = draw(st.sets(st.sampled_from(FACTORS), max_size=1))
    return {
        applied: None if applied and applied <= unable else hit for applied, hit in table.items()
    }


@given(worlds())
def test_the_named_sets_are_exactly_the_smallest_that_suffice(world):
    found = causes(FACTORS, world.get, np.ones(5, dtype=bool), budget=64)

    for school in range(5):
        enough = [s for s in every_set() if world[s] is not None and world[s][school]]
        smallest = min(len(s) for s in enough)
        wanted = {s for s in enough if len(s) == smallest}
        assert {frozenset(s) for s in found[school].sets} == wanted
        assert found[school].is_exhaustive


def test_what_was_not_asked_is_not_answered():
    found = causes(FACTORS, lambda _: np.array([True, True]), np.array([False, True]), budget=9)

    assert list(found) == [1]
    assert found[1].single == FACTORS


def test_sets_beyond_the_budget_are_not_tried_and_the_answer_says_so():
    tried = []

    def reaches(applied):
        tried.append(applied)
        return np.array([len(applied) >= 2])

    found = causes(FACTORS, reaches, np.array([True]), budget=5)

    # Four single factors; the six pairs no longer fit, the four triples neither.
    assert len(tried) == 4
    assert found[0] == Cause((FACTORS,), is_exhaustive=False)
    assert found[0].single == ()


def test_one_factor_is_the_cause_without_a_trial():
    found = causes(("rule",), lambda _: None, np.array([True]), budget=0)

    assert found[0] == Cause((("rule",),))
