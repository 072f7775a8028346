"""Flags over all schools at once, against an oracle that asks one school at a time in plain words."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.indicators.identification.answering.evaluation import evaluate
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.shipped import shipped_methodologies
from tests.support.builders.inputs import KINDS, inputs_of, schools_of

FIVE = ("low_results", "adverse_conditions", "biased_results", "decline_risk", "prevention")
BIT = {code: 1 << place for place, code in enumerate(FIVE)}


def methodology(when: dict, *, flag="adverse_conditions", indices=(), **changed) -> Methodology:
    """Smolensk's rules with one flag taken from a condition; every combination is a category."""
    document = shipped_methodologies()["smolensk-nro-fnsu"].canonical()
    document["procedures"] = [{"kind": kind, "grades": [9]} for kind in KINDS]
    document["excluded_school_kinds"] = ["evening"]
    document["flags"] = [
        {"code": "low_results", "title": "Низкие результаты", "taken_from": "rules"},
        {"code": flag, "title": "По условию", "taken_from": "conditions", "when": when},
    ]
    document["categories"] = [
        {"code": "low", "title": "Только низкие", "has": ["low_results"], "has_not": [flag]},
        {"code": "other", "title": "Только условие", "has": [flag], "has_not": ["low_results"]},
        {"code": "both", "title": "Обе", "has": ["low_results", flag]},
    ]
    document["indices"] = list(indices)
    return Methodology.model_validate(document | changed)


def index(code="isbsh", **changed) -> dict:
    """An index whose values are the attribute itself, so that a test can see through it."""
    component = {
        "attribute": "share",
        "title": "Доля",
        "adverse": "low",
        "minimum": "0",
        "maximum": "1",
    }
    return {
        "code": code, "title": "Индекс", "method": "bounded_shares", "components": [component],
    } | changed  # fmt: skip


def answers(found, flag="adverse_conditions") -> list[bool | None]:
    """Tell the flag of every school: there, not there, not known."""
    return [
        True if flags & BIT[flag] else None if unknown & BIT[flag] else False
        for flags, unknown in zip(found.flags.tolist(), found.unknown.tolist(), strict=True)
    ]


def asked(when, many, **given):
    return answers(evaluate(inputs_of([], schools_of(many), **given), methodology(when)))


def test_an_attribute_that_nobody_submitted_is_unknown_and_one_that_is_not_applicable_is_no():
    when = {"attribute": "share", "operator": "<=", "value": "0.5"}

    assert asked(when, 4, attributes={"share": ["0.5", "0.500000001", None, "n/a"]}) == [
        True, False, None, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("operator", "expected"),
    [(">=", [False, True, True]), (">", [False, False, True]),
     ("<=", [True, True, False]), ("<", [True, False, False])],
)  # fmt: skip
def test_a_value_exactly_on_the_border_is_told_by_the_operator(operator, expected):
    when = {"attribute": "share", "operator": operator, "value": "0.3"}

    assert asked(when, 3, attributes={"share": ["0.299999999", "0.3", "0.300000001"]}) == expected


def test_of_schools_that_tie_on_the_border_of_the_lowest_quarter_all_are_in():
    when = {"index": "isbsh", "lowest_share": "1/4"}
    shares = ["0.1", "0.2", "0.2", "0.3", "0.4", "0.5", "0.6", None]
    document = methodology(when, indices=[index()])

    found = evaluate(inputs_of([], schools_of(8), attributes={"share": shares}), document)

    # Seven schools have the index: rank ceil(7/4) = 2, whose value 0.2 two schools share.
    assert answers(found) == [True, True, True, False, False, False, False, None]


def test_schools_that_the_methodology_leaves_out_move_no_border_and_have_no_flag():
    when = {"index": "isbsh", "lowest_share": "1/2"}
    document = methodology(when, indices=[index()])
    shares = ["0.1", "0.2", "0.3", "0.4"]

    found = evaluate(
        inputs_of([], schools_of(4, excluded=[0, 1]), attributes={"share": shares}), document
    )

    # Without the first two the lowest half is the third alone.
    assert answers(found) == [False, False, True, False]
    assert found.indices["isbsh"].n == 2
    assert found.state[:2] == ["excluded", "excluded"]


