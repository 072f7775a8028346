"""The procedures of one school in its trace: counted numbers, thresholds, subjects, sources."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Row

from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.intervals import cuts, wilson
from services.indicators.algebra.rules import Integers
from services.indicators.algebra.shares import Share
from services.indicators.identification.facts import RunFacts
from services.indicators.identification.judging import Cells, Judged, judge
from services.indicators.identification.tables import (
    RunEvidence,
    RunImport,
    RunProcedure,
    RunSchool,
)
from services.indicators.identification.trace_schemas import (
    IntervalOut,
    ProcedureTraceOut,
    ShareOut,
    ThresholdOut,
)
from services.indicators.identification.trace_sources import Details
from services.indicators.suppression.queries import Told
from services.indicators.suppression.threshold import PEOPLE

__all__ = ["is_taught", "judged_cells", "may_be_told", "procedures_of"]


def is_taught(grade: int, stages: Sequence[str] | None) -> bool:
    """Say whether a school of these stages teaches the grade; without stages it may.

    Source: Закон об образовании, статья 66: начальное 1–4, основное 5–9, среднее 10–12.
    """
    if not stages:
        return True
    stage = "noo" if grade <= 4 else "ooo" if grade <= 9 else "soo"
    return stage in stages


def procedures_of(
    facts: RunFacts,
    row: RunSchool,
    evidence: RunEvidence | None,
    imports: Mapping[int, RunImport],
    numbers: Told,
) -> list[ProcedureTraceOut]:
    """Tell every procedure of the run at the school, also those without data."""
    cells, judged, ids = judged_cells(facts, [evidence])
    position = {number: place for place, number in enumerate(ids)}
    details = Details(row.school_id, evidence, imports, numbers)

    def counted(procedure: RunProcedure) -> ProcedureTraceOut:
        place = position[procedure.procedure_id]
        is_told = may_be_told(facts, cells, judged, ids, place, row.school_id, numbers)
        return _counted(facts, procedure, cells, judged, place, details, is_told=is_told)

    return [
        counted(procedure) if procedure.procedure_id in position else _uncounted(procedure, row)
        for procedure in facts.procedures
    ]


def judged_cells(
    facts: RunFacts, evidence: Sequence[RunEvidence | Row[*tuple[Any, ...]] | None]
) -> tuple[Cells, Judged, list[int]]:
    """Judge the cells of these schools; the last list names the procedure of each cell."""
    by_id = {procedure.procedure_id: procedure for procedure in facts.procedures}
    series = facts.series()
    known = [(place, row) for place, row in enumerate(evidence) if row is not None]
    ids = [number for _, row in known for number in row.procedure_id]
    procedures = [by_id[number] for number in ids]
    cells = Cells(
        school=_integers(place for place, row in known for _ in row.procedure_id),
        series=_integers(series[p.kind, p.grade] for p in procedures),
        years_back=_integers(facts.year - p.year for p in procedures),
        n=_integers(n for _, row in known for n in row.n),
        low=_integers(low for _, row in known for low in row.low),
    )
    return cells, judge(cells, facts.methodology), ids


def _integers(values: Iterable[int]) -> Integers:
    return np.fromiter(values, dtype=np.int64)


def _uncounted(procedure: RunProcedure, row: RunSchool) -> ProcedureTraceOut:
    return ProcedureTraceOut(
        **_header(procedure),
        state="no_data" if is_taught(procedure.grade, row.stages) else "not_applicable",
        low=None,
        judged=None,
        pooled_years=[],
        threshold=None,
        interval=None,
        certainty=None,
        subjects=[],
        sources=[],
    )


def _header(procedure: RunProcedure) -> dict[str, Any]:
    return {
        name: getattr(procedure, name)
        for name in ("procedure_id", "kind", "grade", "year", "title")
    }


def _counted(
    facts: RunFacts,
    procedure: RunProcedure,
    cells: Cells,
    judged: Judged,
    place: int,
    details: Details,
    *,
    is_told: bool,
) -> ProcedureTraceOut:
    n, low = int(judged.n[place]), int(judged.low[place])
    rule, z = facts.methodology.low_result, facts.methodology.certainty.z
    limits = cuts(n, threshold=rule.share, strict=rule.strict, z=z)
    interval = wilson(low, n, z=z)
    years = range(procedure.year - (facts.methodology.small_n.years or 1) + 1, procedure.year + 1)
    return ProcedureTraceOut(
        **_header(procedure),
        state="counted",
        low=_share(int(cells.low[place]), int(cells.n[place]), is_told=is_told),
        judged=_share(low, n, is_told=is_told),
        pooled_years=list(years) if judged.is_pooled[place] else [],
        threshold=ThresholdOut(
            share=rule.threshold,
            operator=rule.operator,
            # They follow from the number of participants.
            not_excluded_from=limits.not_excluded if is_told else None,
            possible_from=limits.possible if is_told else None,
            certain_from=limits.certain if is_told else None,
            suppressed=[] if is_told else ["not_excluded_from", "possible_from", "certain_from"],
        ),
        interval=IntervalOut(lower=interval.lower, upper=interval.upper, z=z)
        if interval and is_told
        else None,
        suppressed=[] if is_told else ["interval"],
        certainty=Certainty(judged.certainty[place]).code,
        subjects=details.subjects(procedure),
        sources=details.sources(procedure),
    )


def may_be_told(
    facts: RunFacts,
    cells: Cells,
    judged: Judged,
    ids: Sequence[int],
    place: int,
    school_id: int,
    numbers: Told,
) -> bool:
    """Say whether the numbers of a judged cell may be told: its own, and those of pooled years."""
    measure = "failed" if facts.methodology.low_result.based_on == "minimum" else "low"
    years = facts.methodology.small_n.years or 1
    pooled = [place]
    if judged.is_pooled[place]:
        pooled = [
            other
            for other in range(len(ids))
            if cells.school[other] == cells.school[place]
            and cells.series[other] == cells.series[place]
            and 0 <= cells.years_back[other] - cells.years_back[place] < years
        ]
    return all(
        numbers.is_told(
            ids[other],
            school_id,
            PEOPLE,
            n=int(cells.n[other]),
            measure=measure,
            part=int(cells.low[other]),
        )
        for other in pooled
    )


def _share(low: int, n: int, *, is_told: bool) -> ShareOut:
    if not is_told:
        hidden = ["numerator", "denominator", "percent"]
        return ShareOut(numerator=None, denominator=None, percent=None, suppressed=hidden)
    return ShareOut(numerator=low, denominator=n, percent=Share(low, n).percent(2))
