"""From the frozen numbers of a run to an answer for every school, all schools at once.

Pure arithmetic on arrays: what comes in are the cells of a run (school x procedure: so many people,
so many of them low), what goes out is one row per school. The trace of one school comes from the
same functions, so that it cannot tell another story than the list.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from services.indicators.algebra.categories import Flag, category_of
from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.rules import Answers, Integers, answer_all
from services.indicators.identification.judging import Booleans, Cells, Judged, judge
from services.indicators.methodologies.document import Methodology


@dataclass(frozen=True, slots=True)
class Schools:
    """What a run knows of its schools beside results, in the order of their positions."""

    is_excluded: Booleans
    is_applicable: Booleans
    has_adverse_conditions: Booleans


@dataclass(frozen=True, slots=True)
class Findings:
    """The answer: one entry per school."""

    state: list[str]
    flags: Integers
    category: list[str | None]
    certainty: Integers
    answers: Answers


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


def answer_rules(cells: Cells, judged: Judged, methodology: Methodology, schools: int) -> Answers:
    """Answer every rule for every school; cells of other years than the rules' do not count."""
    return answer_all(
        methodology.as_rules(),
        schools=schools,
        school=cells.school,
        years_back=cells.years_back,
        found=judged.certainty,
    )


def evaluate(cells: Cells, schools: Schools, methodology: Methodology) -> Findings:
    """Give every school its state, flags, category and certainty."""
    many = len(schools.is_excluded)
    answers = answer_rules(cells, judge(cells, methodology), methodology, many)
    certainty = answers.certainty.max(axis=0)
    certainty[schools.is_excluded] = Certainty.NONE
    flags = np.where(certainty >= Certainty.POSSIBLE, int(Flag.LOW_RESULTS), 0)
    declared = {flag.flag for flag in methodology.flags}
    if Flag.ADVERSE_CONDITIONS in declared:
        adverse = schools.has_adverse_conditions & ~schools.is_excluded
        flags = flags | np.where(adverse, int(Flag.ADVERSE_CONDITIONS), 0)
    codes = _category_codes(methodology)
    return Findings(
        state=_states(cells, schools, answers, methodology),
        flags=flags.astype(np.int64),
        category=[codes[int(bits)] for bits in flags],
        certainty=certainty,
        answers=answers,
    )


def _states(
    cells: Cells, schools: Schools, answers: Answers, methodology: Methodology
) -> list[str]:
    rule_years = [back for rule in methodology.rules for back in rule.years_back]
    counted = cells.school[np.isin(cells.years_back, rule_years)]
    has_data = np.bincount(counted, minlength=len(schools.is_excluded)) > 0
    return [
        str(state)
        for state in np.select(
            [schools.is_excluded, answers.answerable.any(axis=0), has_data, schools.is_applicable],
            [EXCLUDED, ASSESSED, INCOMPLETE, NO_DATA],
            default=NOT_APPLICABLE,
        )
    ]


def _category_codes(methodology: Methodology) -> Mapping[int, str | None]:
    categories = methodology.as_categories()
    every = range(sum(Flag) + 1)
    found = {bits: category_of(Flag(bits), categories) for bits in every}
    return {bits: category.code if category else None for bits, category in found.items()}