def test_signs_are_absent_only_where_they_were_looked_for_in_every_year():
    when = {"signs": {"at_least": 2, "years": 2, "detectors": ["border_peak", "over_easy"]}}
    given = {
        "signs": [
            (0, 2024, "border_peak"), (0, 2023, "over_easy"), (1, 2024, "border_peak"),
            (1, 2024, "repeated"), (2, 2024, "border_peak"), (2, 2022, "border_peak"),
        ],
        "asked": {0: [2024], 1: [2023, 2024], 2: [2024, 2022]},
    }  # fmt: skip

    # Enough; one of the kinds asked for; one, and 2023 was not looked at; never looked at.
    assert asked(when, 4, **given) == [True, False, None, None]


def test_a_school_whose_card_says_nothing_has_an_unknown_mark():
    found = evaluate(
        inputs_of([], schools_of(3, adverse=[0], unmarked=[2])), methodology({"school_mark": True})
    )

    assert answers(found) == [True, False, None]
    # Unknown counts as absent in the category, and is told beside it.
    assert found.category == ["other", None, None]
    assert found.unknown.tolist() == [0, 0, BIT["adverse_conditions"]]


def test_a_rule_without_data_is_unknown_and_one_that_does_not_concern_the_school_is_no():
    when = {"rule": "a"}
    rows = [(0, s, 1, 50, 40) for s in (0, 1)] + [(1, s, 1, 50, 0) for s in (0, 1)]
    inputs = inputs_of([*rows, (2, 0, 1, 50, 40)], schools_of(4, inapplicable=[3]))

    found = evaluate(inputs, methodology(when, flag="prevention"))

    # Two low procedures; none; one where two are asked for; no such grades.
    assert answers(found, "prevention") == [True, False, None, False]
    assert answers(found, "low_results") == [True, False, None, False]


def test_what_was_not_frozen_is_refused_and_not_taken_for_missing():
    with pytest.raises(LookupError):
        asked({"attribute": "other", "operator": ">", "value": "0"}, 1, attributes={"share": [1]})
    bmin = methodology(
        {"school_mark": True},
        low_result={"based_on": "bmin", "threshold": "3/10", "operator": ">="},
    )
    with pytest.raises(LookupError):
        evaluate(inputs_of([(0, 0, 1, 5, 1)], schools_of(1), otherwise=None), bmin)


def test_the_other_bound_is_frozen_too():
    bmin = methodology(
        {"school_mark": True},
        low_result={"based_on": "bmin", "threshold": "3/10", "operator": ">="},
    )
    rows = [(0, s, 1, 50, 0) for s in (0, 1)]

    assert evaluate(inputs_of(rows, schools_of(1), otherwise=40), bmin).category == ["low"]
    assert evaluate(inputs_of(rows, schools_of(1), otherwise=0), bmin).category == [None]


# Against an oracle -------------------------------------------------------------------------------

LEAVES = st.sampled_from(
    [
        {"school_mark": True},
        {"attribute": "share", "operator": "<", "value": "0.4"},
        {"attribute": "staff", "operator": ">=", "value": "0.5"},
        {"index": "isbsh", "lowest_share": "1/3"},
        {"index": "isbsh", "operator": "<=", "value": "0.5"},
        {"signs": {"at_least": 1, "years": 1, "detectors": None}},
        {"rule": "a"},
    ]
)
TREES = st.recursive(
    LEAVES,
    lambda parts: st.lists(parts, min_size=1, max_size=3).flatmap(
        lambda listed: st.one_of(
            st.just({"any": listed}),
            st.just({"all": listed}),
            st.integers(1, len(listed)).map(lambda k: {"at_least": k, "of": listed}),
        )
    ),
    max_leaves=8,
)
CELL = st.one_of(st.none(), st.just("n/a"), st.integers(0, 10).map(lambda tenths: f"0.{tenths:02}"))


