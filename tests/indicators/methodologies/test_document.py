from fractions import Fraction

import pytest
from pydantic import ValidationError

from services.indicators.algebra.categories import Flag, category_of
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.shipped import shipped_methodologies


def federal(**changed) -> dict:
    return shipped_methodologies()["federal-shnor"].canonical() | changed


def refusal(**changed) -> str:
    with pytest.raises(ValidationError) as refused:
        Methodology.model_validate(federal(**changed))
    return str(refused.value)


def test_the_shipped_methodologies_are_consistent():
    assert list(shipped_methodologies()) == [
        "federal-shnor",
        "federal-shnor-gia",
        "smolensk-nro-fnsu",
        "stavropol-bmin",
    ]


def test_the_federal_rules_say_what_the_document_says():
    document = shipped_methodologies()["federal-shnor"]

    assert [(r.years_back, r.at_least) for r in document.rules] == [([1], 2), ([1, 2], 1)]
    assert document.low_result.share == Fraction(3, 10)
    assert not document.low_result.strict
    assert document.considered("vpr", 5).mass_subjects == ["rus", "mat"]
    assert document.considered("vpr", 4) is None


def test_smolensk_has_its_three_columns():
    document = shipped_methodologies()["smolensk-nro-fnsu"]
    low, adverse = Flag.LOW_RESULTS, Flag.ADVERSE_CONDITIONS

    found = [category_of(f, document.as_categories()).code for f in (low, adverse, low | adverse)]

    assert found == ["nro", "fnsu", "nro-fnsu"]


def test_pooling_looks_further_back_than_the_rules():
    document = shipped_methodologies()["federal-shnor"]
    alone = Methodology.model_validate(federal(small_n={"below": 10, "policy": "flag"}))

    assert document.years(2025) == [2024, 2023, 2022]
    assert alone.years(2025) == [2024, 2023]


def test_writing_and_reading_changes_nothing():
    document = shipped_methodologies()["stavropol-bmin"]

    assert Methodology.model_validate_json(document.model_dump_json()) == document
    assert Methodology.model_validate(document.canonical()).canonical() == document.canonical()


def test_unknown_fields_are_refused():
    assert "threshhold" in refusal(threshhold="3/10")


@pytest.mark.parametrize("threshold", ["0", "1", "3/0", "30", "0,3", "-1/3", "4/3", 0.3])
def test_a_threshold_is_an_exact_share_between_nothing_and_everyone(threshold):
    refusal(low_result={"based_on": "bmin", "threshold": threshold, "operator": ">="})


def test_categories_must_be_exclusive_and_complete():
    categories = federal()["categories"]

    assert "категорий 0" in refusal(categories=categories[:2])
    assert "категорий 2" in refusal(categories=[{**categories[0], "has_not": []}, *categories[1:]])


def test_years_of_pooling_belong_to_pooling():
    assert "pool" in refusal(small_n={"below": 10, "policy": "pool"})
    assert "pool" in refusal(small_n={"below": 10, "policy": "flag", "years": 2})


def test_a_year_stands_in_a_rule_once():
    rule = federal()["rules"][1] | {"years_back": [1, 1]}

    assert "повторяться" in refusal(rules=[rule])


def test_a_procedure_is_considered_by_one_line_only():
    lines = federal()["procedures"]

    assert "повторяться" in refusal(procedures=[*lines, lines[0]])
    assert "повторяться" in refusal(procedures=[*lines, {"kind": "oge", "grades": None}])


def test_a_methodology_cannot_end_before_it_begins():
    assert "раньше" in refusal(in_force_from="2025-01-01", in_force_to="2024-01-01")
