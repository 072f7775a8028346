"""Which schools have a flag: yes, no or not known, for all schools at once.

Three-valued after Kleene: a fact that is not known makes a condition unknown, never false. What a
condition may say is written in `methodologies.conditions`; here it is answered from frozen facts:

- an attribute that is not applicable to the school answers no: the question does not concern it;
  one that was not submitted is unknown;
- an index is unknown for a school that has none (too much of it is missing);
- signs: yes when enough were found; no only when signs were looked for in every year asked about;
- a rule: yes when it holds (class "возможно" or surer), unknown when its data are incomplete;
- the mark in the school's card: unknown when nobody has said anything.

Source: methodology A4 (3, 4, 6), A5; decision 0027; that unknown stays unknown is design 6.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import ge, gt, le, lt
from typing import Self

import numpy as np

from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.rules import Answers
from services.indicators.algebra.values import State
from services.indicators.identification.answering.judging import Booleans
from services.indicators.identification.freezing.inputs import Inputs
from services.indicators.methodologies.conditions import (
    AllOf,
    AnyOf,
    AtLeastOf,
    AttributeCut,
    Condition,
    IndexCut,
    IndexShare,
    RuleHolds,
    SchoolMark,
    SignsCount,
)

__all__ = ["Known", "Ternary", "answer", "marked"]

_COMPARE: dict[str, Callable[[Decimal, Decimal], bool]] = {">=": ge, ">": gt, "<=": le, "<": lt}


@dataclass(frozen=True, slots=True)
class Ternary:
    """An answer for every school: ``yes``, ``no``, or neither, which is "not known"."""

    yes: Booleans
    no: Booleans

    @property
    def unknown(self) -> Booleans:
        """Where it is not known."""
        return ~(self.yes | self.no)

    @classmethod
    def of(cls, answers: Iterable[bool | None]) -> Self:
        """Make it of one answer per school; None is "not known"."""
        listed = list(answers)
        return cls(
            np.array([one is True for one in listed], dtype=np.bool_),
            np.array([one is False for one in listed], dtype=np.bool_),
        )

    def __and__(self, other: "Ternary") -> "Ternary":
        """Both."""
        return Ternary(self.yes & other.yes, self.no | other.no)

    def __or__(self, other: "Ternary") -> "Ternary":
        """One or both."""
        return Ternary(self.yes | other.yes, self.no & other.no)


@dataclass(frozen=True, slots=True)
class Known:
    """The facts that conditions ask: frozen inputs, indices by code, answers of the rules by code."""

    inputs: Inputs
    indices: Mapping[str, Sequence[Decimal | None]]
    rules: Mapping[str, int]
    answers: Answers
    is_concerned: Booleans
    """Schools that teach a grade of one of the procedures and that the methodology does not leave out."""


def answer(condition: Condition, known: Known) -> Ternary:  # noqa: PLR0911  one per kind of condition
    """Answer a condition for every school.

    Raises:
        LookupError: It names an attribute, an index or a rule that the run has not frozen.
    """
    match condition:
        case AnyOf():
            return reduce(Ternary.__or__, [answer(part, known) for part in condition.any])
        case AllOf():
            return reduce(Ternary.__and__, [answer(part, known) for part in condition.all])
        case AtLeastOf():
            return _at_least(condition.at_least, [answer(part, known) for part in condition.of])
        case SchoolMark():
            return marked(known.inputs)
        case IndexShare():
            return _lowest(condition, known.indices[condition.index])
        case IndexCut():
            border, compare = Decimal(condition.value), _COMPARE[condition.operator]
            values = known.indices[condition.index]
            return Ternary.of(None if v is None else compare(v, border) for v in values)
        case AttributeCut():
            return _attribute(condition, known.inputs)
        case SignsCount():
            return _signs(condition, known.inputs)
        case RuleHolds():
            return _rule(known.rules[condition.rule], known)


def marked(inputs: Inputs) -> Ternary:
    """Read the reasoned mark of adverse conditions; unknown where nobody has said anything."""
    return Ternary.of(school.adverse_conditions for school in inputs.schools)


def _at_least(wanted: int, parts: Sequence[Ternary]) -> Ternary:
    yes = sum(part.yes.astype(np.int64) for part in parts)
    possible = sum((~part.no).astype(np.int64) for part in parts)
    return Ternary(np.asarray(yes >= wanted), np.asarray(possible < wanted))


def _lowest(condition: IndexShare, values: Sequence[Decimal | None]) -> Ternary:
    """Compare with the value of rank ceil(share * N): every school that ties with it is in."""
    ranked = sorted(value for value in values if value is not None)
    if not ranked:
        return Ternary.of(None for _ in values)
    border = ranked[condition.rank(len(ranked)) - 1]
    return Ternary.of(None if value is None else value <= border for value in values)


def _attribute(condition: AttributeCut, inputs: Inputs) -> Ternary:
    border, compare = Decimal(condition.value), _COMPARE[condition.operator]
    column = inputs.attributes[condition.attribute].values
    return Ternary.of(
        compare(cell.value, border)
        if cell.value is not None
        else (False if cell.state is State.NOT_APPLICABLE else None)
        for cell in column
    )


def _signs(condition: SignsCount, inputs: Inputs) -> Ternary:
    wanted = condition.signs
    years = frozenset(inputs.year - back for back in range(1, wanted.years + 1))
    found = np.zeros(len(inputs.schools), dtype=np.int64)
    for sign in inputs.signs:
        if sign.year in years and (wanted.detectors is None or sign.detector in wanted.detectors):
            found[sign.school] += 1
    yes = found >= wanted.at_least
    asked = np.array([years <= asked for asked in inputs.asked_years], dtype=np.bool_)
    return Ternary(yes, ~yes & asked)


def _rule(row: int, known: Known) -> Ternary:
    yes = known.answers.certainty[row] >= Certainty.POSSIBLE
    return Ternary(yes, ~yes & (known.answers.answerable[row] | ~known.is_concerned))
