"""The procedures of one school in its trace: counted numbers, thresholds, subjects, sources."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Row

from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.intervals import interval
from services.indicators.algebra.rules import Integers
from services.indicators.algebra.shares import Share
from services.indicators.algebra.shrinkage import shrunken
from services.indicators.identification.answering.evaluation import is_taught
from services.indicators.identification.answering.judging import Cells, Judged, cuts_of, judge
from services.indicators.identification.tables import (
    RunEvidence,
    RunProcedure,
    RunSchool,
)
from services.indicators.identification.tracing.facts import RunFacts
from services.indicators.identification.tracing.reading import SchoolRows
from services.indicators.identification.tracing.schemas import (
    IntervalOut,
    ProcedureTraceOut,
    ShareOut,
    ThresholdOut,
)
from services.indicators.identification.tracing.sources import Details
from services.indicators.suppression.queries import Told
from services.indicators.suppression.threshold import PEOPLE

__all__ = ["judged_cells", "may_be_told", "procedures_of"]


def procedures_of(facts: RunFacts, rows: SchoolRows, numbers: Told) -> list[ProcedureTraceOut]:
    """Tell every procedure of the run at the school, also those without data."""
    row = rows.answer
    cells, judged, ids = judged_cells(facts, [rows.evidence])
    position = {number: place for place, number in enumerate(ids)}
    details = Details(row.school_id, rows.evidence, rows.imports, numbers)

    def counted(procedure: RunProcedure) -> ProcedureTraceOut:
        place = position[procedure.procedure_id]
        is_told = may_be_told(facts, cells, judged, ids, place, row.school_id, numbers)
        return _counted(
            facts,
            procedure,
            cells,
            judged,
            place,
            details,
            is_told=is_told,
            is_exact=numbers.is_exact,
        )

    return [
        counted(procedure)
        if procedure.procedure_id in position
        else _uncounted(facts, procedure, row, is_exact=numbers.is_exact)
        for procedure in facts.procedures
    ]


def judged_cells(
    facts: RunFacts, evidence: Sequence[RunEvidence | Row[*tuple[Any, ...]] | None]
) -> tuple[Cells, Judged, list[int]]:
    """Judge the cells of these schools; the last list names the procedure of each cell."""
    by_id = {procedure.procedure_id: procedure for procedure in facts.procedures}
    series = facts.series
    known = [(place, row) for place, row in enumerate(evidence) if row is not None]
    ids = [number for _, row in known for number in row.procedure_id]
    procedures = [by_id[number] for number in ids]
    cells = Cells(
        school=_integers(place for place, row in known for _ in row.procedure_id),
        series=_integers(series[p.procedure_id] for p in procedures),
        years_back=_integers(facts.year - p.year for p in procedures),
        n=_integers(n for _, row in known for n in row.n),
        low=_integers(low for _, row in known for low in row.low),
    )
    return cells, judge(cells, facts.methodology, facts.priors), ids


def _integers(values: Iterable[int]) -> Integers:
    return np.fromiter(values, dtype=np.int64)


def _uncounted(
    facts: RunFacts, procedure: RunProcedure, row: RunSchool, *, is_exact: bool
) -> ProcedureTraceOut:
    header = _header(facts, procedure)
    return ProcedureTraceOut(
        **header | ({} if is_exact else {"prior": None}),
        suppressed=["prior"] if header["prior"] and not is_exact else [],
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


def _header(facts: RunFacts, procedure: RunProcedure) -> dict[str, Any]:
    names = ("procedure_id", "kind", "grade", "year", "title")
    # A prior is kept with every run (its precision is told by it); it decides only where asked for.
    decides = facts.methodology.certainty.shrinkage != "none"
    return {name: getattr(procedure, name) for name in names} | {
        "series": facts.series[procedure.procedure_id],
        "prior": procedure.prior if decides else None,
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
    is_exact: bool,
) -> ProcedureTraceOut:
    n, low = int(judged.n[place]), int(judged.low[place])
    rule, settings = facts.methodology.low_result, facts.methodology.certainty
    key = (int(cells.series[place]), int(cells.years_back[place]))
    prior = judged.priors.get(key)
    limits = cuts_of(n, facts.methodology, prior)
    ends = interval(low, n, kind=settings.interval, z=settings.z)
    years = {
        facts.year - int(cells.years_back[other])
        for other in _added_up(facts, cells, judged, place)
    }
    # What all schools have in common, and a share drawn towards it, give the numbers of hidden schools
    # of a small region back (services/indicators/precision/queries.py).
    hidden = [] if is_exact or prior is None else ["prior", "shrunken"]
    return ProcedureTraceOut(
        **_header(facts, procedure) | dict.fromkeys(hidden[:1]),
        state="counted",
        low=_share(int(cells.low[place]), int(cells.n[place]), is_told=is_told),
        judged=_share(low, n, is_told=is_told),
        pooled_years=sorted(years) if judged.is_pooled[place] else [],
        threshold=ThresholdOut(
            share=rule.threshold,
            operator=rule.operator,
            # They follow from the number of participants.
            not_excluded_from=limits.not_excluded if is_told else None,
            possible_from=limits.possible if is_told else None,
            certain_from=limits.certain if is_told else None,
            suppressed=[] if is_told else ["not_excluded_from", "possible_from", "certain_from"],
        ),
        interval=IntervalOut(lower=ends.lower, upper=ends.upper, z=settings.z)
        if ends and is_told
        else None,
        suppressed=[*([] if is_told else ["interval"]), *hidden],
        certainty=Certainty(judged.certainty[place]).code,
        shrunken=str(shrunken(low, n, prior)) if prior is not None and not hidden else None,
        subjects=details.subjects(procedure),
        sources=details.sources(procedure),
    )


def _added_up(facts: RunFacts, cells: Cells, judged: Judged, place: int) -> list[int]:
    """List the cells whose numbers a judged cell is made of: its own, and those of earlier years."""
    if not judged.is_pooled[place]:
        return [place]
    years = facts.methodology.small_n.years or 1
    same = (cells.school == cells.school[place]) & (cells.series == cells.series[place])
    back = cells.years_back - cells.years_back[place]
    earlier = same & (back > 0) & (back < years)
    return [place, *(int(other) for other in np.flatnonzero(earlier))]


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
    return numbers.is_exact or all(
        numbers.is_told(
            ids[other],
            school_id,
            PEOPLE,
            n=int(cells.n[other]),
            measure=measure,
            part=int(cells.low[other]),
        )
        for other in _added_up(facts, cells, judged, place)
    )


def _share(low: int, n: int, *, is_told: bool) -> ShareOut:
    if not is_told:
        hidden = ["numerator", "denominator", "percent"]
        return ShareOut(numerator=None, denominator=None, percent=None, suppressed=hidden)
    return ShareOut(numerator=low, denominator=n, percent=Share(low, n).percent(2))
