"""What a cell counts for: its class of certainty, and the years added up where a group is small.

Pure arithmetic on arrays, apart from the rules over procedures (`evaluation`), because the trace, the
precision of a run and its what-ifs judge single cells too and must judge them alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.intervals import Cuts, cuts
from services.indicators.algebra.rules import Integers
from services.indicators.algebra.shrinkage import Prior, prior_of, shrunken_from
from services.indicators.methodologies.document import Methodology

__all__ = ["Booleans", "Cells", "Judged", "Priors", "cuts_of", "judge", "priors_of"]

Booleans = npt.NDArray[np.bool_]
Priors = Mapping[tuple[int, int], Prior | None]
"""What the schools of a procedure have in common, by its series and the years it lies back."""


@dataclass(frozen=True, slots=True)
class Cells:
    """One entry per school and procedure that has participants.

    ``school`` is the position of the school in the run; ``series`` numbers the procedures that
    repeat from year to year with the same scales (`series`); ``years_back`` counts from the year of
    the list; ``n`` are participants (people), ``low`` those low in at least one mass subject, by the
    bound that the methodology names.
    """

    school: Integers
    series: Integers
    years_back: Integers
    n: Integers
    low: Integers


@dataclass(frozen=True, slots=True)
class Judged:
    """What each cell counts for: the numbers judged (pooled where few), and their class.

    ``priors`` is empty unless the methodology shrinks shares.
    """

    n: Integers
    low: Integers
    is_pooled: Booleans
    is_too_few: Booleans
    certainty: Integers
    priors: Priors


def judge(cells: Cells, methodology: Methodology, priors: Priors | None = None) -> Judged:
    """Class every cell, adding up small groups over years where the methodology says so.

    A small group takes in the same series of the earlier years of the window; where the sum is
    still small, the class is "мало данных" unless even the upper end of the interval says "нет".
    Where the methodology shrinks shares, "возможно" and "устойчиво" ask that the shrunken share
    reaches the threshold too.

    ``priors`` are those of the whole region; without them they are estimated from these cells, which
    is right only where these are the cells of all schools.

    Source: methodology B5 (pooling of 2 to 3 years, shrinkage), B10 (8).
    """
    small = methodology.small_n
    n, low = cells.n.copy(), cells.low.copy()
    is_small = cells.n < small.below
    is_pooled = np.zeros(len(n), dtype=np.bool_)
    if small.policy == "pool" and small.years:
        n, low = _with_earlier_years(cells, is_small, small.years)
        is_pooled = n != cells.n
    is_too_few = np.zeros(len(n), dtype=np.bool_) if small.policy == "flag" else n < small.below
    if methodology.certainty.shrinkage == "none":
        priors = {}
    elif priors is None:
        priors = priors_of(cells)
    found = _classes(cells, n, low, is_too_few, methodology, priors)
    return Judged(n, low, is_pooled, is_too_few, found, priors)


def priors_of(cells: Cells) -> Priors:
    """Estimate what the schools of each procedure have in common, from the cells of all of them.

    The cells are taken as they were counted, not added up over years: else one year would count in
    several.
    """
    keys, procedure = _procedures(cells)
    largest = 1 + int(cells.n.max(initial=0))
    different, many = np.unique(
        (procedure * largest + cells.n) * largest + cells.low, return_counts=True
    )
    schools: list[dict[tuple[int, int], int]] = [{} for _ in keys]
    for code, count in zip(different.tolist(), many.tolist(), strict=True):
        rest, low = divmod(code, largest)
        place, n = divmod(rest, largest)
        schools[place][low, n] = count
    return {key: prior_of(of) for key, of in zip(keys, schools, strict=True)}


def _procedures(cells: Cells) -> tuple[list[tuple[int, int]], Integers]:
    """List the procedures of the cells as (series, years back), and which of them each cell is of."""
    span = 1 + int(cells.years_back.max(initial=0))
    known, which = np.unique(cells.series * span + cells.years_back, return_inverse=True)
    return [divmod(code, span) for code in known.tolist()], which.astype(np.int64)


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


def cuts_of(n: int, methodology: Methodology, prior: Prior | None) -> Cuts:
    """Find the numbers of low results at which the classes of a group of ``n`` begin.

    The point judgement of the law (the share reaches the threshold) is asked for in any case; with a
    prior the shrunken share has to reach it too.
    """
    rule, settings = methodology.low_result, methodology.certainty
    found = cuts(n, threshold=rule.share, strict=rule.strict, z=settings.z, kind=settings.interval)
    if prior is None:
        return found
    drawn = shrunken_from(n, prior, threshold=rule.share, strict=rule.strict)
    return Cuts(found.not_excluded, max(found.possible, drawn), max(found.certain, drawn))


def _classes(
    cells: Cells,
    n: Integers,
    low: Integers,
    is_too_few: Booleans,
    methodology: Methodology,
    priors: Priors,
) -> Integers:
    largest = 1 + int(n.max(initial=0))
    if priors:
        # One group of cells for each procedure and size.
        keys, procedure = _procedures(cells)
        groups, which = np.unique(procedure * largest + n, return_inverse=True)
        own = [(priors.get(keys[code // largest]), code % largest) for code in groups.tolist()]
    else:
        groups, which = np.unique(n, return_inverse=True)
        own = [(None, size) for size in groups.tolist()]
    limits = [cuts_of(size, methodology, prior) for prior, size in own]
    not_excluded = np.array([c.not_excluded for c in limits], dtype=np.int64)[which]
    possible = np.array([c.possible for c in limits], dtype=np.int64)[which]
    certain = np.array([c.certain for c in limits], dtype=np.int64)[which]
    found = np.full(len(n), Certainty.NOT_EXCLUDED, dtype=np.int64)
    found[low >= possible] = Certainty.POSSIBLE
    found[low >= certain] = Certainty.CERTAIN
    found[is_too_few] = Certainty.TOO_FEW
    found[low < not_excluded] = Certainty.NONE
    return found
