"""Documents as data: what differs is found, and changing it, all or in part, gives what was asked."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.indicators.methodologies.changes import changed_settings, merged, partly, value_at
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.shipped import shipped_methodologies

# RFC 7396, appendix A: original, patch, result.
RFC_7396 = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("document", "patch", "result"), RFC_7396)
def test_a_merge_patch_does_what_the_rfc_prints(document, patch, result):
    before = copy.deepcopy(document)

    assert merged(document, patch) == result
    assert document == before


def smolensk():
    return shipped_methodologies()["smolensk-nro-fnsu"].canonical()


def test_a_lower_threshold_is_one_setting():
    before = smolensk()
    after = merged(before, {"low_result": {"threshold": "1/4"}})

    assert changed_settings(before, after) == ["/low_result/threshold"]
    assert value_at(after, "/low_result/threshold") == "1/4"


def test_texts_and_dates_are_no_settings():
    before = smolensk()
    after = merged(before, {"title": "Иначе", "in_force_to": "2030-01-01", "order": None})
    after["rules"] = [rule | {"title": "Иначе"} for rule in after["rules"]]

    assert changed_settings(before, after) == []


def test_the_order_of_rules_is_no_setting_and_each_rule_is_one():
    before = smolensk()
    first, *rest = before["rules"]
    after = before | {"rules": [*reversed(rest), first | {"at_least": 7}]}

    assert changed_settings(before, after) == [f"/rules/{first['code']}"]


def test_pooling_and_its_years_change_together():
    before = merged(smolensk(), {"small_n": {"policy": "flag", "years": None, "below": 10}})
    after = merged(before, {"small_n": {"policy": "pool", "years": 3, "below": 12}})

    assert changed_settings(before, after) == ["/small_n/below", "/small_n/policy"]
    only_policy = partly(before, after, ["/small_n/policy"])["small_n"]
    assert only_policy == {"below": 10, "policy": "pool", "years": 3}


def test_flags_and_categories_change_together_when_a_flag_comes_or_goes():
    before = smolensk()
    one = [flag for flag in before["flags"] if flag["code"] == "low_results"]
    after = before | {
        "flags": one,
        "categories": [{"code": "nr", "title": "НР", "has": ["low_results"], "has_not": []}],
    }

    assert changed_settings(before, after) == ["/flags"]
    Methodology.model_validate(partly(before, after, ["/flags"]))


patches = st.fixed_dictionaries(
    {},
    optional={
        "low_result": st.fixed_dictionaries(
            {},
            optional={
                "threshold": st.sampled_from(["1/5", "1/4", "2/5"]),
                "operator": st.sampled_from([">", ">="]),
                "based_on": st.sampled_from(["minimum", "bmin"]),
            },
        ),
        "small_n": st.sampled_from(
            [{"below": 5}, {"policy": "pool", "years": 3}, {"policy": "no_flag", "years": None}]
        ),
        "excluded_school_kinds": st.lists(st.sampled_from(["evening", "gymnasium"]), unique=True),
        "rules": st.just([{"code": "x", "title": "Х", "years_back": [1], "at_least": 1}]),
    },
)


@given(patches)
def test_all_changed_settings_together_are_the_whole_change_and_none_is_no_change(patch):
    before = Methodology.model_validate(smolensk()).canonical()
    after = Methodology.model_validate(merged(before, patch)).canonical()
    settings = changed_settings(before, after)

    whole = Methodology.model_validate(partly(before, after, settings)).canonical()

    assert changed_settings(whole, after) == []
    assert json.dumps(partly(before, after, []), sort_keys=True) == json.dumps(
        before, sort_keys=True
    )
    for one in settings:
        assert changed_settings(before, partly(before, after, [one])) == [one]
