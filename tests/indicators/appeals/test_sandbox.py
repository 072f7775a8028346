"""The sandbox of an appeal over frozen inputs: one cell is replaced, everything else stays."""

import dataclasses
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.indicators.algebra.values import State, Value
from services.indicators.appeals.correcting import corrected_inputs
from services.indicators.appeals.sandboxing import outcome_of
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.shipped import shipped_methodologies
from tests.indicators.identification.worlds import FLAGS, ISBSH
from tests.support.builders.inputs import KINDS, inputs_of, schools_of

RESULT = {"kind": "result", "n": 0, "low": 0, "failed": 0}


def methodology(**changed) -> Methodology:
    document = shipped_methodologies()["smolensk-nro-fnsu"].canonical()
    document["procedures"] = [{"kind": kind, "grades": [9]} for kind in KINDS]
    document["small_n"] = {"below": 1, "policy": "flag"}
    return Methodology.model_validate(document | changed)


def lowest_quarter() -> Methodology:
    flags = [
        {"code": "low_results", "title": "НР", "taken_from": "rules"},
        {
            "code": "adverse_conditions", "title": "ССУ", "taken_from": "conditions",
            "when": {"index": "isbsh", "lowest_share": "1/4"},
        },
    ]  # fmt: skip
    component = {"attribute": "share", "title": "Доля", "adverse": "low", "weight": "1"}
    return methodology(flags=flags, indices=[ISBSH | {"components": [component]}])


# school, series, years back, n, low: the first of two procedures is low by one pupil only.
ROWS = [(0, 0, 1, 10, 3), (0, 1, 1, 10, 8), (1, 0, 1, 10, 2), (1, 1, 1, 10, 9)]


def inputs(rows=ROWS, many=2, **more):
    return inputs_of(rows, schools_of(many), otherwise=9, **more)


def tried(found, cell, school=0, document=None):
    return outcome_of(found, document or methodology(), found.schools[school].school_id, cell)


def test_one_pupil_less_takes_the_school_out_of_the_list():
    found = inputs()
    cell = RESULT | {"procedure_id": found.procedures[0].procedure_id, "n": 10, "failed": 2}

    outcome = tried(found, cell)

    assert (outcome.change, outcome.others) == ("left", [])
    assert (outcome.school.before.category, outcome.school.after.category) == ("nro", None)
    assert outcome.school.before.flags == ["low_results"]
    assert outcome.sentence == (
        "С исправленной клеткой школа выходит из списка; ответы других школ те же"
    )


def test_one_pupil_more_brings_the_other_school_in():
    found = inputs()
    cell = RESULT | {"procedure_id": found.procedures[0].procedure_id, "n": 10, "failed": 3}

    assert tried(found, cell, school=1).change == "entered"


def test_the_value_of_the_run_itself_changes_nothing():
    found = inputs()
    cell = RESULT | {"procedure_id": found.procedures[0].procedure_id, "n": 10, "failed": 3}

    assert tried(found, cell).change == "none"


def test_a_cell_that_nobody_sat_is_no_data_and_not_a_good_result():
    found = inputs([row for row in ROWS if row[0] == 0], many=1)
    cells = [RESULT | {"procedure_id": p.procedure_id} for p in found.procedures]

    without = corrected_inputs(found, found.schools[0].school_id, cells[0])

    assert list(without.cells.procedure) == [1]
    assert tried(found, cells[0]).school.after.state == "incomplete"
    assert tried(without, cells[1]).school.after.state == "no_data"


def test_the_frozen_inputs_stay_as_they_are():
    found = inputs()
    before = [column.copy() for column in dataclasses.astuple(found.cells) if column is not None]
    cell = RESULT | {"procedure_id": found.procedures[0].procedure_id, "n": 12, "failed": 1}

    corrected_inputs(found, found.schools[0].school_id, cell)

    after = [column for column in dataclasses.astuple(found.cells) if column is not None]
    assert all((one == other).all() for one, other in zip(before, after, strict=True))


def test_a_border_relative_to_all_schools_moves_for_others_too():
    shares = ["0.1", "0.2", "0.3", "0.4"]
    found = inputs([], many=4, attributes={"share": shares})
    document = lowest_quarter()
    cell = {"kind": "attribute", "attribute": "share", "state": "value", "value": "0.5"}

    outcome = tried(found, cell, document=document)

    assert outcome.change == "left"
    (other,) = outcome.others
    assert other.code == found.schools[1].code
    assert (other.before.category, other.after.category) == (None, "fnsu")
    assert "других школ (всего 1)" in outcome.sentence


def test_an_attribute_may_be_not_applicable_or_taken_back():
    found = inputs([], many=2, attributes={"share": ["0.1", "0.2"]})
    own = found.schools[0].school_id
    cell = {"kind": "attribute", "attribute": "share", "state": "not_applicable", "value": None}

    changed = corrected_inputs(found, own, cell).attributes["share"]

    assert changed.values == (Value(State.NOT_APPLICABLE), Value(State.VALUE, Decimal("0.2")))


def test_the_mark_of_the_card_can_be_corrected_to_unknown():
    found = inputs_of([], schools_of(1, adverse=[0]))

    outcome = tried(found, {"kind": "mark", "adverse_conditions": None})

    assert outcome.change == "left"
    assert outcome.school.after.unknown_flags == ["adverse_conditions"]


def test_a_sign_that_does_not_count_takes_its_flag_away():
    flags = [{"code": "biased_results", "title": "НО", "taken_from": "conditions",
              "when": {"signs": {"at_least": 1, "years": 1}}}]  # fmt: skip
    document = methodology(
        flags=flags,
        categories=[{"code": "no", "title": "НО", "has": [FLAGS[2]], "has_not": []}],
    )
    found = inputs_of([], schools_of(1), signs=[(0, 2024, "border_peak")], asked={0: [2024]})
    cell = {"kind": "sign", "sign_id": found.signs[0].id, "counts": False}

    assert tried(found, cell, document=document).change == "left"


def test_a_cell_that_the_run_was_not_asked_for_is_no_cell():
    found = inputs()
    own = found.schools[0].school_id

    with pytest.raises(KeyError):
        corrected_inputs(found, own, RESULT | {"procedure_id": 1})
    with pytest.raises(KeyError):
        corrected_inputs(found, 1, {"kind": "mark", "adverse_conditions": None})


CELLS = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 2)), st.integers(1, 30), min_size=1
)


@given(CELLS, st.integers(0, 3), st.integers(0, 2), st.integers(0, 30))
def test_a_replaced_cell_is_the_run_that_would_have_counted_so(cells, school, series, n):
    # The oracle builds the inputs anew out of the changed rows; KINDS are in the order of procedures.
    everything = {(s, kind): 5 for s in range(4) for kind in range(3)}
    rows = {**everything, **cells}
    changed = {key: many for key, many in {**rows, (school, series): n}.items() if many}
    made, wanted = (
        inputs_of([(s, kind, 1, many, 0) for (s, kind), many in table.items()], schools_of(4))
        for table in (rows, changed)
    )
    procedure = made.procedures[series].procedure_id

    found = corrected_inputs(
        made, made.schools[school].school_id, RESULT | {"procedure_id": procedure, "n": n}
    )

    for name in ("school", "procedure", "n"):
        assert np.array_equal(getattr(found.cells, name), getattr(wanted.cells, name)), name
