"""Vologda's split of 2019 as its programme printed it, and as it can be true."""

import pytest

from services.indicators.reconciliation.checking import check_split, sums_of
from services.indicators.reconciliation.names import is_known, nearest
from services.indicators.reconciliation.schemas import Printed, SplitSeverity
from tests.support.vologda import MUNICIPALITIES, corrected, printed


def found(told, known=MUNICIPALITIES, severity=SplitSeverity.ERROR):
    findings = check_split(Printed.model_validate(told), list(known))
    return {(one.code, one.pointer): one for one in findings if one.severity is severity}


def test_the_printed_figures_contradict_each_other_in_five_places():
    errors = found(printed())

    assert set(errors) == {
        ("percent-implies-other-count", "/cells/3/percent"),
        ("cells-do-not-add-up", "/cells"),
        ("municipalities-do-not-add-up", "/municipalities"),
        ("municipality-unknown", "/municipalities/3/name"),
        ("municipality-unknown", "/municipalities/27/name"),
    }
    wrong = errors["percent-implies-other-count", "/cells/3/percent"]
    assert wrong.implies == (27,)
    assert "36,51 %" in wrong.text
    assert "с числом 27 сумма ячеек равна 63" in wrong.text
    assert "59 ≠ 63" in errors["cells-do-not-add-up", "/cells"].text
    assert "64 ≠ 63" in errors["municipalities-do-not-add-up", "/municipalities"].text
    close = errors["municipality-unknown", "/municipalities/27/name"].text
    assert "похоже на «Шекснинский район»" in close


def test_unsteady_printing_is_noted_and_refuses_nothing():
    notes = found(printed(), severity=SplitSeverity.NOTE)

    assert set(notes) == {
        ("percent-without-sign", "/cells/2/percent"),
        ("percent-truncated", "/cells/4/percent"),
        ("percents-differ-in-digits", "/cells"),
        ("percents-sum", "/cells"),
    }
    assert "99,85" in notes["percents-sum", "/cells"].text


def test_the_corrected_figures_have_no_errors_and_give_48_43_and_14():
    told = corrected()

    assert found(told) == {}
    sums = sums_of(Printed.model_validate(told))
    assert (sums["cells"], sums["municipalities"]) == (63, 63)
    assert [(one["flag"], one["count"]) for one in sums["by_flag"]] == [
        ("low_results", 48),
        ("adverse_conditions", 43),
        ("biased_results", 14),
    ]


def test_printed_totals_by_flag_are_held_against_the_cells():
    told = corrected() | {"flag_totals": [{"flag": "low_results", "count": 47}]}

    (wrong,) = found(told).values()

    assert (wrong.code, wrong.implies) == ("flag-total-differs", (48,))


def test_the_split_of_2018_is_consistent_with_its_seventh_cell_unsaid():
    nr, ssk, no = "low_results", "adverse_conditions", "biased_results"
    cells = [
        ([nr, no], 9),
        ([no], 7),
        ([nr, ssk, no], 6),
        ([nr, ssk], 2),
        ([ssk, no], 2),
        ([nr], 2),
    ]
    told = corrected() | {
        "year": 2018,
        "total": 28,
        "cells": [{"flags": flags, "count": count} for flags, count in cells],
        "municipalities": [],
    }

    assert found(told) == {}
    assert set(found(told, severity=SplitSeverity.NOTE)) == {("cell-unsaid", "/cells")}
    sums = sums_of(Printed.model_validate(told))
    assert [one["count"] for one in sums["by_flag"]] == [19, 10, 24]


def test_a_cell_cannot_be_printed_twice_nor_with_a_flag_that_is_not_declared():
    told = corrected()
    told["cells"] = [*told["cells"], {"flags": ["low_results"], "count": 0}]
    assert ("cell-repeated", "/cells/7/flags") in found(told)

    told["cells"] = [*corrected()["cells"], {"flags": ["prevention"], "count": 0}]
    assert ("flag-undeclared", "/cells/7/flags") in found(told)


def test_a_region_without_municipalities_checks_no_names():
    assert not [code for code, _ in found(printed(), known=()) if code == "municipality-unknown"]


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Грязовецкого района", True),
        ("г. Череповца", True),
        ("Череповецкий", True),
        ("Кичменгско-Городецкий", True),
        ("Усть-Кубинский район", True),
        ("Варнавинский", False),
        ("Шексинский", False),
        ("г. Вологодский", False),
    ],
)
def test_declined_and_shortened_names_are_known_and_others_are_not(name, known):
    assert is_known(name, MUNICIPALITIES) is known


def test_a_town_is_not_the_district_around_it():
    assert not is_known("г. Череповец", ["Череповецкий район"])
    assert not is_known("Смоленский", ["Смоленск"])
    assert is_known("г. Десногорск", ["Десногорск"])
    assert nearest("Ничей", ["Череповецкий район"]) is None
