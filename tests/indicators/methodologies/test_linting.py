"""What the linter finds; each fact once with a document that has the fault and one that has not."""

import datetime as dt

import pytest

from services.indicators.methodologies.findings import Severity
from services.indicators.methodologies.linting.linter import lint
from services.indicators.methodologies.linting.surroundings import (
    KnownProcedure,
    KnownVersion,
    Surroundings,
)
from services.indicators.methodologies.permitted import forbidden_days, permitted_uses
from services.indicators.methodologies.shipped import shipped_methodologies
from services.indicators.procedures.schemas import ProcedureKind

NOWHERE = Surroundings()
ORDER = {"number": "1", "date": "2020-08-01"}


def document(code="federal-shnor-gia", **changed):
    return shipped_methodologies()[code].canonical() | {"order": ORDER} | changed


def codes(told, around=NOWHERE):
    return {(one.code, one.pointer) for one in lint(told, around)}


def severities(told, around=NOWHERE):
    return {one.code: one.severity for one in lint(told, around)}


def procedure(number, kind="oge", grade=9, year=2024, **known):
    facts = {"subjects": frozenset({"rus", "mat"}), "has_results": True} | known
    return KnownProcedure(number, kind, grade, year, f"№ {number}", **facts)


def region(*procedures, **known):
    return Surroundings(procedures=procedures, is_known=True, **known)


def test_a_sound_document_has_no_findings():
    assert codes(document()) == set()


@pytest.mark.parametrize("code", shipped_methodologies())
def test_shipped_documents_lack_only_an_order_and_the_permission_for_vpr(code):
    found = {one.code for one in lint(shipped_methodologies()[code].canonical(), NOWHERE)}

    with_vpr = {"federal-shnor", "stavropol-bmin"}
    assert found == {"no-order"} | ({"use-not-permitted"} if code in with_vpr else set())


@pytest.mark.parametrize(
    ("told", "pointer"),
    [
        ([], ""),
        ({}, "/code"),
        (document(threshhold="1/3"), "/threshhold"),
        (document(low_result={"based_on": "minimum", "threshold": "1", "operator": ">="}),
         "/low_result/threshold"),
        (document(low_result={"based_on": "minimum", "threshold": "0", "operator": ">="}),
         "/low_result/threshold"),
        (document(small_n={"below": True, "policy": "flag"}), "/small_n/below"),
    ],
)  # fmt: skip
def test_a_malformed_value_is_told_at_its_place(told, pointer):
    found = [one for one in lint(told, NOWHERE) if one.pointer == pointer]

    assert found
    assert all(one.severity is Severity.ERROR for one in found)


def test_the_place_of_a_fault_in_a_condition_is_a_pointer_into_the_document():
    told = document()
    cut = {"index": "isbsh", "operator": "=", "value": "1"}
    told["flags"][1] |= {"taken_from": "conditions", "when": {"any": [{"all": [cut]}]}}

    (found,) = lint(told, NOWHERE)

    assert found.pointer == "/flags/1/when/any/0/all/0/operator"


def test_contradictions_are_told_each_at_its_place():
    told = document(in_force_to="2020-01-01")
    told["categories"] = told["categories"][:2]
    told["rules"] = [told["rules"][0], told["rules"][0]]
    told["procedures"] = [told["procedures"][0], told["procedures"][0]]

    assert {
        ("dates-reversed", "/in_force_to"),
        ("categories-not-complete", "/categories"),
        ("repeated", "/rules/1/code"),
        ("repeated", "/procedures/1"),
    } <= codes(told)


def rules(*pairs):
    return [
        {"code": f"r{n}", "title": "Правило", "years_back": years, "at_least": many}
        for n, (years, many) in enumerate(pairs)
    ]


def test_a_rule_that_asks_for_more_procedures_than_count_can_never_hold():
    assert ("rule-cannot-hold", "/rules/0/at_least") in codes(document(rules=rules(([1], 3))))
    assert ("rule-cannot-hold", "/rules/0/at_least") not in codes(document(rules=rules(([1], 2))))
    several = region(*(procedure(n) for n in range(3)))
    assert "rule-cannot-hold" not in severities(document(rules=rules(([1], 3))), several)


def test_a_rule_that_another_always_holds_with_is_redundant():
    stronger_first = codes(document(rules=rules(([1, 2], 2), ([1], 1))))
    twins = codes(document(rules=rules(([1], 1), ([1], 1))))

    assert {at for code, at in stronger_first if code == "rule-redundant"} == {"/rules/0"}
    assert {at for code, at in twins if code == "rule-redundant"} == {"/rules/1"}
    assert "rule-redundant" not in severities(document())


