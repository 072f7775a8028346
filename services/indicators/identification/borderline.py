"""Which schools one pupil more, or one fewer, would bring into the list or out of it.

Source: peers 3, the borderline radar: a class that turns on a single pupil is not a sure one.
"""

import numpy as np

from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.rules import Integers, answer_all
from services.indicators.identification.judging import Booleans, Cells, Judged, cuts_of, judge
from services.indicators.methodologies.document import Methodology

__all__ = ["borderline_schools", "to_threshold"]


def to_threshold(n: int, low: int, first: int) -> int:
    """Count the pupils between a group and the number ``first`` at which it begins to be low.

    Above zero: so many fewer low results, and the group is low no longer; below zero: so many more,
    and it is; ``n`` bounds what can be reached, and where even all of them are too few, that is one
    more than there are.
    """
    return low - first + 1 if low >= first else low - min(first, n + 1)


def borderline_schools(
    cells: Cells, judged: Judged, methodology: Methodology, *, schools: int
) -> Booleans:
    """Say of each school whether one pupil changes that some rule of low results holds.

    One low result more or fewer in one cell, the number of participants and all other cells being what
    they are; a cell that is added up with later years changes those too. What the schools of a
    procedure have in common is taken as it is.
    """
    found = np.zeros(schools, dtype=np.bool_)
    near = np.unique(cells.school[_is_near(cells, judged, methodology)])
    if not len(near):
        return found
    variant, place, change = _variants(cells, near)
    changed = Cells(
        school=variant,
        series=cells.series[place],
        years_back=cells.years_back[place],
        n=cells.n[place],
        low=cells.low[place] + change,
    )
    # Variant 0 of each school is the school as it is.
    first = np.zeros(len(near), dtype=np.int64)
    many = np.zeros(len(near), dtype=np.int64)
    owner = np.searchsorted(near, cells.school[place])
    np.maximum.at(many, owner, variant)
    first[1:] = many[:-1] + 1
    answers = answer_all(
        methodology.as_rules(),
        schools=int(variant.max()) + 1,
        school=variant,
        years_back=changed.years_back,
        found=judge(changed, methodology, judged.priors).certainty,
    )
    holds = answers.certainty.max(axis=0) >= Certainty.POSSIBLE
    of_variant = np.zeros(len(holds), dtype=np.int64)
    of_variant[variant] = owner
    turned = holds != holds[first[of_variant]]
    found[near[np.unique(of_variant[turned])]] = True
    return found


def _is_near(cells: Cells, judged: Judged, methodology: Methodology) -> Booleans:
    """Say which judged numbers stand right at the first that is low, or one below it."""
    near = np.zeros(len(judged.n), dtype=np.bool_)
    known: dict[tuple[int, int, int], int] = {}
    columns = (cells.series, cells.years_back, judged.n, judged.low)
    for place, (series, back, n, low) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        key = (series, back, n) if judged.priors else (0, 0, n)
        if key not in known:
            known[key] = cuts_of(n, methodology, judged.priors.get((series, back))).possible
        near[place] = low - known[key] in (-1, 0)
    return near & ~judged.is_too_few


def _variants(cells: Cells, near: Integers) -> tuple[Integers, Integers, Integers]:
    """Lay out each school as it is, then with one cell changed by one pupil.

    Returns:
        For each cell of each variant: the number of the variant, the place of the cell among the
        cells, and by how much its low results change.
    """
    by_school = np.argsort(cells.school, kind="stable")
    begins = np.searchsorted(cells.school[by_school], near, side="left")
    ends = np.searchsorted(cells.school[by_school], near, side="right")
    variants, places, changes = [], [], []
    number = 0
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        own = by_school[begin:end]
        size = len(own)
        step = np.concatenate(
            [
                np.zeros((1, size), dtype=np.int64),
                np.eye(size, dtype=np.int64)[cells.low[own] < cells.n[own]],
                -np.eye(size, dtype=np.int64)[cells.low[own] > 0],
            ]
        )
        variants.append(np.repeat(np.arange(number, number + len(step)), size))
        places.append(np.tile(own, len(step)))
        changes.append(step.reshape(-1))
        number += len(step)
    return np.concatenate(variants), np.concatenate(places), np.concatenate(changes)
