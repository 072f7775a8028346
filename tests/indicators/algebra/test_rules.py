"""The federal rules and their set-wise answers against a brute-force reading of the words."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.rules import (
    Rule,
    answer_all,
    rule_can_be_answered,
    rule_certainty,
    school_certainty,
)

A = Rule("A", (1,), 2)
B = Rule("B", (1, 2), 1)
NONE, FEW, OPEN, MAY, SURE = Certainty


def test_two_low_procedures_of_the_previous_year_are_enough():
    assert school_certainty([A, B], {1: [SURE, MAY]}) is MAY
    assert school_certainty([A, B], {1: [SURE, SURE, NONE]}) is SURE


def test_one_low_procedure_in_each_of_two_years_is_enough():
    assert school_certainty([A, B], {1: [SURE, NONE], 2: [MAY]}) is MAY


def test_one_low_procedure_in_one_year_is_not_enough():
    assert school_certainty([A, B], {1: [SURE, NONE], 2: [NONE, NONE]}) is NONE
    assert school_certainty([A, B], {2: [SURE, SURE], 3: [SURE]}) is NONE


def test_a_year_without_data_is_not_a_year_without_low_results():
    assert not rule_can_be_answered(B, {1: [SURE]})
    assert not rule_can_be_answered(A, {1: [SURE]})
    assert rule_can_be_answered(B, {1: [NONE], 2: [NONE]})


cells = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 3), st.sampled_from(list(Certainty))), max_size=40
)
some_rules = st.lists(
    st.builds(
        Rule,
        code=st.just("x"),
        years_back=st.sets(st.integers(1, 3), min_size=1).map(lambda y: tuple(sorted(y))),
        at_least=st.integers(1, 3),
    ),
    min_size=1,
    max_size=3,
)


@given(cells=cells, rules=some_rules)
def test_a_rule_holds_with_a_certainty_when_it_holds_counting_only_such_procedures(cells, rules):
    columns = np.array(cells, dtype=np.int64).reshape(-1, 3)
    answers = answer_all(
        rules, schools=4, school=columns[:, 0], years_back=columns[:, 1], found=columns[:, 2]
    )

    for school in range(4):
        found = {back: [c for s, y, c in cells if (s, y) == (school, back)] for back in (1, 2, 3)}
        for row, rule in enumerate(rules):
            # The words of the rule, read once per class.
            holds = [
                c
                for c in Certainty
                if all(sum(x >= c for x in found[y]) >= rule.at_least for y in rule.years_back)
            ]
            by_words = max(holds, default=Certainty.NONE)
            assert answers.certainty[row, school] == by_words
            assert rule_certainty(rule, found) is by_words
            assert answers.answerable[row, school] == rule_can_be_answered(rule, found)
