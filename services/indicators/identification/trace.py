"""The trace of one school: from the verdict down to imports and rows, out of frozen rows only.

It is rendered when asked for. The numbers are judged by the same functions as the run judged them
(`judging`), so the trace cannot tell another story than the list.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Row

from services.indicators.algebra.categories import Flag
from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.intervals import cuts, wilson
from services.indicators.algebra.rules import Integers, rule_can_be_answered, rule_certainty
from services.indicators.algebra.shares import Share
from services.indicators.identification.judging import Cells, Judged, judge
from services.indicators.identification.narration import LowProcedure, reason, sentences
from services.indicators.identification.schemas import (
    AdverseOut,
    IntervalOut,
    ProcedureTraceOut,
    RuleTraceOut,
    RuleYearOut,
    RunSchoolOut,
    ShareOut,
    SourceOut,
    SubjectTraceOut,
    ThresholdOut,
    TraceOut,
)
from services.indicators.identification.tables import (
    RunEvidence,
    RunImport,
    RunProcedure,
    RunSchool,
)
from services.indicators.methodologies.document import Methodology
from services.indicators.suppression.queries import Told
from services.indicators.suppression.threshold import PEOPLE

__all__ = ["RunFacts", "is_taught", "reasons_of", "school_out", "trace_of"]


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What all traces of a run share."""

    run_id: int
    year: int
    input_hash: str
    methodology: Methodology
    methodology_number: int
    # In the order of year, kind, grade, title.
    procedures: Sequence[RunProcedure]
    imports: Mapping[int, RunImport]

    def series(self) -> dict[tuple[str, int], int]:
        """Number the procedures that repeat from year to year."""
        keys = sorted({(p.kind, p.grade) for p in self.procedures})
        return {key: number for number, key in enumerate(keys)}


def is_taught(grade: int, stages: Sequence[str] | None) -> bool:
    """Say whether a school of these stages teaches the grade; without stages it may.

    Source: Закон об образовании, статья 66: начальное 1–4, основное 5–9, среднее 10–12.
    """
    if not stages:
        return True
    stage = "noo" if grade <= 4 else "ooo" if grade <= 9 else "soo"
    return stage in stages


def school_out(row: RunSchool | Row[Any]) -> RunSchoolOut:
    """Give the answer for a school as it travels."""
    return RunSchoolOut.model_validate(
        {
            **{name: getattr(row, name) for name in _PLAIN},
            "flags": [flag.code for flag in Flag if row.flags & flag],
            "certainty": Certainty(row.certainty).code,
        }
    )


_PLAIN = (
    "school_id", "municipality_id", "code", "name", "municipality_name", "state", "category",
    "adverse_conditions",
)  # fmt: skip


def trace_of(
    facts: RunFacts, row: RunSchool, evidence: RunEvidence | None, numbers: Told
) -> TraceOut:
    """Render the whole trace of a school, with the numbers that the caller may be told."""
    procedures = _procedures(facts, row, evidence, numbers)
    rules = _rules(facts, procedures)
    adverse = _adverse(row)
    titles = {category.code: category.title for category in facts.methodology.categories}
    title = titles.get(row.category or "")
    school = school_out(row)
    return TraceOut(
        run_id=facts.run_id,
        year=facts.year,
        school=school,
        category_title=title,
        sentences=sentences(
            state=school.state,
            category_title=title,
            rules=rules,
            procedures=procedures,
            adverse=adverse,
            methodology=facts.methodology,
        ),
        rules=rules,
        procedures=procedures,
        adverse=adverse,
        methodology_code=facts.methodology.code,
        methodology_number=facts.methodology_number,
        input_hash=facts.input_hash,
    )


