"""How sure it is that a share reaches the threshold: five classes, ordered.

Source: methodology B5, decision classes; the class "мало данных" is design 6.
"""

from enum import IntEnum
from fractions import Fraction

from services.indicators.algebra.exact import Exact
from services.indicators.algebra.intervals import Kind, cuts


class Certainty(IntEnum):
    """The classes in the order of growing certainty; the numbers are stored."""

    NONE = 0
    """Нет: even the upper end of the interval is below the threshold, or the rule cannot hold."""
    TOO_FEW = 1
    """Мало данных: too few participants for an automatic judgement."""
    NOT_EXCLUDED = 2
    """Не исключено: the share is below the threshold, the upper end is not."""
    POSSIBLE = 3
    """Возможно: the share reaches the threshold, the lower end does not."""
    CERTAIN = 4
    """Устойчиво: even the lower end of the interval reaches the threshold."""

    @property
    def code(self) -> str:
        """The stable machine code."""
        return self.name.lower()

    @property
    def title(self) -> str:
        """The word of the methodology, in Russian."""
        return _TITLES[self]


_TITLES = {
    Certainty.NONE: "нет",
    Certainty.TOO_FEW: "мало данных",
    Certainty.NOT_EXCLUDED: "не исключено",
    Certainty.POSSIBLE: "возможно",
    Certainty.CERTAIN: "устойчиво",
}


def certainty(
    low: int,
    n: int,
    *,
    threshold: Fraction,
    strict: bool,
    z: Exact,
    kind: Kind = "wilson",
    too_few: bool = False,
) -> Certainty:
    """Class one share; ``too_few`` says that the methodology trusts no share of this ``n``."""
    if n == 0:
        return Certainty.NONE
    limits = cuts(n, threshold=threshold, strict=strict, z=z, kind=kind)
    if low < limits.not_excluded:
        return Certainty.NONE
    if too_few:
        return Certainty.TOO_FEW
    if low < limits.possible:
        return Certainty.NOT_EXCLUDED
    return Certainty.CERTAIN if low >= limits.certain else Certainty.POSSIBLE