@pytest.mark.parametrize(
    ("threshold", "is_told"), [("1/50", True), ("1/20", False), ("9/10", False), ("19/20", True)]
)
def test_a_threshold_that_takes_nearly_all_or_nearly_none_is_doubtful(threshold, is_told):
    told = document(low_result={"based_on": "minimum", "threshold": threshold, "operator": ">="})

    assert ("threshold-extreme" in severities(told)) is is_told


@pytest.mark.parametrize(
    ("small", "code"),
    [
        ({"below": 1, "policy": "no_flag"}, "small-groups-empty"),
        ({"below": 10, "policy": "flag"}, "small-groups-flagged"),
        ({"below": 101, "policy": "no_flag"}, "small-groups-wide"),
        ({"below": 1, "policy": "flag"}, "never-certain"),
    ],
)
def test_small_groups_without_sense_are_told(small, code):
    assert code in severities(document(small_n=small))
    assert code not in severities(document())


def test_a_confidence_in_place_of_a_quantile_is_doubtful():
    assert "unusual-quantile" in severities(document(certainty={"z": "0.95"}))


def conditional(when, indices=(), **changed):
    told = document(indices=list(indices), **changed)
    told["flags"][1] |= {"taken_from": "conditions", "when": when}
    return told


def cut(operator, value, attribute="on_register"):
    return {"attribute": attribute, "operator": operator, "value": value}


@pytest.mark.parametrize(
    ("parts", "is_empty"),
    [
        ([cut("<", "1"), cut(">", "2")], True),
        ([cut("<", "1"), cut(">", "1")], True),
        ([cut("<=", "1"), cut(">", "1")], True),
        ([cut("<=", "1"), cut(">=", "1")], False),
        ([cut("<", "2"), cut(">", "1")], False),
        ([cut("<", "1"), {"all": [cut(">=", "1")]}], True),
        ([cut("<", "1"), cut(">", "2", "pupils")], False),
    ],
)
def test_a_condition_that_nothing_can_meet_is_an_error(parts, is_empty):
    found = severities(conditional({"all": parts}))

    assert (found.get("condition-never") is Severity.ERROR) is is_empty


@pytest.mark.parametrize(
    ("parts", "is_everything"),
    [
        ([cut("<", "2"), cut(">", "1")], True),
        ([cut("<", "1"), cut(">=", "1")], True),
        ([cut("<", "1"), cut(">", "1")], False),
        ([cut("<", "1"), cut(">", "2")], False),
    ],
)
def test_a_condition_that_everything_meets_is_doubtful(parts, is_everything):
    found = severities(conditional({"any": parts}))

    assert (found.get("condition-always") is Severity.WARNING) is is_everything


def component(attribute, adverse="low"):
    return {"attribute": attribute, "title": attribute, "adverse": adverse}


def index(*components, step=None):
    return {
        "code": "own",
        "title": "Индекс",
        "method": "weighted_z",
        "components": list(components),
        "step": step,
    }


QUARTER = {"index": "own", "lowest_share": "1/4"}
THREE = [component("staff_higher"), component("staff_filled"), component("staff_courses")]


def test_a_share_of_schools_by_an_index_of_few_components_is_doubtful():
    assert "index-thin" in severities(conditional(QUARTER, [index(*THREE[:2])]))
    assert "index-thin" not in severities(conditional(QUARTER, [index(*THREE)]))


def test_the_lowest_share_of_an_index_whose_high_end_is_adverse_is_doubtful():
    assert "index-direction" in severities(conditional(QUARTER, [index(*THREE, step="10")]))
    assert "index-direction" not in severities(conditional(QUARTER, [index(*THREE)]))


def test_weights_must_be_positive():
    weightless = [one | {"weight": "0"} for one in THREE]
    found = codes(conditional(QUARTER, [index(*weightless)]))

    assert ("malformed", "/indices/0/components/0/weight") in found


def test_what_nothing_uses_is_told():
    told = document(indices=[index(*THREE)])
    told["categories"] = [
        {"code": "low", "title": "НРО", "has": ["low_results"], "has_not": []},
        *told["categories"][1:2],
    ]
    unused = document()
    unused["categories"] = [{"code": "low", "title": "НРО", "has": ["low_results"]}]

    assert ("index-unused", "/indices/0") in codes(told)
    assert ("flag-unused", "/flags/1") in codes(unused)


def test_the_kinds_of_the_table_are_the_kinds_of_procedures():
    assert {line.kind for line in permitted_uses()} == {kind.value for kind in ProcedureKind}
    told = document(procedures=[{"kind": "vprr"}])
    assert severities(told)["kind-unknown"] is Severity.ERROR


VPR = {"kind": "vpr", "grades": [5]}


