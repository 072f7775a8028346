"""Random regions at their boundaries, and the traces that the service would print of a run over them.

The rows are those that a run keeps, made by the code that keeps them; only the database is left out.
"""

import datetime as dt
from decimal import Decimal
from itertools import chain, combinations
from typing import Any

import numpy as np
from hypothesis import strategies as st

from services.indicators.algebra.values import MISSING, State, Value
from services.indicators.identification.answering import keeping
from services.indicators.identification.answering.evaluation import Findings, evaluate
from services.indicators.identification.answering.series import series_of
from services.indicators.identification.freezing.considered import FrozenProcedure
from services.indicators.identification.freezing.inputs import (
    AttributeColumn,
    FrozenCells,
    FrozenSign,
    Inputs,
    SchoolFacts,
    in_order,
)
from services.indicators.identification.tables import (
    IdentificationRun,
    RunContext,
    RunEvidence,
    RunIndex,
    RunProcedure,
    RunSchool,
    RunSign,
)
from services.indicators.identification.tracing.facts import RunFacts
from services.indicators.identification.tracing.reading import SchoolRows
from services.indicators.identification.tracing.schemas import TraceOut
from services.indicators.identification.tracing.trace import trace_of
from services.indicators.methodologies.document import Methodology
from services.indicators.suppression.queries import Told
from services.kit.reach import Reach

YEAR = 2025
ATTRIBUTES = ("incomplete_families", "vacancies", "teachers")
EXACT = Told(None, Reach.region(1), size=5, is_exact=True)  # type: ignore[arg-type]  no SQL is asked

shares = st.sampled_from(["3/10", "0.25", "1/3", "0.5", "1/10"])


