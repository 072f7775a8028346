from fractions import Fraction

import pytest
from pydantic import ValidationError

from services.indicators.algebra.categories import Flag, category_of
from services.indicators.methodologies.conditions import IndexShare
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.operations import document_hash
from services.indicators.methodologies.shipped import shipped_methodologies
from services.indicators.profiles.catalogue import catalogue


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
        "stavropol-groups",
        "vologda-nr-ssk-no",
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


# Hashes of the shipped documents as the first release wrote them: stored versions keep their names.
FIRST_HASHES = {
    "federal-shnor": "9f321eb936125ff1ad641391eb672f4f43a7c3d600a4dc834206b791e3b5abed",
    "federal-shnor-gia": "96db099b87622d64507d25781fd4ff5ff1c8d1f43e19d19aac45fb364e094058",
    "smolensk-nro-fnsu": "49805f0c13a631eb6d5e3bbc8e4b0deeec22e1621dcae5f1af4ab0d2d8504b68",
    "stavropol-bmin": "2d8a1b42c90c8e253b184d9dd9907ab98dac0476ce6ea92107adcc8f661e32da",
}


def test_documents_of_the_first_format_keep_their_hashes():
    found = {code: document_hash(shipped_methodologies()[code]) for code in FIRST_HASHES}

    assert found == FIRST_HASHES
    changed = Methodology.model_validate(federal(context_year_back=2))
    assert document_hash(changed) != FIRST_HASHES["federal-shnor"]


def test_stavropol_gives_every_combination_of_four_flags_one_of_its_four_groups():
    document = shipped_methodologies()["stavropol-groups"]
    low, adverse = Flag.LOW_RESULTS, Flag.ADVERSE_CONDITIONS
    risk, prevention = Flag.DECLINE_RISK, Flag.PREVENTION
    asked = [low, low | adverse | risk, adverse | risk, risk | prevention, prevention, Flag(0)]

    found = [category_of(flags, document.as_categories()) for flags in asked]

    assert [one and one.code for one in found] == [
        "shnor",
        "shnor",
        "shnsu",
        "risk",
        "prevention",
        None,
    ]
    assert [(r.years_back, r.at_least) for r in document.rules] == [([1], 2), ([1, 2], 1)]


def test_vologda_has_seven_cells_and_looks_back_three_years():
    document = shipped_methodologies()["vologda-nr-ssk-no"]

    cells = {tuple(one.has): one.code for one in document.categories}

    assert len(cells) == len(document.categories) == 7
    assert all(len(one.has) + len(one.has_not) == 3 for one in document.categories)
    assert [rule.years_back for rule in document.rules] == [[1, 2, 3]]
    assert document.sign_years(2026) == [2025, 2024, 2023]
    assert document.attributes() == [
        "both_parents_higher",
        "incomplete_families",
        "on_register",
        "unemployed_parents",
    ]


def flag(**changed):
    first, second = federal()["flags"]
    return refusal(flags=[first, second | changed])


def test_a_condition_belongs_to_a_flag_taken_from_conditions():
    assert "taken_from: conditions" in flag(when={"school_mark": True})
    assert "taken_from: conditions" in flag(taken_from="conditions")
    assert "low_results" in refusal(
        flags=[federal()["flags"][0] | {"taken_from": "conditions", "when": {"rule": "a"}}],
    )


def test_a_condition_names_what_the_document_has():
    assert "Правила «z»" in flag(taken_from="conditions", when={"any": [{"rule": "z"}]})
    cut = {"index": "isbsh", "operator": "<", "value": "40"}
    assert "Индекса «isbsh»" in flag(taken_from="conditions", when=cut)


@pytest.mark.parametrize(
    "condition",
    [
        {},
        5,
        {"any": []},
        {"all": [{"rule": "a"}], "any": []},
        {"school_mark": False},
        {"at_least": 3, "of": [{"rule": "a"}, {"rule": "b"}]},
        {"index": "isbsh", "operator": "=", "value": "1"},
        {"index": "isbsh", "lowest_share": "1"},
        {"attribute": "on_register", "operator": ">=", "value": "1e3"},
        {"signs": {"at_least": 0, "years": 1}},
    ],
)
def test_a_malformed_condition_is_refused(condition):
    flag(taken_from="conditions", when=condition)


def test_a_condition_that_nobody_could_read_is_refused():
    deep = {"rule": "a"}
    for _ in range(6):
        deep = {"all": [deep]}
    wide = {"any": [{"any": [{"rule": "a"}] * 20}] * 3}

    assert "вложено" in flag(taken_from="conditions", when=deep)
    assert "частей" in flag(taken_from="conditions", when=wide)


@pytest.mark.parametrize(("schools", "rank"), [(0, 0), (1, 1), (4, 1), (5, 2), (8, 2), (420, 105)])
def test_the_lowest_quarter_ends_at_a_whole_rank_rounded_up(schools, rank):
    assert IndexShare(index="isbsh", lowest_share="1/4").rank(schools) == rank


def test_shipped_methodologies_name_attributes_of_the_shipped_catalogue():
    named = {
        code for document in shipped_methodologies().values() for code in document.attributes()
    }

    assert "on_register" in named
    assert named <= catalogue().keys()
