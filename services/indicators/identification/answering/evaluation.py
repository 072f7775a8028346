"""From the frozen inputs of a run to an answer for every school, all schools at once.

Pure arithmetic on arrays: what comes in are the inputs of a run, what goes out is one entry per school.
The run, its verification, a what-if and the sandbox of an appeal all come from here, so that none can
tell another story than the list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.indicators.algebra.categories import Flag, category_of
from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.composites import Composite
from services.indicators.algebra.rules import Answers, Integers, answer_all
from services.indicators.identification.answering.flagging import Known, Ternary, answer, marked
from services.indicators.identification.answering.indices import indices_of
from services.indicators.identification.answering.judging import Booleans, Cells, Judged, judge
from services.indicators.identification.answering.series import series_of
from services.indicators.identification.freezing.inputs import Inputs
from services.indicators.methodologies.document import Methodology

__all__ = [
    "ASSESSED",
    "EXCLUDED",
    "INCOMPLETE",
    "NOT_APPLICABLE",
    "NO_DATA",
    "Findings",
    "cells_of",
    "evaluate",
    "is_taught",
]


@dataclass(frozen=True, slots=True)
class Findings:
    """The answer: one entry per school.

    ``flags`` and ``unknown`` are bits of `Flag`; a flag is in one of them or in none. The category
    follows from ``flags``: a flag that is not known counts as absent there.
    """

    state: list[str]
    flags: Integers
    unknown: Integers
    category: list[str | None]
    certainty: Integers
    answers: Answers
    """Of the rules, in the order of the methodology."""
    indices: Mapping[str, Composite]
    """By code, in the order of the methodology."""
    which: Integers
    """Positions in the frozen cells of the cells below."""
    cells: Cells
    judged: Judged


ASSESSED = "assessed"
"""At least one rule had the data it asks for."""
INCOMPLETE = "incomplete"
"""There are data, but less than any rule asks for, and none of the rules holds."""
NO_DATA = "no_data"
"""The grades are taught, results are not there."""
NOT_APPLICABLE = "not_applicable"
"""None of the procedures concerns a grade that the school teaches."""
EXCLUDED = "excluded"
"""The methodology leaves out schools of this kind."""


def evaluate(inputs: Inputs, methodology: Methodology) -> Findings:
    """Give every school its state, flags, category and certainty.

    The methodology may be another than the one that the inputs were frozen for, as long as it asks
    for nothing more.

    Raises:
        LookupError: It asks for an attribute or a count that was not frozen.
    """
    which, cells = cells_of(inputs, methodology)
    judged = judge(cells, methodology)
    answers = answer_all(
        methodology.as_rules(),
        schools=len(inputs.schools),
        school=cells.school,
        years_back=cells.years_back,
        found=judged.certainty,
    )
    is_excluded, is_applicable = _concern(inputs, methodology)
    certainty = answers.certainty.max(axis=0)
    certainty[is_excluded] = Certainty.NONE
    states = _states(cells, answers, methodology, is_excluded, is_applicable)
    indices = indices_of(inputs, methodology, is_excluded)
    known = Known(
        inputs=inputs,
        indices={code: index.values for code, index in indices.items()},
        rules={rule.code: row for row, rule in enumerate(methodology.rules)},
        answers=answers,
        is_concerned=is_applicable & ~is_excluded,
    )
    flags, unknown = _bits(methodology, known, certainty, states, is_excluded)
    codes = _category_codes(methodology)
    return Findings(
        state=[str(state) for state in states],
        flags=flags,
        unknown=unknown,
        category=[codes[bits] for bits in flags.tolist()],
        certainty=certainty,
        answers=answers,
        indices=indices,
        which=which,
        cells=cells,
        judged=judged,
    )


def cells_of(inputs: Inputs, methodology: Methodology) -> tuple[Integers, Cells]:
    """Choose the frozen cells that the methodology considers, and say what each is of.

    Returns:
        Positions among the frozen cells, and the cells as they are judged.
    """
    procedures = inputs.procedures
    numbers = series_of(procedures)
    series = np.array([numbers[p.procedure_id] for p in procedures], dtype=np.int64)
    back = np.array([inputs.year - p.year for p in procedures], dtype=np.int64)
    considered = np.array(
        [methodology.considered(p.kind, p.grade) is not None for p in procedures], dtype=np.bool_
    )
    cells = inputs.cells
    low = cells.below(methodology.low_result.based_on)
    which = np.flatnonzero(considered[cells.procedure])
    procedure = cells.procedure[which]
    return which, Cells(
        school=cells.school[which],
        series=series[procedure],
        years_back=back[procedure],
        n=cells.n[which],
        low=low[which],
    )


def is_taught(grade: int, stages: Sequence[str] | None) -> bool:
    """Say whether a school of these stages teaches the grade; without stages it may.

    Source: Закон об образовании, статья 66: начальное 1–4, основное 5–9, среднее 10–12.
    """
    if not stages:
        return True
    stage = "noo" if grade <= 4 else "ooo" if grade <= 9 else "soo"
    return stage in stages


def _concern(inputs: Inputs, methodology: Methodology) -> tuple[Booleans, Booleans]:
    """Say which schools are of an excluded kind, and which teach a grade of a procedure."""
    grades = {p.grade for p in inputs.procedures if methodology.considered(p.kind, p.grade)}
    by_stages = {
        stages: any(is_taught(grade, stages) for grade in grades)
        for stages in {school.stages for school in inputs.schools}
    }
    kinds = set(methodology.excluded_school_kinds)
    return (
        np.array([school.kind in kinds for school in inputs.schools], dtype=np.bool_),
        np.array([by_stages[school.stages] for school in inputs.schools], dtype=np.bool_),
    )


def _states(
    cells: Cells,
    answers: Answers,
    methodology: Methodology,
    is_excluded: Booleans,
    is_applicable: Booleans,
) -> Sequence[str]:
    rule_years = [back for rule in methodology.rules for back in rule.years_back]
    counted = cells.school[np.isin(cells.years_back, rule_years)]
    has_data = np.bincount(counted, minlength=len(is_excluded)) > 0
    states: list[str] = np.select(
        [is_excluded, answers.answerable.any(axis=0), has_data, is_applicable],
        [EXCLUDED, ASSESSED, INCOMPLETE, NO_DATA],
        default=NOT_APPLICABLE,
    ).tolist()
    return states


def _bits(
    methodology: Methodology,
    known: Known,
    certainty: Integers,
    states: Sequence[str],
    is_excluded: Booleans,
) -> tuple[Integers, Integers]:
    """Answer every declared flag; schools that the methodology leaves out have none, for certain."""
    flags = np.zeros(len(is_excluded), dtype=np.int64)
    unknown = np.zeros(len(is_excluded), dtype=np.int64)
    for declared in methodology.flags:
        if declared.taken_from == "rules":
            found = _by_rules(certainty, states)
        elif declared.when is not None:
            found = answer(declared.when, known)
        else:
            found = marked(known.inputs)
        bit = int(declared.flag)
        flags |= np.where(found.yes & ~is_excluded, bit, 0)
        unknown |= np.where(found.unknown & ~is_excluded, bit, 0)
    return flags, unknown


def _by_rules(certainty: Integers, states: Sequence[str]) -> Ternary:
    """Low results: unknown where data are missing that the school should have."""
    yes = certainty >= Certainty.POSSIBLE
    lacks = np.array([state in (INCOMPLETE, NO_DATA) for state in states], dtype=np.bool_)
    return Ternary(yes, ~yes & ~lacks)


def _category_codes(methodology: Methodology) -> Mapping[int, str | None]:
    categories = methodology.as_categories()
    every = range(sum(Flag) + 1)
    found = {bits: category_of(Flag(bits), categories) for bits in every}
    return {bits: category.code if category else None for bits, category in found.items()}
