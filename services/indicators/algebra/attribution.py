"""Which of several changes made the difference: the smallest sets that suffice by themselves.

Two states differ by a few factors (a threshold, the numbers of a procedure, the scales). Every set of
factors can be applied alone to the earlier state. A set suffices for a school when that gives the
later answer for it. Named are the smallest sufficient sets, all of the same size: one factor where one
is enough ("the threshold"), several where either is, a combination where only together they do.

Every answer is asked for all schools at once, so that the price is the number of sets, not of schools.
What is named is proved by the evaluation that found it: nothing is inferred or weighed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt

Booleans = npt.NDArray[np.bool_]
Reaches = Callable[[frozenset[str]], Booleans | None]
"""For which schools these factors alone give the later answer; None: they cannot stand alone."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why the answer for one school differs.

    ``sets`` are the smallest sufficient sets. ``is_exhaustive`` is False where smaller sets were too
    many to try, and the only set named is that of all factors.
    """

    sets: tuple[tuple[str, ...], ...]
    is_exhaustive: bool = True

    @property
    def single(self) -> tuple[str, ...]:
        """The factors of which each suffices alone; empty where a combination is needed."""
        return tuple(one[0] for one in self.sets if len(one) == 1)


def causes(
    factors: Sequence[str], reaches: Reaches, wanted: Booleans, *, budget: int
) -> dict[int, Cause]:
    """Find the smallest sufficient sets for every wanted school, by its position.

    Args:
        factors: What differs between the two states, in the order in which it is to be told.
        reaches: Answers for one set of factors.
        wanted: For which schools causes are asked; all factors together must suffice for them.
        budget: How many sets may be tried at most. Sets of a size are tried all or not at all.
    """
    found: dict[int, list[tuple[str, ...]]] = {}
    left = wanted.copy()
    tried, was_skipped = 0, False
    for size in range(1, len(factors)):
        many = comb(len(factors), size)
        if not left.any():
            break
        if tried + many > budget:
            was_skipped = True
            continue
        tried += many
        explained = np.zeros_like(left)
        for chosen in combinations(factors, size):
            hit = reaches(frozenset(chosen))
            if hit is None:
                continue
            for position in np.flatnonzero(hit & left):
                found.setdefault(int(position), []).append(chosen)
            explained |= hit
        left &= ~explained
    answer = {place: Cause(tuple(sets), not was_skipped) for place, sets in found.items()}
    for position in np.flatnonzero(left):
        answer[int(position)] = Cause((tuple(factors),), not was_skipped)
    return answer