@st.composite
def regions(draw) -> Inputs:
    """Few schools, few procedures, and numbers where something is decided."""
    procedures = []
    kinds = draw(st.lists(st.sampled_from([("vpr", 5), ("oge", 9), ("ege", 11)]), min_size=1,
                          max_size=3, unique=True))  # fmt: skip
    for kind, grade in kinds:
        for year in (2022, 2023, 2024):
            minimum = draw(st.sampled_from([8, 8, 8, 9]))
            number = len(procedures) + 1
            procedures.append(a_procedure(number, kind, grade, year, minimum))
    ordered = tuple(sorted(procedures, key=lambda procedure: procedure.natural_key))
    schools = tuple(
        a_school(
            number,
            draw(st.sampled_from(["sosh"] * 7 + ["evening"])),
            draw(st.sampled_from([("noo", "ooo", "soo"), ("noo", "ooo"), ("noo",), None])),
            draw(st.sampled_from([True, False, None])),
        )
        for number in range(1, draw(st.integers(1, 7)) + 1)
    )
    cells = []
    for school in schools:
        for procedure in ordered:
            n = draw(st.sampled_from([0, 0, 1, 2, 5, 9, 10, 12, 20, 30, 33, 40]))
            if n:
                failed = draw(st.integers(0, n) | st.just(round(n * 0.3)) | st.just(-(-n // 4)))
                low = draw(st.integers(min(failed, n), n))
                cells.append((school.school_id, procedure.procedure_id, n, low, min(failed, n)))
    columns = np.array(cells, dtype=np.int64).reshape(len(cells), 5).T
    signs = []
    for place in range(len(schools)):
        for year in draw(st.lists(st.sampled_from([2022, 2023, 2024]), max_size=2)):
            detector = draw(st.sampled_from(["border_peak", "journal"]))
            signs.append(FrozenSign(len(signs) + 1, place, year, detector, None, None, "rus"))
    return Inputs(
        year=YEAR,
        procedures=ordered,
        schools=schools,
        cells=FrozenCells(
            *in_order(columns[0], columns[1], columns[2:], schools=schools, procedures=ordered)
        ),
        attributes={code: draw(columns_of(len(schools))) for code in sorted(ATTRIBUTES)},
        signs=tuple(signs),
        asked_years=tuple(
            frozenset(draw(st.sampled_from([(), (2024,), (2022, 2023, 2024)]))) for _ in schools
        ),
        corrections=(),
    )


def columns_of(many: int):
    """An attribute of so many schools: ties, zeros, nothing submitted, not applicable."""
    value = st.sampled_from([0, 1, 2, 3, 5]).map(lambda n: Value(State.VALUE, Decimal(n) / 4))
    cell = value | value | st.sampled_from([MISSING, Value(State.NOT_APPLICABLE)])
    return st.lists(cell, min_size=many, max_size=many).map(
        lambda found: AttributeColumn(tuple(found), tuple("анкета" for _ in found))
    )


def a_school(number, kind, stages, mark) -> SchoolFacts:
    return SchoolFacts(
        school_id=number,
        municipality_id=1,
        code=f"{number:06}",
        name=f"Школа № {number}",
        municipality_name="Велижский",
        kind=kind,
        stages=stages,
        adverse_conditions=mark,
        adverse_reason="Социальный паспорт" if mark else None,
        adverse_source=None,
    )


def a_procedure(number, kind, grade, year, minimum) -> FrozenProcedure:
    lower = Decimal(minimum) + Decimal("1.5")
    scales = [
        {
            "position": place,
            "subject": subject,
            "title": title,
            "minimum": str(minimum),
            "maximum": "30",
            "top": "25",
            "margin_share": "1/20",
            "bmin": f"{int(lower * 2)}/2",
            "bmid": str((lower + 25) / 2),
            "is_mass": True,
        }
        for place, (subject, title) in enumerate((("rus", "Русский язык"), ("mat", "Математика")))
    ]
    return FrozenProcedure(number, kind, grade, year, f"{kind} {year}", 1, 3, scales)


indices = st.sampled_from(
    [
        {
            "code": "isbsh",
            "title": "Индекс социального благополучия школы",
            "method": "weighted_z",
            "components": [
                {"attribute": "incomplete_families", "title": "Неполные семьи", "adverse": "high"},
                {"attribute": "vacancies", "over": "teachers", "title": "Вакансии на учителя",
                 "adverse": "high", "weight": "2"},
            ],
        },
        {
            "code": "isbsh",
            "title": "Индекс кадров",
            "method": "bounded_shares",
            "max_missing_weight": "1/2",
            "components": [
                {"attribute": "vacancies", "title": "Вакансии", "adverse": "high",
                 "minimum": "0", "maximum": "1"},
                {"attribute": "teachers", "title": "Учителя", "adverse": "low", "norm": "0.75"},
                {"attribute": "incomplete_families", "title": "Семьи", "adverse": "low"},
            ],
        },
    ]
)  # fmt: skip
operators = st.sampled_from([">=", ">", "<=", "<"])
leaf_conditions = st.one_of(
    st.just({"school_mark": True}),
    st.builds(lambda s: {"index": "isbsh", "lowest_share": s}, shares),
    st.builds(
        lambda o, v: {"index": "isbsh", "operator": o, "value": v},
        operators, st.sampled_from(["50", "45.5", "0.5"]),
    ),
    st.builds(
        lambda a, o, v: {"attribute": a, "operator": o, "value": v},
        st.sampled_from(ATTRIBUTES), operators, st.sampled_from(["0.25", "0.5", "0"]),
    ),
    st.builds(
        lambda k, m, d: {"signs": {"at_least": k, "years": m, "detectors": d}},
        st.integers(1, 2), st.integers(1, 3), st.sampled_from([None, ["border_peak"]]),
    ),
    st.just({"rule": "a"}),
)  # fmt: skip


def trees(parts):
    listed = st.lists(parts, min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda p: {"any": p}, listed),
        st.builds(lambda p: {"all": p}, listed),
        listed.flatmap(lambda p: st.integers(1, len(p)).map(lambda k: {"at_least": k, "of": p})),
    )


conditions = st.recursive(leaf_conditions, trees, max_leaves=5)
FLAGS = ("low_results", "adverse_conditions", "biased_results", "decline_risk", "prevention")


@st.composite
def methodologies(draw) -> Methodology:
    """Five flags, all thirty-one categories, thresholds and small groups of every kind."""
    flags: list[dict[str, Any]] = [
        {"code": code, "title": f"Признак {code}", "taken_from": "conditions",
         "when": draw(conditions)}
        for code in FLAGS[1:]
    ]  # fmt: skip
    if draw(st.booleans()):
        flags[0] = {
            "code": "adverse_conditions", "title": "Условия", "taken_from": "school",
        }  # fmt: skip
    flags.insert(0, {"code": "low_results", "title": "Низкие результаты", "taken_from": "rules"})
    policy = draw(st.sampled_from(["flag", "no_flag", "pool"]))
    subsets = chain.from_iterable(combinations(FLAGS, size) for size in range(1, 6))
    return Methodology.model_validate(
        {
            "code": "random",
            "title": "Случайная",
            "in_force_from": "2020-01-01",
            "low_result": {
                "based_on": draw(st.sampled_from(["minimum", "bmin"])),
                "threshold": draw(shares),
                "operator": draw(st.sampled_from([">=", ">"])),
            },
            "procedures": [{"kind": kind} for kind in ("vpr", "oge", "ege")],
            "excluded_school_kinds": ["evening"],
            "rules": [
                {"code": "a", "title": "А", "years_back": [1], "at_least": draw(st.integers(1, 3))},
                {"code": "b", "title": "Б", "years_back": [1, 2], "at_least": 1},
            ],
            "small_n": {
                "below": draw(st.sampled_from([1, 5, 10, 11])),
                "policy": policy,
                "years": draw(st.integers(2, 3)) if policy == "pool" else None,
            },
            "certainty": {
                "z": draw(st.sampled_from(["1.959964", "1", "2", "1.644854"])),
                "interval": draw(st.sampled_from(["wilson", "wilson", "exact"])),
                "shrinkage": draw(st.sampled_from(["none", "none", "beta_binomial"])),
            },
            "flags": flags,
            "categories": [
                {
                    "code": f"c{number}",
                    "title": " + ".join(has),
                    "has": list(has),
                    "has_not": [flag for flag in FLAGS if flag not in has],
                }
                for number, has in enumerate(subsets, start=1)
            ],
            "indices": [draw(indices)],
        }
    )


def printed_traces(
    inputs: Inputs, methodology: Methodology, numbers: Told = EXACT, *, sees_signs: bool = True
) -> tuple[Findings, list[TraceOut]]:
    """Evaluate a region and print the trace of each of its schools."""
    findings = evaluate(inputs, methodology)
    facts = RunFacts(
        run=a_run(),
        methodology=methodology,
        methodology_number=1,
        methodology_hash="c" * 64,
        procedures=procedure_rows(inputs, findings),
    )
    indices = index_rows(methodology, findings)
    return findings, [
        trace_of(facts, rows_of(place, inputs, findings, indices, sees_signs), numbers)
        for place in range(len(inputs.schools))
    ]


def a_run() -> IdentificationRun:
    return IdentificationRun(
        id=5,
        region_id=1,
        year=YEAR,
        methodology_version_id=3,
        state="published",
        input_hash="a" * 64,
        list_hash="b" * 64,
        order_number="210-ОД",
        order_date=dt.date(2025, 3, 15),
        computed_at=dt.datetime(2025, 3, 10, 10, 0, tzinfo=dt.UTC),
    )


def procedure_rows(inputs: Inputs, findings: Findings) -> list[RunProcedure]:
    series = series_of(inputs.procedures)
    priors = findings.judged.priors
    rows = []
    for procedure in inputs.procedures:
        prior = priors.get((series[procedure.procedure_id], inputs.year - procedure.year))
        rows.append(
            RunProcedure(
                run_id=5,
                region_id=1,
                procedure_id=procedure.procedure_id,
                kind=procedure.kind,
                grade=procedure.grade,
                year=procedure.year,
                title=procedure.title,
                mass_mask=procedure.mass_mask,
                rollup_revision=1,
                scales=procedure.scales,
                prior=prior.texts() if prior else None,
            )
        )
    return rows


def index_rows(methodology: Methodology, findings: Findings) -> list[RunIndex]:
    return [
        RunIndex(
            run_id=5,
            code=index.code,
            region_id=1,
            title=index.title,
            context_year=methodology.context_year(YEAR),
            n=findings.indices[index.code].n,
            definition=index.model_dump(mode="json"),
            statistics=keeping.statistics_of(index, findings.indices[index.code]),
            borders=keeping.borders_of(index.code, findings.indices[index.code], methodology),
        )
        for index in methodology.indices
    ]


def rows_of(place, inputs, findings, indices, sees_signs) -> SchoolRows:
    school = inputs.schools[place]
    columns = keeping.answer_columns(findings)
    answer = RunSchool(
        run_id=5,
        region_id=1,
        **{name: getattr(school, name) for name in CARD},
        stages=None if school.stages is None else list(school.stages),
        **{name: columns[name][place] for name in PLAIN},
        rule_certainties=findings.answers.certainty[:, place].tolist(),
        rules_answerable=findings.answers.answerable[:, place].tolist(),
    )
    signs = [
        RunSign(
            run_id=5, sign_id=sign.id, region_id=1, municipality_id=1, school_id=school.school_id,
            year=sign.year, detector=sign.detector, subject=sign.subject,
        )
        for sign in inputs.signs
        if sign.school == place
    ]  # fmt: skip
    return SchoolRows(
        answer=answer,
        evidence=evidence_of(place, inputs, findings),
        context=context_of(place, inputs, findings),
        indices=indices,
        signs=signs if sees_signs else None,
    )


CARD = (
    "school_id", "municipality_id", "code", "name", "municipality_name", "kind",
    "adverse_conditions", "adverse_reason", "adverse_source",
)  # fmt: skip
PLAIN = ("state", "flags", "unknown_flags", "category", "certainty")


def evidence_of(place, inputs, findings) -> RunEvidence | None:
    mine = np.flatnonzero(findings.cells.school == place)
    if not len(mine):
        return None
    procedures = [inputs.procedures[inputs.cells.procedure[findings.which[c]]] for c in mine]
    return RunEvidence(
        run_id=5,
        school_id=inputs.schools[place].school_id,
        region_id=1,
        municipality_id=1,
        procedure_id=[procedure.procedure_id for procedure in procedures],
        n=findings.cells.n[mine].tolist(),
        low=findings.cells.low[mine].tolist(),
    )


def context_of(place, inputs, findings) -> RunContext:
    cells = [column.values[place] for column in inputs.attributes.values()]
    return RunContext(
        run_id=5,
        school_id=inputs.schools[place].school_id,
        region_id=1,
        municipality_id=1,
        attribute=list(inputs.attributes),
        state=[cell.state.value for cell in cells],
        value=[cell.value for cell in cells],
        source=[column.sources[place] for column in inputs.attributes.values()],
        asked_years=sorted(inputs.asked_years[place]),
        index_code=list(findings.indices),
        index_value=[index.values[place] for index in findings.indices.values()],
        index_missing_weight=[i.missing_weights[place] for i in findings.indices.values()],
    )
