"""How far two lists of the same schools agree: overlap, Cohen's kappa and Jaccard's index, exact.

Kappa leaves out the agreement that two lists of these lengths would have by chance; Jaccard's index
looks at listed schools only. Both are rationals: they are shown rounded and compared unrounded.

Source: J. Cohen, A coefficient of agreement for nominal scales (1960); P. Jaccard (1901).
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Agreement:
    """Numbers of schools: listed by both, by the first or second only, by none of the two."""

    both: int
    first_only: int
    second_only: int
    neither: int

    @property
    def n(self) -> int:
        """How many schools both lists were made of."""
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def kappa(self) -> Fraction | None:
        """Cohen's kappa, from -1 to 1; None where chance alone must agree (nobody or all listed)."""
        if not self.n:
            return None
        first, second = self.both + self.first_only, self.both + self.second_only
        by_chance = Fraction(first * second + (self.n - first) * (self.n - second), self.n * self.n)
        if by_chance == 1:
            return None
        return (Fraction(self.both + self.neither, self.n) - by_chance) / (1 - by_chance)

    @property
    def jaccard(self) -> Fraction | None:
        """Listed by both among listed by any, from 0 to 1; None where nobody is listed."""
        either = self.both + self.first_only + self.second_only
        return Fraction(self.both, either) if either else None


def agreement(
    known: AbstractSet[int], first: AbstractSet[int], second: AbstractSet[int]
) -> Agreement:
    """Compare two lists over the schools that both knew; others could not be listed by one."""
    here, there = first & known, second & known
    both = len(here & there)
    return Agreement(
        both=both,
        first_only=len(here) - both,
        second_only=len(there) - both,
        neither=len(known) - len(here | there),
    )
