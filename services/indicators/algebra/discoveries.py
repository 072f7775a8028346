"""Control of false alarms when the same question is asked of many schools.

Asked of a thousand schools at five per cent, an honest region would answer fifty times "yes". The
adjusted probability of a school is the smallest level at which it would still be among the found ones.
Source: methodology B4 (p-values with control over many schools); Benjamini and Hochberg 1995: of all
signs the expected share of false ones is at most the level; Holm 1979: the chance of even one is.
"""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from enum import StrEnum

from services.indicators.algebra.tails import PRECISE, probability

__all__ = ["Control", "adjusted"]


class Control(StrEnum):
    """What is kept small over the schools that one question is asked of."""

    BENJAMINI_HOCHBERG = "benjamini_hochberg"
    """The expected share of false ones among the signs."""
    HOLM = "holm"
    """The chance of even one false sign: stricter, finds fewer."""


def adjusted(values: Sequence[Decimal], control: Control) -> list[Decimal]:
    """Adjust the probabilities of one family, in the order they came in.

    Equal probabilities get equal answers, whatever their order.
    """
    order = sorted(range(len(values)), key=lambda place: values[place])
    many = len(values)
    out = [Decimal(1)] * many
    with localcontext(PRECISE):
        if control is Control.BENJAMINI_HOCHBERG:
            least = Decimal(1)
            for rank in range(many, 0, -1):
                least = min(least, values[order[rank - 1]] * many / rank)
                out[order[rank - 1]] = least
        else:
            most = Decimal(0)
            for rank, place in enumerate(order):
                most = max(most, min(Decimal(1), values[place] * (many - rank)))
                out[place] = most
        # Rounding must not put the adjusted below what it adjusts.
        return [max(value, probability(told)) for value, told in zip(values, out, strict=True)]