def test_vpr_is_refused_for_lists_and_taken_for_analysis():
    for_lists = document(procedures=[*document()["procedures"], VPR])

    (found,) = lint(for_lists, NOWHERE)

    assert (found.code, found.pointer) == ("use-not-permitted", "/procedures/2/kind")
    assert "vpr" in found.text
    assert "с 01.09.2020 бессрочно" in found.text
    assert "настройка Опоры" in found.text
    assert codes(for_lists | {"required_use": "analysis"}) == set()


@pytest.mark.parametrize(
    ("grade", "use", "until", "is_lifted"),
    [
        (5, "identification", None, True),
        (6, "identification", None, False),
        (5, "analysis", None, False),
        (5, "identification", "2020-08-31", False),
        (5, "identification", "2020-09-01", True),
    ],
)
def test_a_dated_permission_of_the_region_lifts_the_refusal(grade, use, until, is_lifted):
    uses = [{"use": use, "from": None, "to": until, "basis": "Порядок"}]
    around = Surroundings(procedures=[procedure(1, "vpr", grade, permitted_uses=uses)])
    told = document(procedures=[*document()["procedures"], VPR])

    assert ("use-not-permitted" not in severities(told, around)) is is_lifted


def test_a_kind_is_forbidden_on_the_days_that_the_version_and_the_table_share():
    begins, ends, why = forbidden_days(
        "vpr", "identification", since=dt.date(2024, 1, 1), until=dt.date(2024, 12, 31)
    )

    assert (begins, ends) == (dt.date(2024, 1, 1), dt.date(2024, 12, 31))
    assert why.certainty == "настройка Опоры, не норма документа"
    assert forbidden_days("oge", "identification", since=begins, until=ends) is None


def test_orders_and_dates_are_asked():
    assert ("no-order", "/order") in codes(document(order=None))
    assert "no-order" not in severities(document(order=None, required_use="analysis"))
    late = document(order={"number": "1", "date": "2020-09-02"})
    assert ("order-after-force", "/order/date") in codes(late)
    ended = Surroundings(today=dt.date(2026, 11, 22))
    assert "already-ended" in severities(document(in_force_to="2026-11-21"), ended)
    assert "already-ended" not in severities(document(in_force_to="2026-11-22"), ended)


def version(begins, ends=None, operator=">="):
    return KnownVersion(7, 1, begins, ends, operator)


@pytest.mark.parametrize(
    ("former", "replaces", "is_told"),
    [
        (version(dt.date(2019, 9, 1)), None, True),
        (version(dt.date(2019, 9, 1)), 7, False),
        (version(dt.date(2019, 9, 1), dt.date(2020, 8, 31)), None, False),
        (version(dt.date(2019, 9, 1), dt.date(2020, 9, 1)), None, True),
    ],
)
def test_two_versions_in_force_on_one_day_are_told(former, replaces, is_told):
    around = Surroundings(versions=[former], replaces=replaces)

    assert ("in-force-overlap" in severities(document(), around)) is is_told


def test_a_changed_comparison_with_the_threshold_is_told():
    strict = Surroundings(versions=[version(dt.date(2019, 9, 1), dt.date(2019, 9, 2), ">")])

    assert ("operator-changed", "/low_result/operator") in codes(document(), strict)


def test_procedures_subjects_and_years_that_the_region_lacks_are_told():
    around = region(
        procedure(1, year=2024, subjects=frozenset({"rus"})),
        procedure(2, year=2023, subjects=frozenset({"rus"}), has_results=False),
    )

    found = codes(document(), around)

    assert found == {
        ("subject-unknown", "/procedures/0/mass_subjects/1"),
        ("procedures-missing", "/procedures/1"),
        ("years-without-results", "/rules/1/years_back/1"),
    }
    alone = region(procedure(1), procedure(2, "ege", 11))
    assert codes(document(), alone) == {("years-without-procedures", "/rules/1/years_back/1")}


def test_an_attribute_nobody_knows_is_an_error_and_one_not_adopted_a_warning():
    told = conditional({"any": [cut(">", "0"), cut(">", "0", "registr")]})
    around = region(
        procedure(1), attributes=frozenset({"pupils"}), standard_attributes={"on_register"}
    )

    found = severities(told, around)

    assert found["attribute-not-adopted"] is Severity.WARNING
    assert found["attribute-unknown"] is Severity.ERROR
    begun = region(procedure(1), standard_attributes={"on_register"})
    assert severities(told, begun)["attribute-unknown"] is Severity.WARNING


def test_errors_come_first_and_the_order_is_always_the_same():
    told = document(order=None, procedures=[{"kind": "xx"}], small_n={"below": 2, "policy": "flag"})

    found = lint(told, NOWHERE)

    weights = [list(Severity).index(one.severity) for one in found]
    assert weights == sorted(weights)
    assert found == lint(told, NOWHERE)