def kleene(parts, wanted):
    """Answer "at least so many of": possible answers of the unknown parts are tried out."""
    low, high = sum(p is True for p in parts), sum(p is not False for p in parts)
    return True if low >= wanted else False if high < wanted else None


def by_the_words(when, school, world):
    """Answer a condition for one school out of plain dictionaries."""
    match when:
        case {"any": parts}:
            return kleene([by_the_words(p, school, world) for p in parts], 1)
        case {"all": parts}:
            return kleene([by_the_words(p, school, world) for p in parts], len(parts))
        case {"at_least": wanted, "of": parts}:
            return kleene([by_the_words(p, school, world) for p in parts], wanted)
        case {"school_mark": True}:
            return world["marks"][school]
        case {"index": _, "lowest_share": share}:
            have = [Fraction(v) for v in world["share"] if v not in (None, "n/a")]
            own = world["share"][school]
            if own in (None, "n/a"):
                return None
            # In when fewer than the share of the schools stand strictly below.
            return sum(v < Fraction(own) for v in have) < Fraction(share) * len(have)
        case {"index": _, "operator": operator, "value": border}:
            own = world["share"][school]
            return None if own in (None, "n/a") else compare(own, operator, border)
        case {"attribute": code, "operator": operator, "value": border}:
            own = world[code][school]
            if own is None:
                return None
            return False if own == "n/a" else compare(own, operator, border)
        case {"signs": _}:
            if school in world["signs"]:
                return True
            return False if school in world["asked"] else None
        case {"rule": _}:
            return world["rule"][school]
    raise AssertionError(when)


def compare(own, operator, border):
    signs = {">=": (0, 1), ">": (1,), "<=": (0, -1), "<": (-1,)}
    difference = Fraction(own) - Fraction(border)
    return (difference > 0) - (difference < 0) in signs[operator]


@settings(max_examples=200, deadline=None)
@given(when=TREES, data=st.data())
def test_conditions_are_answered_as_the_oracle_answers_them(when, data):
    many = data.draw(st.integers(1, 7))
    column = st.lists(CELL, min_size=many, max_size=many)
    some = st.sets(st.integers(0, many - 1))
    marks = data.draw(st.lists(st.sampled_from([True, False, None]), min_size=many, max_size=many))
    rule = data.draw(st.lists(st.sampled_from([True, False, None]), min_size=many, max_size=many))
    world = {
        "marks": marks, "share": data.draw(column), "staff": data.draw(column), "rule": rule,
        "signs": data.draw(some), "asked": data.draw(some),
    }  # fmt: skip
    rows = [
        (school, series, 1, 50, 40 if is_low else 0)
        for school, is_low in enumerate(rule)
        for series in ((0, 1) if is_low is not None else (0,))
    ]
    inputs = inputs_of(
        rows,
        schools_of(
            many,
            adverse=[s for s, mark in enumerate(marks) if mark],
            unmarked=[s for s, mark in enumerate(marks) if mark is None],
        ),
        attributes={"share": world["share"], "staff": world["staff"]},
        signs=[(school, 2024, "over_easy") for school in world["signs"]],
        asked={school: [2024] for school in world["asked"]},
    )

    found = evaluate(inputs, methodology(when, indices=[index()]))

    assert answers(found) == [by_the_words(when, school, world) for school in range(many)]
    assert not (found.flags & found.unknown).any()


def test_the_oracle_can_tell():
    """A negative control: the same question with another border has another answer."""
    inputs = inputs_of([], schools_of(2), attributes={"share": ["0.3", "0.5"]})
    world = {"share": ["0.3", "0.5"]}
    when = {"attribute": "share", "operator": "<", "value": "0.4"}
    other = {"attribute": "share", "operator": "<", "value": "0.6"}

    assert answers(evaluate(inputs, methodology(when))) != [
        by_the_words(other, school, world) for school in range(2)
    ]
