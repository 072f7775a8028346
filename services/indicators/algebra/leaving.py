"""Leaving the list by rule: years without low results, then years of watch, told year by year.

Pure arithmetic over the published lists of a school in the order of their years. A year without data, or
without a published list, is neither a good year nor a bad one: it is not counted and breaks nothing. A
year in which low results are not shown but cannot be excluded as far as the rule asks breaks the row of
good years: improvement has to be shown.

Source: peers 36 (consecutive reliable years, watch period, relapse); the numbers are settings.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from services.indicators.algebra.certainty import Certainty

__all__ = ["Stage", "Step", "YearAnswer", "follow", "year_is_clear"]


class YearAnswer(StrEnum):
    """What a published list says of the low results of a school in its year."""

    LOW = "low"
    """The rule of low results holds."""
    CLEAR = "clear"
    """It does not, as surely as the rule of leaving asks."""
    UNPROVEN = "unproven"
    """It does not, but less surely than that."""
    UNKNOWN = "unknown"
    """There are too few data or none, the school is not in the run, or no list was published."""


class Stage(StrEnum):
    """Where a school is on the way through the list, after a year."""

    OUTSIDE = "outside"
    """It is not in the list and not watched."""
    ENTERS = "enters"
    """Low results for the first time, or anew after it had left."""
    STAYS = "stays"
    """In the list; the years without low results do not suffice yet."""
    WATCH = "watch"
    """The years suffice; it is watched."""
    EXITS = "exits"
    """The years suffice and the watch is over."""
    RETURNS = "returns"
    """Low results while it was watched."""


@dataclass(frozen=True, slots=True)
class Step:
    """One year of a school: what the list said and where the school is after it."""

    year: int
    answer: YearAnswer
    stage: Stage
    clear_years: int
    """Years without low results in a row, those without data not counted."""
    watch_year: int
    """Which year of the watch it is, from 1; 0: it is not watched."""


_OUTSIDE = (Stage.OUTSIDE, Stage.EXITS)


def year_is_clear(
    *, is_assessed: bool, is_low: bool, certainty: Certainty, at_most: Certainty
) -> YearAnswer:
    """Say what a list's answer for a school means for leaving.

    "Мало данных" never counts as a year without low results: it says nothing.
    """
    if is_low:
        return YearAnswer.LOW
    if not is_assessed or certainty is Certainty.TOO_FEW:
        return YearAnswer.UNKNOWN
    return YearAnswer.CLEAR if certainty <= at_most else YearAnswer.UNPROVEN


def follow(
    years: Sequence[tuple[int, YearAnswer]], *, clear_years: int, watch_years: int
) -> list[Step]:
    """Follow a school through the years, oldest first; a year is told once.

    The watch begins with the year that completes the years without low results; a year without data
    does not count as watched.

    Raises:
        ValueError: The years do not grow.
    """
    if any(later <= earlier for (earlier, _), (later, _) in pairwise(years)):
        raise ValueError("Years have to grow")
    steps: list[Step] = []
    before = Step(0, YearAnswer.UNKNOWN, Stage.OUTSIDE, 0, 0)
    for year, answer in years:
        before = _next(before, year, answer, clear_years, watch_years)
        steps.append(before)
    return steps


def _next(before: Step, year: int, answer: YearAnswer, wanted: int, watched: int) -> Step:
    now = replace(before, year=year, answer=answer)
    if answer is YearAnswer.LOW:
        return replace(now, stage=_after_low(before.stage), clear_years=0, watch_year=0)
    if before.stage in _OUTSIDE:
        return replace(now, stage=Stage.OUTSIDE, clear_years=0, watch_year=0)
    if before.stage is Stage.WATCH:
        return _watched(before, now, watched)
    return _listed(before, now, wanted, watched)


def _after_low(stage: Stage) -> Stage:
    if stage in _OUTSIDE:
        return Stage.ENTERS
    return Stage.RETURNS if stage is Stage.WATCH else Stage.STAYS


def _listed(before: Step, now: Step, wanted: int, watched: int) -> Step:
    counted = {YearAnswer.UNPROVEN: 0, YearAnswer.CLEAR: before.clear_years + 1}
    clear = counted.get(now.answer, before.clear_years)
    if clear < wanted:
        return replace(now, stage=Stage.STAYS, clear_years=clear)
    stage = Stage.WATCH if watched else Stage.EXITS
    return replace(now, stage=stage, clear_years=clear, watch_year=1 if watched else 0)


def _watched(before: Step, now: Step, watched: int) -> Step:
    # Not shown and not excluded: no relapse, but not a year of good watch either.
    if now.answer is not YearAnswer.CLEAR:
        return now
    clear = before.clear_years + 1
    if before.watch_year >= watched:
        return replace(now, stage=Stage.EXITS, clear_years=clear, watch_year=0)
    return replace(now, stage=Stage.WATCH, clear_years=clear, watch_year=before.watch_year + 1)
