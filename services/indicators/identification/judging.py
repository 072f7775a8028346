"""What a cell counts for: its class of certainty, and the years added up where a group is small.

Pure arithmetic on arrays, apart from the rules over procedures (`evaluation`), because the trace, the
precision of a run and its what-ifs judge single cells too and must judge them alike.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.intervals import cuts
from services.indicators.algebra.rules import Integers
from services.indicators.methodologies.document import Methodology

__all__ = ["Booleans", "Cells", "Judged", "judge"]

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