def reasons_of(
    facts: RunFacts,
    rows: Sequence[RunSchool],
    evidence: Mapping[int, Row[*tuple[Any, ...]]],
    numbers: Told,
) -> dict[int, str]:
    """Render the one-line reasons of listed schools, judging the cells of all of them at once."""
    cells, judged, ids = _judged(facts, [evidence.get(row.school_id) for row in rows])
    by_id = {procedure.procedure_id: procedure for procedure in facts.procedures}
    natural = {procedure_id: place for place, procedure_id in enumerate(by_id)}
    low: dict[int, dict[int, list[LowProcedure]]] = {}
    found = np.flatnonzero(judged.certainty >= Certainty.POSSIBLE).tolist()
    # The stored order is whatever the counting left; a reason must read the same every time.
    for place in sorted(found, key=lambda place: natural[ids[place]]):
        procedure = by_id[ids[place]]
        school_id = rows[int(cells.school[place])].school_id
        told = LowProcedure(
            kind=procedure.kind,
            grade=procedure.grade,
            year=procedure.year,
            title=procedure.title,
            share=Share(int(judged.low[place]), int(judged.n[place])),
            is_pooled=bool(judged.is_pooled[place]),
            certainty=Certainty(judged.certainty[place]),
            is_told=_is_told(facts, cells, judged, ids, place, school_id, numbers),
        )
        back = int(cells.years_back[place])
        low.setdefault(int(cells.school[place]), {}).setdefault(back, []).append(told)
    return {
        row.school_id: reason(
            rules=[
                (rule.title, [p for back in rule.years_back for p in low[place].get(back, [])])
                for rule, certainty in zip(
                    facts.methodology.rules, row.rule_certainties, strict=True
                )
                if certainty >= Certainty.POSSIBLE
            ],
            adverse=_adverse(row),
            flags=Flag(row.flags),
        )
        for place, row in enumerate(rows)
    }


def _adverse(row: RunSchool) -> AdverseOut:
    return AdverseOut(
        value=row.adverse_conditions, reason=row.adverse_reason, source=row.adverse_source
    )


def _procedures(
    facts: RunFacts, row: RunSchool, evidence: RunEvidence | None, numbers: Told
) -> list[ProcedureTraceOut]:
    cells, judged, ids = _judged(facts, [evidence])
    position = {number: place for place, number in enumerate(ids)}
    details = _Details(facts, row.school_id, evidence, numbers)

    def counted(procedure: RunProcedure) -> ProcedureTraceOut:
        place = position[procedure.procedure_id]
        is_told = _is_told(facts, cells, judged, ids, place, row.school_id, numbers)
        return _counted(facts, procedure, cells, judged, place, details, is_told=is_told)

    return [
        counted(procedure) if procedure.procedure_id in position else _uncounted(procedure, row)
        for procedure in facts.procedures
    ]


