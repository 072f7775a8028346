"""Rules over procedures and years, answered once for all classes of certainty.

A rule says: in each of these years, low in at least so many procedures. It holds with a given
certainty when it holds counting only the procedures that are low with that certainty or more.
Hence its certainty is the smallest, over its years, of the N-th largest certainty of the year; and
the certainty of a school is the largest over its rules, for one rule is enough.

Source: methodology A4 (1) and B1: low in two or more procedures of the previous year, or in one or
more of each of the two previous years.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.indicators.algebra.certainty import Certainty

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rule:
    """In each of ``years_back`` (1 is the year before), low in at least ``at_least`` procedures."""

    code: str
    years_back: tuple[int, ...]
    at_least: int


def rule_certainty(rule: Rule, found: Mapping[int, Sequence[Certainty]]) -> Certainty:
    """Answer one rule for one school from the certainties found in each year back."""
    return min(_nth_largest(found.get(back, ()), rule.at_least) for back in rule.years_back)


def rule_can_be_answered(rule: Rule, found: Mapping[int, Sequence[Certainty]]) -> bool:
    """Say whether every year of the rule has enough procedures with data to fulfil it.

    A year without data is not a year without low results.
    """
    return all(len(found.get(back, ())) >= rule.at_least for back in rule.years_back)


def school_certainty(rules: Iterable[Rule], found: Mapping[int, Sequence[Certainty]]) -> Certainty:
    """Answer all rules for one school: one rule that holds is enough."""
    return max((rule_certainty(rule, found) for rule in rules), default=Certainty.NONE)


def _nth_largest(found: Sequence[Certainty], nth: int) -> Certainty:
    return sorted(found, reverse=True)[nth - 1] if len(found) >= nth else Certainty.NONE


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of all rules for all schools: one row per rule, one column per school."""

    certainty: Integers
    answerable: npt.NDArray[np.bool_]


def answer_all(
    rules: Sequence[Rule], *, schools: int, school: Integers, years_back: Integers, found: Integers
) -> Answers:
    """Answer every rule for every school at once; the same law as `rule_certainty`.

    ``school`` is the position of the school (0 up to ``schools``) of each procedure with data,
    ``years_back`` its year, ``found`` its certainty.
    """
    known_years = sorted({back for rule in rules for back in rule.years_back})
    # at_or_above[year][c][school]: procedures of the year whose certainty is c or more
    at_or_above = {
        back: _counts(schools, school[years_back == back], found[years_back == back])
        for back in known_years
    }
    answers = np.zeros((len(rules), schools), dtype=np.int64)
    answerable = np.ones((len(rules), schools), dtype=np.bool_)
    for row, rule in enumerate(rules):
        weakest = np.full(schools, max(Certainty), dtype=np.int64)
        for back in rule.years_back:
            enough = at_or_above[back] >= rule.at_least
            # Certainties are nested, so the number of fulfilled classes is the class itself.
            weakest = np.minimum(weakest, enough[1:].sum(axis=0))
            answerable[row] &= enough[0]
        answers[row] = weakest
    return Answers(certainty=answers, answerable=answerable)


def _counts(schools: int, school: Integers, found: Integers) -> Integers:
    classes = len(Certainty)
    each = np.bincount(found * schools + school, minlength=classes * schools)
    return each.reshape(classes, schools)[::-1].cumsum(axis=0)[::-1]
