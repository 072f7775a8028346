"""Independent flags of a school and the exclusive category that follows from them.

Source: methodology A5 (2^3 - 1 = 7 exclusive cells of three flags) and A6 (НРО, ФНСУ, both).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag
from functools import reduce
from itertools import compress, product
from operator import or_


class Flag(IntFlag):
    """What may be true of a school, independently of each other; the bits are stored."""

    LOW_RESULTS = 1
    """НР: a rule of low results holds."""
    ADVERSE_CONDITIONS = 2
    """ССУ: the school works in adverse social conditions."""
    BIASED_RESULTS = 4
    """НО: signs of biased results."""
    DECLINE_RISK = 8
    """Риск: deficits from which a decline of results may follow."""
    PREVENTION = 16
    """Профилактика: pupils who do not keep up need a system of prevention (A4, 4)."""

    @property
    def code(self) -> str:
        """The stable machine code of one flag."""
        return (self.name or "").lower()


@dataclass(frozen=True, slots=True)
class Category:
    """A category takes the schools that have all of ``has`` and none of ``has_not``."""

    code: str
    has: Flag
    has_not: Flag

    def takes(self, flags: Flag) -> bool:
        """Say whether a school with these flags belongs here."""
        return flags & self.has == self.has and not flags & self.has_not


def category_of(flags: Flag, categories: Sequence[Category]) -> Category | None:
    """Find the one category of a school, or None for a school without flags."""
    return next((category for category in categories if category.takes(flags)), None)


def combinations(flags: Sequence[Flag]) -> list[Flag]:
    """List every combination of the flags except "none of them"."""
    chosen = product((False, True), repeat=len(flags))
    unions = [reduce(or_, compress(flags, row), Flag(0)) for row in chosen]
    return [union for union in unions if union]


def ambiguous(flags: Sequence[Flag], categories: Sequence[Category]) -> list[tuple[Flag, int]]:
    """List the combinations that fall into no category or into several, with how many.

    An empty list means that the categories are exclusive and complete.
    """
    taken = [
        (combined, sum(c.takes(combined) for c in categories)) for combined in combinations(flags)
    ]
    return [(combined, many) for combined, many in taken if many != 1]
