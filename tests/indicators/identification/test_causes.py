"""Why two runs differ: what is said to suffice is applied to the plain facts of the region, and does."""

from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.indicators.identification.differences.causes import Side, answers, attribute
from services.indicators.methodologies.changes import merged
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.shipped import shipped_methodologies
from tests.support.builders.facts import Facts

SCHOOLS = range(1, 6)
PROCEDURES = {
    241: ("oge", 9, 2024, 8),
    242: ("ege", 11, 2024, 8),
    231: ("oge", 9, 2023, 8),
    232: ("ege", 11, 2023, 8),
    221: ("oge", 9, 2022, 8),
}
ADVERSE = {
    "any": [
        {"attribute": "poor", "operator": ">=", "value": "30"},
        {"signs": {"at_least": 1, "years": 2, "detectors": None}},
        {"school_mark": True},
    ]
}
PATCHES = [
    {"low_result": {"threshold": "1/4"}},
    {"low_result": {"threshold": "2/5"}},
    {"low_result": {"based_on": "bmin"}},
    {"small_n": {"below": 5}},
    {"small_n": {"policy": "no_flag", "years": None}},
    {"excluded_school_kinds": ["evening"]},
    {"rules": [{"code": "a", "title": "А", "years_back": [1], "at_least": 1}]},
    {"procedures": [{"kind": "oge", "grades": [9], "mass_subjects": ["rus", "mat"]}]},
]


def methodology(*patches):
    document = shipped_methodologies()["smolensk-nro-fnsu"].model_dump(mode="json")
    document["flags"][1] |= {"taken_from": "conditions", "when": ADVERSE}
    for patch in patches:
        document = merged(document, patch)
    return Methodology.model_validate(document)


numbers = st.integers(1, 16).flatmap(
    lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(0, n))
)


@st.composite
def regions(draw):
    facts = Facts(procedures=dict(PROCEDURES))
    for school in SCHOOLS:
        kind = draw(st.sampled_from(["sosh", "evening", None]))
        facts.schools[school] = (kind, draw(st.sampled_from([None, True, False])))
        for procedure in PROCEDURES:
            if draw(st.booleans()):
                facts.cells[school, procedure] = draw(numbers)
    facts.attributes["poor"] = draw(
        st.dictionaries(st.sampled_from(SCHOOLS), st.integers(25, 35), max_size=5)
    )
    facts.signs = draw(st.sets(st.tuples(st.sampled_from(SCHOOLS), st.just(2024)), max_size=2))
    return facts


SHRUNKEN = {"certainty": {"shrinkage": "beta_binomial"}}
"""With it the answer for a school depends on what all schools have in common."""


@st.composite
def pairs(draw, *always):
    """Two runs of one region: later facts and rules with some things changed."""
    earlier = draw(regions())
    later = earlier.copy()
    for where in draw(st.lists(st.sampled_from(sorted(earlier.cells) or [(1, 241)]), max_size=3)):
        later.cells[where] = draw(numbers)
    for number in draw(st.sets(st.sampled_from(sorted(PROCEDURES)), max_size=1)):
        kind, grade, year, _ = PROCEDURES[number]
        later.procedures[number] = (kind, grade, year, 9)
    for school in draw(st.sets(st.sampled_from(SCHOOLS), max_size=1)):
        later.schools[school] = (draw(st.sampled_from(["sosh", "evening"])), draw(st.booleans()))
    if draw(st.booleans()):
        later.attributes["poor"] = {**later.attributes["poor"], 1: draw(st.integers(25, 35))}
    if draw(st.booleans()):
        later.signs ^= {(2, 2024)}
    patches = draw(st.lists(st.sampled_from(PATCHES), max_size=2))
    return earlier, methodology(*always), later, methodology(*always, *patches)


def mixed(pair, taken, procedures=()):
    """Apply factors (or only some procedures' cells) to the earlier facts, by dictionaries alone."""
    earlier, before, later, after = pair
    facts, rules = earlier.copy(), after if "rule" in taken else before
    rescaled = {n for n in PROCEDURES if earlier.procedures[n] != later.procedures[n]}
    # What only one of the runs looks at was never frozen by the other: it comes with the rules.
    by_both = asked(earlier, before) & asked(later, after)
    moved = set(procedures)
    if "data" in taken:
        moved |= by_both - rescaled
    if "scale" in taken:
        moved |= by_both & rescaled
    if "rule" in taken:
        moved |= PROCEDURES.keys() - by_both
    facts.cells = {k: v for k, v in facts.cells.items() if k[1] not in moved}
    facts.cells |= {k: v for k, v in later.cells.items() if k[1] in moved}
    facts.procedures |= {n: later.procedures[n] for n in moved}
    for factor, name in (("school", "schools"), ("context", "attributes"), ("signs", "signs")):
        if factor in taken:
            setattr(facts, name, getattr(later, name))
    return facts, rules