def _judged(
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
    details: "_Details",
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


def _is_told(
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


def _rules(facts: RunFacts, procedures: Sequence[ProcedureTraceOut]) -> list[RuleTraceOut]:
    found: dict[int, list[tuple[int, Certainty]]] = {}
    codes = {certainty.code: certainty for certainty in Certainty}
    for procedure in procedures:
        if procedure.certainty is not None:
            back = facts.year - procedure.year
            found.setdefault(back, []).append((procedure.procedure_id, codes[procedure.certainty]))
    classes = {back: [certainty for _, certainty in cells] for back, cells in found.items()}
    traced = []
    for told in facts.methodology.rules:
        rule = told.as_rule()
        certainty = rule_certainty(rule, classes)
        traced.append(
            RuleTraceOut(
                code=told.code,
                title=told.title,
                certainty=certainty.code,
                holds=certainty >= Certainty.POSSIBLE,
                is_answerable=rule_can_be_answered(rule, classes),
                years=[
                    _rule_year(facts.year - back, rule.at_least, found.get(back, []))
                    for back in rule.years_back
                ],
            )
        )
    return traced


def _rule_year(year: int, at_least: int, cells: Sequence[tuple[int, Certainty]]) -> RuleYearOut:
    def many(at: Certainty) -> int:
        return sum(certainty >= at for _, certainty in cells)

    return RuleYearOut(
        year=year,
        at_least=at_least,
        with_data=len(cells),
        certain=many(Certainty.CERTAIN),
        possible=many(Certainty.POSSIBLE),
        not_excluded=many(Certainty.NOT_EXCLUDED),
        procedure_ids=[procedure_id for procedure_id, _ in cells],
    )


class _Details:
    """Subjects and sources of the evidence, by procedure."""

    def __init__(
        self, facts: RunFacts, school_id: int, evidence: RunEvidence | None, numbers: Told
    ) -> None:
        self._school_id = school_id
        self._numbers = numbers
        self._imports = facts.imports
        self._subjects: dict[int, dict[int, tuple[int, ...]]] = {}
        self._sources: dict[int, list[tuple[int, ...]]] = {}
        if evidence is None:
            return
        for procedure_id, subject, *counts in zip(
            *(getattr(evidence, name) or [] for name in _SUBJECT_COLUMNS), strict=True
        ):
            self._subjects.setdefault(procedure_id, {})[subject] = tuple(counts)
        for procedure_id, *place in zip(
            *(getattr(evidence, name) or [] for name in _SOURCE_COLUMNS), strict=True
        ):
            self._sources.setdefault(procedure_id, []).append(tuple(place))

    def subjects(self, procedure: RunProcedure) -> list[SubjectTraceOut]:
        counted = self._subjects.get(procedure.procedure_id, {})
        traced = []
        for scale in procedure.scales:
            if scale["position"] not in counted:
                continue
            facts = {name: scale[name] for name in _SCALE_FIELDS}
            counts = dict(zip(_COUNTS, counted[scale["position"]], strict=True))
            shown = self._shown(procedure.procedure_id, scale["subject"], counts)
            traced.append(
                SubjectTraceOut(
                    **facts,
                    **{name: number if shown[name] else None for name, number in counts.items()},
                    suppressed=[name for name in counts if not shown[name]],
                )
            )
        return traced

    def _shown(self, procedure_id: int, subject: str, counts: Mapping[str, int]) -> dict[str, bool]:
        """Say which counts of a subject may be told."""
        shown = {
            measure: self._numbers.is_told(
                procedure_id,
                self._school_id,
                subject,
                n=counts["n"],
                measure=measure,
                part=counts[measure],
            )
            for measure in ("failed", "low", "mass")
        }
        return shown | {"n": shown["failed"], "absent": self._numbers.is_exact}

    def sources(self, procedure: RunProcedure) -> list[SourceOut]:
        return [
            self._source(*place) for place in sorted(self._sources.get(procedure.procedure_id, []))
        ]

    def _source(
        self, import_id: int, sheet_no: int, first_row: int, last_row: int, rows: int
    ) -> SourceOut:
        known = self._imports.get(import_id)
        places = {"first_row": first_row, "last_row": last_row, "rows": rows}
        is_exact = self._numbers.is_exact
        return SourceOut.model_validate(
            {
                **(places if is_exact else dict.fromkeys(places)),
                "suppressed": [] if is_exact else list(places),
                "import_id": import_id,
                "layout": known.layout if known else None,
                "committed_at": known.committed_at if known else None,
                "files": known.files if known else [],
                "sheet_no": sheet_no,
            }
        )


_SUBJECT_COLUMNS = (
    "subject_procedure_id", "subject", "subject_n", "subject_absent", "subject_low",
    "subject_failed", "subject_mass",
)  # fmt: skip
# The order of the columns after procedure and subject.
_COUNTS = ("n", "absent", "low", "failed", "mass")
_SOURCE_COLUMNS = (
    "source_procedure_id", "import_id", "sheet_no", "first_row", "last_row", "source_rows",
)  # fmt: skip
_SCALE_FIELDS = (
    "subject", "title", "is_mass", "minimum", "maximum", "top", "bmin", "bmid",
)  # fmt: skip
