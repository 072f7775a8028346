"""The printed trace alone is enough: separate code reaches the same flags, category and class."""

import contextlib
import copy
from fractions import Fraction

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.indicators.algebra.categories import Flag
from services.indicators.algebra.certainty import Certainty
from services.indicators.identification.sheets.contents import sheet_of
from services.indicators.identification.sheets.document import document
from services.indicators.identification.sheets.page import page
from tests.trace_checker.printed import decide, parts_of_document, parts_of_page
from tests.trace_checker.recompute import CLASSES, disagreements, recompute
from tests.trace_checker.worlds import methodologies, printed_traces, regions


def codes(bits):
    return sorted(flag.code for flag in Flag if int(bits) & flag)


@settings(max_examples=60, deadline=None)
@given(regions(), methodologies())
def test_a_reader_of_the_trace_alone_reaches_the_answer_of_the_run(inputs, methodology):
    findings, traces = printed_traces(inputs, methodology)

    borders = {}
    for place, told in enumerate(traces):
        trace = told.model_dump(mode="json")
        answer = recompute(trace)
        assert sorted(answer.flags) == codes(findings.flags[place])
        assert sorted(answer.unknown) == codes(findings.unknown[place])
        assert answer.category == findings.category[place]
        assert answer.state == findings.state[place]
        assert CLASSES.index(answer.certainty) == Certainty(findings.certainty[place])
        assert disagreements(trace) == []
        for node in shares_of(trace):
            borders.setdefault((node["threshold"], node["place"], node["border"]), []).append(node)
    # The border of a share is that of the printed values of all schools.
    values = sorted(
        float(index["value"])
        for told in traces
        for index in told.model_dump(mode="json")["indices"]
        if index["value"] is not None
    )
    for _, place, border in borders:
        assert (float(border) if border else None) == (values[place - 1] if values else None)


def shares_of(trace):
    todo = [flag["condition"] for flag in trace["flags"] if flag["condition"]]
    while todo:
        node = todo.pop()
        todo += node["conditions"]
        if node["kind"] == "lowest_share":
            yield node


@settings(max_examples=25, deadline=None)
@given(regions(), methodologies())
def test_the_core_decision_follows_from_the_printed_page(inputs, methodology):
    findings, traces = printed_traces(inputs, methodology)
    titles = {category.code: category.title for category in methodology.categories}

    for place, told in enumerate(traces):
        decision = decide(parts_of_page(page(sheet_of(told))))

        assert CLASSES.index(decision.certainty) == Certainty(findings.certainty[place])
        flags = [flag.removeprefix("Признак ") for flag in decision.flags]
        assert ("low_results" in codes(findings.flags[place])) == ("Низкие результаты" in flags)
        assert decision.category == titles.get(findings.category[place] or "")


@settings(max_examples=2, deadline=None)
@given(regions(), methodologies())
def test_the_document_says_what_the_page_says(inputs, methodology):
    for told in printed_traces(inputs, methodology)[1]:
        sheet = sheet_of(told)
        on_page, in_document = parts_of_page(page(sheet)), parts_of_document(document(sheet))

        assert decide(on_page) == decide(in_document)
        assert {name: part.rows for name, part in on_page.items()} == {
            name: part.rows for name, part in in_document.items()
        }


# What decides, or is said to follow: changing any of it must not go unnoticed.
MUTABLE = (
    ("procedures", "low", "numerator"),
    ("procedures", "low", "denominator"),
    ("procedures", "low", "percent"),
    ("procedures", "judged", "numerator"),
    ("procedures", "judged", "denominator"),
    ("procedures", "interval", "lower"),
    ("procedures", "interval", "upper"),
    ("procedures", "threshold", "possible_from"),
    ("procedures", "threshold", "certain_from"),
    ("procedures", "threshold", "not_excluded_from"),
    ("procedures", "certainty"),
    ("rules", "certainty"),
    ("rules", "holds"),
    ("rules", "years", "possible"),
    ("rules", "years", "with_data"),
    ("flags", "answer"),
    ("categories", "is_chosen"),
    ("school", "category"),
    ("school", "certainty"),
    ("school", "state"),
    ("adverse", "value"),
    ("indices", "value"),
    ("indices", "components", "points"),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(regions(), methodologies(), st.sampled_from(MUTABLE), st.data())
def test_a_trace_with_one_changed_fact_is_noticed(inputs, methodology, path, data):
    """The control: the checker can say no."""
    trace = data.draw(st.sampled_from(printed_traces(inputs, methodology)[1]))
    trace = copy.deepcopy(trace.model_dump(mode="json"))
    places = list(places_of(trace, path))
    assume(places)
    holder, name = data.draw(st.sampled_from(places))

    holder[name] = another(holder[name])

    # A number that cannot be, such as 31 of 30, is noticed as well.
    with contextlib.suppress(ValueError, ArithmeticError, IndexError):
        assert disagreements(trace) != []


def places_of(part, path):
    """Find the holders of a field by its path through objects and lists."""
    if isinstance(part, list):
        for each in part:
            yield from places_of(each, path)
    elif isinstance(part, dict) and len(path) == 1:
        if part[path[0]] is not None:
            yield part, path[0]
    elif isinstance(part, dict):
        yield from places_of(part[path[0]], path[1:])


OTHER_WORDS = {
    "yes": "no", "no": "yes", "unknown": "no", "possible": "none", "certain": "possible",
    "none": "certain", "not_excluded": "possible", "too_few": "none", "assessed": "no_data",
    "no_data": "assessed", "incomplete": "assessed", "not_applicable": "no_data",
    "excluded": "assessed",
}  # fmt: skip


def another(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if value in OTHER_WORDS:
        return OTHER_WORDS[value]
    if value.startswith("c"):
        return "c0"
    return str(float(Fraction(value)) + 0.5)
