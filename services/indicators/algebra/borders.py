"""Which schools one pupil decides: with one more or one fewer low result the flag would be another.

Exact: the rules are asked again with the changed number, for every cell of every school. Cells of one
school are changed one at a time; cells of different schools, and of different series of one school,
do not touch each other and are changed in the same pass. A school that keeps its flag even when all its
cells change at once keeps it when one does, because more low results never make a class less sure:
such schools are left out first.

Source: methodology B5 (a share of a small group moves by whole pupils); peers 2 ("borderline schools").
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.rules import Integers, Rule

Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Cells as columns: the place of the school, the series of procedures, the year, people, low."""

    school: Integers
    series: Integers
    years_back: Integers
    n: Integers
    low: Integers


@dataclass(frozen=True, slots=True)
class Borders:
    """Per school: the flag goes with one low result fewer; comes with one more."""

    lost_by_one_fewer: Booleans
    gained_by_one_more: Booleans

    @property
    def either(self) -> Booleans:
        """Schools that one pupil decides, whichever way."""
        return self.lost_by_one_fewer | self.gained_by_one_more


def borders(
    rules: Sequence[Rule], cells: Numbers, *, schools: int, found: Callable[[Numbers], Integers]
) -> Borders:
    """Find the schools whose flag of low results hangs on one pupil.

    Args:
        rules: The rules of low results; one that holds is enough.
        cells: The numbers that the rules look at, with the years that small groups are pooled with.
        schools: How many schools there are.
        found: Gives the class of every cell as the run does, for other numbers of low results and
            for the cells of some schools only.
    """
    is_low = found(cells) >= Certainty.POSSIBLE
    holds = _holds(rules, _counts(cells, is_low, schools, rules))
    return Borders(
        lost_by_one_fewer=_flipped(rules, cells, is_low, holds, found, -1) & holds,
        gained_by_one_more=_flipped(rules, cells, is_low, holds, found, +1) & ~holds,
    )


def _flipped(
    rules: Sequence[Rule],
    cells: Numbers,
    is_low: Booleans,
    holds: Booleans,
    found: Callable[[Numbers], Integers],
    step: int,
) -> Booleans:
    flipped = np.zeros_like(holds)
    everywhere = found(_stepped(cells, step)) >= Certainty.POSSIBLE
    at_most = _holds(rules, _counts(cells, everywhere, len(holds), rules)) != holds
    some = at_most[cells.school]
    cells, is_low = _of(cells, some), is_low[some]
    if not len(cells.n):
        return flipped
    counts = _counts(cells, is_low, len(holds), rules)
    group = cells.school * (int(cells.series.max()) + 1) + cells.series
    for place in _passes(group):
        crossed = (found(_stepped(cells, step, place)) >= Certainty.POSSIBLE) != is_low
        touched = np.unique(group[crossed])
        owner = touched // (int(cells.series.max()) + 1)
        moved = {back: counts[back][owner] for back in counts}
        for back, numbers in moved.items():
            here = crossed & (cells.years_back == back)
            np.add.at(numbers, np.searchsorted(touched, group[here]), step)
        other = _holds(rules, moved) != holds[owner]
        flipped[owner[other]] = True
    return flipped


def _stepped(cells: Numbers, step: int, where: Booleans | None = None) -> Numbers:
    """Change the number of low results by one, where there are so many people."""
    low = np.clip(cells.low + step, 0, cells.n)
    return replace(cells, low=low if where is None else np.where(where, low, cells.low))


def _of(cells: Numbers, some: Booleans) -> Numbers:
    return Numbers(
        cells.school[some],
        cells.series[some],
        cells.years_back[some],
        cells.n[some],
        cells.low[some],
    )


def _passes(group: Integers) -> list[Booleans]:
    """Part the cells so that a pass changes at most one cell of a series of a school."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    lengths = np.diff(np.append(starts, len(group)))
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = np.arange(len(group)) - np.repeat(starts, lengths)
    return [rank == place for place in range(int(rank.max()) + 1)]


def _counts(
    cells: Numbers, is_low: Booleans, schools: int, rules: Sequence[Rule]
) -> dict[int, Integers]:
    years = sorted({back for rule in rules for back in rule.years_back})
    return {
        back: np.bincount(
            cells.school[is_low & (cells.years_back == back)], minlength=schools
        ).astype(np.int64)
        for back in years
    }


def _holds(rules: Sequence[Rule], counts: dict[int, Integers]) -> Booleans:
    one = [
        np.logical_and.reduce([counts[back] >= rule.at_least for back in rule.years_back])
        for rule in rules
    ]
    return np.asarray(np.logical_or.reduce(one), dtype=np.bool_)
