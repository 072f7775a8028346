"""Documents compared in words: in examples, and for any change of any value."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.indicators.methodologies.comparison import differences
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.shipped import shipped_methodologies
from services.indicators.methodologies.text import MethodologyText

STAFF = "нижние 25 % школ по индексу «staff»"
EITHER = f"{STAFF} или {STAFF.replace('staff', 'equipment')}"
CODES = sorted(shipped_methodologies())


def document(code="stavropol-groups"):
    return shipped_methodologies()[code].canonical()


def said(change, code="stavropol-groups"):
    after = document(code)
    change(after)
    return [
        one.text
        for one in differences(
            MethodologyText.model_validate(document(code)), MethodologyText.model_validate(after)
        )
    ]


def put(*path, value):
    def change(told):
        *outer, last = path
        for step in outer:
            told = told[step]
        told[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (put("low_result", "threshold", value="1/4"), "порог низкого результата: 30 % → 25 %"),
        (put("low_result", "threshold", value="1/3"), "порог низкого результата: 30 % → 1/3"),
        (put("low_result", "threshold", value="0.30"),
         "порог низкого результата: то же значение записано иначе: 3/10 → 0.30"),
        (put("low_result", "operator", value=">"),
         "доля сравнивается с порогом: не меньше порога → больше порога"),
        (put("rules", 0, "at_least", value=1),
         "правило «a»: не менее 2 процедур в году → не менее 1"),
        (put("rules", 1, "years_back", value=[1, 2, 3]),
         "правило «b»: на сколько лет назад смотрит: добавлено 3"),
        (put("small_n", value={"below": 5, "policy": "pool", "years": 2}),
         "малые группы: меньше 10 участников → меньше 5"),
        (put("indices", 0, "components", 0, "weight", value="2"),
         "индекс «isbsh»: компонент «both_parents_higher»: вес: 1 → 2"),
        (put("in_force_to", value="2026-08-31"), "действует по: не указано → 2026-08-31"),
        (put("flags", 3, "when", value={"rule": "a"}),
         "признак «prevention»: условие: показатель «underachieving» больше 0 → выполнено правило «a»"),
        (put("flags", 2, "when", value={"index": "staff", "lowest_share": "1/5"}),
         f"признак «decline_risk»: условие: {EITHER} → {STAFF.replace('25', '20')}"),
        (put("order", value={"number": "12", "date": "2026-01-09"}),
         "приказ: не указано → указано: number = 12, date = 2026-01-09"),
    ],
)  # fmt: skip
def test_a_change_is_told_in_words(change, sentence):
    assert said(change) == [sentence]


def test_things_added_and_removed_are_told_by_name():
    def change(told):
        told["procedures"] = [{"kind": "gve", "grades": [9]}, *told["procedures"][:1]]
        told["rules"] = told["rules"][1:]

    assert said(change) == [
        "убраны процедуры «ege (11)»",
        "добавлены процедуры «gve (9)»",
        f"убрано правило «a» ({document()['rules'][0]['title']})",
    ]


def test_a_change_of_order_alone_is_told():
    def change(told):
        told["categories"].reverse()

    assert said(change) == ["порядок (категории): теперь prevention, risk, shnsu, shnor"]


@pytest.mark.parametrize("before", CODES)
@pytest.mark.parametrize("after", CODES)
def test_of_shipped_documents_only_equal_ones_have_no_differences(before, after):
    found = differences(shipped_methodologies()[before], shipped_methodologies()[after])

    assert (not found) is (before == after)


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        yield path
        for position, inner in enumerate(value):
            yield from leaves(inner, (*path, position))
    else:
        yield path


OTHERS = st.sampled_from(
    [None, [], "1/7", "other", ">", "<=", "bmin", "analysis", "2025-01-01", "exact", "low", "ln",
     "41", 1, 2, 3, 7, [1], [2, 1], ["rus"], ["low_results"], [9, 11], ["prevention"],
     "beta_binomial", "school", "no_flag"]
)  # fmt: skip


@st.composite
def changed_documents(draw):
    """Draw a shipped document and a copy with one to three values changed, kept where still readable."""
    before = document(draw(st.sampled_from(CODES)))
    after = copy.deepcopy(before)
    for _ in range(draw(st.integers(1, 3))):
        *outer, last = draw(st.sampled_from(sorted(leaves(after), key=str)))
        place = after
        for step in outer:
            place = place[step]
        if isinstance(place[last], list) and place[last] and draw(st.booleans()):
            act = draw(st.sampled_from(["reverse", "drop", "double"]))
            listed = place[last]
            if act == "reverse":
                listed.reverse()
            elif act == "drop":
                listed.pop()
            else:
                listed.append(copy.deepcopy(listed[0]))
        else:
            place[last] = copy.deepcopy(draw(OTHERS))
    return before, after


@settings(max_examples=600, deadline=None)
@given(changed_documents())
def test_every_difference_of_two_documents_is_a_sentence_and_equal_ones_have_none(pair):
    read = []
    for told in pair:
        try:
            read.append(MethodologyText.model_validate(told))
        except ValidationError:
            return
    before, after = read

    found = differences(before, after)

    assert bool(found) is (before.canonical() != after.canonical())
    assert all(one.text and one.before != one.after for one in found)
    assert {one.text for one in differences(before, before)} == set()


def test_the_property_does_meet_readable_changes():
    """A control: the changes drawn above are not all refused as unreadable."""
    told = document()
    readable = 0
    for path in list(leaves(told)):
        for other in ("1/7", 2, [1], "low", None):
            after = copy.deepcopy(told)
            put(*path, value=other)(after)
            try:
                Methodology.model_validate(after)
            except ValidationError:
                continue
            readable += after != told
    assert readable > 20
