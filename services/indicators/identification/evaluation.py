"""From the frozen numbers of a run to an answer for every school, all schools at once.

Pure arithmetic on arrays: what comes in are the cells of a run (school x procedure: so many people,
so many of them low), what goes out is one row per school. The trace of one school comes from the
same functions, so that it cannot tell another story than the list.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.indicators.algebra.categories import Flag, category_of
from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.intervals import cuts
from services.indicators.algebra.rules import Answers, Integers, answer_all
from services.indicators.methodologies.document import Methodology

Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cells:
    """One entry per school and procedure that has participants.

    ``school`` is the position of the school in the run; ``series`` numbers the procedures that
    repeat from year to year (same kind and grade); ``years_back`` counts from the year of the list;
    ``n`` are participants (people), ``low`` those low in at least one mass subject.
    """

    school: Integers
    series: Integers
    years_back: Integers
    n: Integers
    low: Integers


@dataclass(frozen=True, slots=True)
class Judged:
    """What each cell counts for: the numbers judged (pooled where few), and their class."""

    n: Integers
    low: Integers
    is_pooled: Booleans
    is_too_few: Booleans
    certainty: Integers


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


def judge(cells: Cells, methodology: Methodology) -> Judged:
    """Class every cell, adding up small groups over years where the methodology says so.

    A small group takes in the same series of the earlier years of the window; where the sum is
    still small, the class is "мало данных" unless even the upper end of the interval says "нет".

    Source: methodology B5 (pooling of 2 to 3 years), B10 (8).
    """
    small = methodology.small_n
    n, low = cells.n.copy(), cells.low.copy()
    is_small = cells.n < small.below
    is_pooled = np.zeros(len(n), dtype=np.bool_)
    if small.policy == "pool" and small.years:
        n, low = _with_earlier_years(cells, is_small, small.years)
        is_pooled = n != cells.n
    is_too_few = np.zeros(len(n), dtype=np.bool_) if small.policy == "flag" else n < small.below
    return Judged(n, low, is_pooled, is_too_few, _classes(n, low, is_too_few, methodology))


def _with_earlier_years(cells: Cells, is_small: Booleans, years: int) -> tuple[Integers, Integers]:
    n, low = cells.n.copy(), cells.low.copy()
    if not len(n):
        return n, low
    key = cells.school * (cells.series.max() + 1) + cells.series
    _, group = np.unique(key, return_inverse=True)
    span = int(cells.years_back.max()) + years
    place = group * span + cells.years_back
    size = (int(group.max()) + 1) * span
    all_n = np.bincount(place, weights=cells.n, minlength=size).astype(np.int64)
    all_low = np.bincount(place, weights=cells.low, minlength=size).astype(np.int64)
    for earlier in range(1, years):
        n[is_small] += all_n[place[is_small] + earlier]
        low[is_small] += all_low[place[is_small] + earlier]
    return n, low


def _classes(
    n: Integers, low: Integers, is_too_few: Booleans, methodology: Methodology
) -> Integers:
    rule = methodology.low_result
    sizes, which = np.unique(n, return_inverse=True)
    limits = [
        cuts(int(size), threshold=rule.share, strict=rule.strict, z=methodology.certainty.z)
        for size in sizes
    ]
    not_excluded = np.array([c.not_excluded for c in limits], dtype=np.int64)[which]
    possible = np.array([c.possible for c in limits], dtype=np.int64)[which]
    certain = np.array([c.certain for c in limits], dtype=np.int64)[which]
    found = np.full(len(n), Certainty.NOT_EXCLUDED, dtype=np.int64)
    found[low >= possible] = Certainty.POSSIBLE
    found[low >= certain] = Certainty.CERTAIN
    found[is_too_few] = Certainty.TOO_FEW
    found[low < not_excluded] = Certainty.NONE
    return found


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