def asked(facts, rules):
    """Give the procedures that a run by these rules freezes."""
    return {
        number
        for number, (kind, grade, year, _) in facts.procedures.items()
        if rules.considered(kind, grade) and year in rules.years(facts.year)
    }


def side(facts, rules):
    return Side(facts.inputs(asked(facts, rules)), rules)


def told(facts, rules):
    """Answer for every school; all procedures are there, the rules choose."""
    inputs = facts.inputs()
    found = answers(inputs, rules)
    rows = zip(
        found.state, found.flags.tolist(), found.category, found.certainty.tolist(), strict=True
    )
    return {s.school_id: row for s, row in zip(inputs.schools, rows, strict=True)}


def reached(change, got, wanted):
    return got[2] == wanted[2] if change in ("entered", "left") else got == wanted


@given(st.one_of(pairs(), pairs(SHRUNKEN)))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_said_to_suffice_gives_the_new_answer_and_nothing_smaller_does(pair):
    earlier, before, later, after = pair
    old, new = told(earlier, before), told(later, after)

    found = attribute(side(earlier, before), side(later, after))

    differing = {school for school in SCHOOLS if old[school] != new[school]}
    assert found.by_school.keys() == differing
    for school, why in found.by_school.items():
        is_reached = partial(reached, why.change, wanted=new[school])
        for applied in why.cause.sets:
            assert is_reached(told(*mixed(pair, set(applied)))[school]), applied
        smallest = len(why.cause.sets[0])
        alone = {f for f in found.factors if is_reached(told(*mixed(pair, {f}))[school])}
        assert alone == (set(why.cause.single) if smallest == 1 else set())
        for factor in ("data", "scale"):
            for numbers_of in why.inner[factor].sets if factor in why.inner else ():
                moved = mixed(pair, set(), {int(number) for number in numbers_of})
                assert is_reached(told(*moved)[school]), numbers_of


def a_pair(**changes):
    """Two runs over one region of one school: 3 of 10 in both exams of 2024."""
    earlier = Facts(procedures=dict(PROCEDURES), schools={1: ("sosh", False)})
    earlier.attributes["poor"] = {1: 10}
    earlier.cells = {(1, 241): (10, 4, 3), (1, 242): (10, 4, 3)}
    later = earlier.copy()
    for name, value in changes.items():
        setattr(later, name, value)
    return earlier, later


def test_one_corrected_cell_is_the_cause_and_its_procedure_is_named():
    earlier, later = a_pair(cells={(1, 241): (10, 3, 2), (1, 242): (10, 4, 3)})

    found = attribute(side(earlier, methodology()), side(later, methodology()))

    assert found.factors == ("data",)
    assert found.by_school[1].change == "left"
    assert found.by_school[1].cause.single == ("data",)
    assert found.by_school[1].inner["data"].single == ("241",)


def test_new_scales_of_a_procedure_are_the_cause_scale():
    earlier, later = a_pair(
        procedures=PROCEDURES | {242: ("ege", 11, 2024, 7)},
        cells={(1, 241): (10, 4, 3), (1, 242): (10, 3, 2)},
    )

    found = attribute(side(earlier, methodology()), side(later, methodology()))

    assert found.by_school[1].cause.single == ("scale",)
    assert found.by_school[1].inner["scale"].single == ("242",)


@pytest.mark.parametrize(
    ("patch", "setting"),
    [
        ({"low_result": {"threshold": "2/5"}}, "/low_result/threshold"),
        ({"low_result": {"operator": ">"}}, "/low_result/operator"),
        ({"excluded_school_kinds": ["sosh"]}, "/excluded_school_kinds"),
    ],
)
def test_the_setting_that_suffices_is_named_among_others_that_do_not(patch, setting):
    earlier, later = a_pair()
    after = methodology(patch, {"small_n": {"below": 9}})

    found = attribute(side(earlier, methodology()), side(later, after))

    assert found.by_school[1].cause.single == ("rule",)
    assert found.by_school[1].inner["rule"].single == (setting,)


def test_what_only_works_together_is_told_as_a_combination():
    # By the stricter threshold 3 of 10 would do in neither; 4 of 10 by the old one was low already.
    earlier, later = a_pair(cells={(1, 241): (10, 3, 2), (1, 242): (10, 4, 3)})
    later.attributes = {"poor": {1: 40}}
    found = attribute(side(earlier, methodology()), side(later, methodology())).by_school[1]

    # Low results went, adverse conditions came: the category needs both.
    assert found.change == "changed"
    assert found.cause.sets == (("data", "context"),)
    assert found.cause.single == ()


def test_another_year_of_the_list_is_a_cause_in_the_data():
    earlier, later = a_pair(year=2026)

    found = attribute(side(earlier, methodology()), side(later, methodology()))

    assert found.by_school[1].cause.single == ("data",)
    assert found.by_school[1].inner == {}


def test_schools_that_only_one_run_knows_are_not_asked_about():
    earlier, later = a_pair(schools={})

    assert attribute(side(earlier, methodology()), side(later, methodology())).by_school == {}
