"""Corrections by appeals and merged schools in a trace: told with numbers, or without."""

import datetime as dt
from dataclasses import replace

from services.indicators.identification.answering.evaluation import evaluate
from services.indicators.identification.sheets.contents import sheet_of
from services.indicators.identification.sheets.page import page
from services.indicators.identification.tables import RunReorganisation
from services.indicators.identification.tracing.facts import RunFacts
from services.indicators.identification.tracing.trace import trace_of
from services.indicators.methodologies.shipped import shipped_methodologies
from services.indicators.suppression.queries import Told
from services.kit.reach import Reach
from tests.support.builders.facts import Facts
from tests.trace_checker.worlds import EXACT, a_run, procedure_rows, rows_of

SUPPRESSED = Told(None, Reach.region(1), size=5, is_exact=False)
CORRECTION = {
    "id": 1, "appeal_id": 3, "school_id": 1, "procedure_id": 1, "n": 30, "low": 9, "failed": 8,
    "order_number": "15-К", "counted": {"n": 30, "low": 12, "failed": 11},
}  # fmt: skip


def told(numbers):
    methodology = shipped_methodologies()["smolensk-nro-fnsu"]
    region = Facts(procedures={1: ("oge", 9, 2024, 8)}, schools={1: ("sosh", None)})
    region.cells[1, 1] = (30, 9, 8)
    inputs = region.inputs()
    findings = evaluate(inputs, methodology)
    rows = rows_of(0, inputs, findings, [], sees_signs=False)
    rows.evidence.corrections = [CORRECTION]
    merged = RunReorganisation(
        run_id=5, event_id=1, region_id=1, municipality_id=1, school_id=1, predecessor_id=2,
        predecessor_code="000002", predecessor_name="Школа № 2", kind="merge",
        happened_on=dt.date(2024, 8, 31), outcome="passed", procedure_id=[1], n=[12], low=[6],
        failed=[5],
    )  # fmt: skip
    facts = RunFacts(a_run(), methodology, 1, "c" * 64, procedure_rows(inputs, findings))
    return trace_of(facts, replace(rows, reorganisations=[merged]), numbers)


def test_a_corrected_cell_is_told_with_what_was_counted():
    trace = told(EXACT)

    [correction] = trace.corrections
    assert (correction.counted_low, correction.counted_n) == (11, 30)
    assert (correction.low, correction.n) == (8, 30)
    assert any("По апелляции № 3" in sentence for sentence in trace.sentences)
    assert "11 из 30" in page(sheet_of(trace))


def test_a_merged_school_is_named_with_the_numbers_that_came_with_it():
    trace = told(EXACT)

    [event] = trace.reorganisations
    assert (event.cells[0].low, event.cells[0].n) == (5, 12)
    assert any("присоединена школа «Школа № 2»" in sentence for sentence in trace.sentences)
    assert "5 из 12" in page(sheet_of(trace))


def test_without_exact_numbers_both_are_told_without_numbers():
    trace = told(SUPPRESSED)

    assert trace.corrections[0].n is None
    assert trace.reorganisations[0].cells[0].n is None
    printed = page(sheet_of(trace))
    assert "скрыто" in printed
    assert "11 из 30" not in printed
    assert "5 из 12" not in printed
