"""What a run or a what-if says of its schools, as columns that can be compared at once.

Two answers are the same when state, flags, category and certainty are. The place in the list is the
category: None is not in the list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from services.indicators.algebra.rules import Integers
from services.indicators.identification.answering.evaluation import Findings
from services.indicators.identification.answering.judging import Booleans

__all__ = ["CHANGED", "ENTERED", "LEFT", "NONE", "Outcomes"]

NONE, ENTERED, LEFT, CHANGED = "none", "entered", "left", "changed"

Words = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """One entry per school, in one order for all outcomes that are compared.

    ``is_known`` is False where the run has no such school; the other columns say nothing there.
    """

    is_known: Booleans
    state: Words
    flags: Integers
    category: Words
    certainty: Integers

    @classmethod
    def of(cls, findings: Findings) -> "Outcomes":
        """Take the answers of an evaluation, in the order of its schools."""
        return cls(
            is_known=np.ones(len(findings.flags), dtype=np.bool_),
            state=_words(findings.state),
            flags=findings.flags,
            category=_words(findings.category),
            certainty=findings.certainty,
        )

    def placed(self, places: Integers, many: int) -> "Outcomes":
        """Lay the answers out over ``many`` schools: the k-th answer is of the school ``places[k]``."""

        def laid(column: npt.NDArray[Any], empty: Any) -> npt.NDArray[Any]:
            whole = np.full(many, empty, dtype=column.dtype)
            whole[places] = column
            return whole

        return Outcomes(
            is_known=laid(self.is_known, False),  # noqa: FBT003  the filling of a column
            state=laid(self.state, None),
            flags=laid(self.flags, 0),
            category=laid(self.category, None),
            certainty=laid(self.certainty, 0),
        )

    @property
    def is_listed(self) -> Booleans:
        """Which schools are in the list."""
        return np.fromiter((c is not None for c in self.category), np.bool_, len(self.category))

    def same_place(self, other: "Outcomes") -> Booleans:
        """For which schools both say the same of the list: the same category, or out of it."""
        return np.asarray(
            (self.is_known == other.is_known) & (self.category == other.category), dtype=np.bool_
        )

    def same(self, other: "Outcomes") -> Booleans:
        """For which schools both say the same altogether."""
        return np.asarray(
            self.same_place(other)
            & (self.state == other.state)
            & (self.flags == other.flags)
            & (self.certainty == other.certainty),
            dtype=np.bool_,
        )

    def changes(self, later: "Outcomes") -> Words:
        """Name what each school does from these answers to the later ones."""
        before, after = self.is_listed, later.is_listed
        return np.select(
            [after & ~before, before & ~after, ~self.same(later)],
            [ENTERED, LEFT, CHANGED],
            default=NONE,
        ).astype(object)

    def reached(self, by: "Outcomes", changes: Words) -> Booleans:
        """For which schools ``by`` gives these answers, as far as the change is concerned.

        Who entered or left has the same place in the list; of who changed otherwise all is the same.
        """
        moved = (changes == ENTERED) | (changes == LEFT)
        return np.where(moved, self.same_place(by), self.same(by))


def _words(values: Sequence[str | None]) -> Words:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
