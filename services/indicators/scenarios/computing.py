"""A what-if computed: the answers under other settings, which setting did it, who stands on the border.

Pure arithmetic over frozen inputs; nothing is read or written. Settings are changed one at a time, all
schools evaluated each time, then in pairs and so on as far as the budget goes, until every school
whose answer differs has the smallest sets of settings that suffice for it.

Source: decision 0030; peers 2.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from services.indicators.algebra.attribution import Cause, causes
from services.indicators.algebra.borders import Borders
from services.indicators.algebra.rules import Integers
from services.indicators.identification.answering.borderline import borderline_schools
from services.indicators.identification.answering.evaluation import EXCLUDED, Findings, evaluate
from services.indicators.identification.answering.judging import Booleans
from services.indicators.identification.answering.outcomes import (
    ENTERED,
    LEFT,
    NONE,
    Outcomes,
    Words,
)
from services.indicators.identification.differences.mixing import narrowed
from services.indicators.identification.freezing.inputs import Inputs
from services.indicators.methodologies.changes import changed_settings, partly
from services.indicators.methodologies.document import Methodology

__all__ = ["Alone", "Computed", "Variants", "compute", "written"]

BUDGET = 40
"""Sets of settings tried for one scenario."""
GRADES = 13


@dataclass(frozen=True, slots=True)
class Alone:
    """What one changed setting does by itself: None where it cannot change alone."""

    entered: int | None
    left: int | None


@dataclass(frozen=True, slots=True)
class Computed:
    """The answers of a scenario beside the run's, in the order of the schools of the inputs."""

    before: Outcomes
    after: Outcomes
    unknown: Integers
    changes: Words
    settings: tuple[str, ...]
    alone: Mapping[str, Alone]
    causes: Mapping[int, Cause]
    """By position: of the schools whose answers differ."""
    borders: Borders
    is_reproduced: bool
    """Whether the run's own methodology still gives what the run has answered."""
    participants: Integers
    """People of the newest year that the rules look at; 0: nobody is counted."""


def written(methodology: Methodology) -> dict[str, Any]:
    """Give the whole document as plain values, with the fields that say nothing."""
    return methodology.model_dump(mode="json")


class Variants:
    """The frozen inputs under documents between two methodologies, each evaluated once.

    ``outcomes`` are the answers with all settings changed.
    """

    def __init__(
        self, inputs: Inputs, before: Methodology, after: Methodology, outcomes: Outcomes
    ) -> None:
        self._inputs = inputs
        self._before, self._after = written(before), written(after)
        self.settings = tuple(changed_settings(self._before, self._after))
        self._known: dict[frozenset[str], Outcomes | None] = {frozenset(self.settings): outcomes}

    def under(self, settings: frozenset[str]) -> Outcomes | None:
        """Answer with these settings changed; None where such a document would be contradictory."""
        if settings not in self._known:
            self._known[settings] = self._evaluated(settings)
        return self._known[settings]

    def _evaluated(self, settings: frozenset[str]) -> Outcomes | None:
        try:
            methodology = Methodology.model_validate(partly(self._before, self._after, settings))
            return Outcomes.of(evaluate(narrowed(self._inputs, methodology), methodology))
        except (ValidationError, LookupError):
            return None


def compute(
    inputs: Inputs, before: Methodology, after: Methodology, *, stored: Outcomes
) -> Computed:
    """Answer for every school under the other methodology, and say which settings made the difference.

    Args:
        inputs: The frozen inputs of the run; they can answer ``after`` (see `answerable`).
        before: The methodology of the run.
        after: The changed one.
        stored: What the run has answered, in the order of the schools of the inputs.
    """
    narrow = narrowed(inputs, after)
    findings = evaluate(narrow, after)
    outcomes = Outcomes.of(findings)
    changes = stored.changes(outcomes)
    variants = Variants(inputs, before, after, outcomes)
    own = variants.under(frozenset())
    return Computed(
        before=stored,
        after=outcomes,
        unknown=findings.unknown,
        changes=changes,
        settings=variants.settings,
        alone={setting: _alone(stored, variants, setting) for setting in variants.settings},
        causes=causes(
            variants.settings, _reaches(variants, outcomes, changes), changes != NONE, budget=BUDGET
        ),
        borders=_borders(findings, after),
        is_reproduced=own is not None and bool(stored.same(own).all()),
        participants=_participants(narrow, findings, after),
    )


def _reaches(
    variants: Variants, outcomes: Outcomes, changes: Words
) -> Callable[[frozenset[str]], Booleans | None]:
    def reached(settings: frozenset[str]) -> Booleans | None:
        tried = variants.under(settings)
        return None if tried is None else outcomes.reached(tried, changes)

    return reached


def _alone(stored: Outcomes, variants: Variants, setting: str) -> Alone:
    if (tried := variants.under(frozenset({setting}))) is None:
        return Alone(None, None)
    changes = stored.changes(tried)
    return Alone(int((changes == ENTERED).sum()), int((changes == LEFT).sum()))


def _borders(findings: Findings, methodology: Methodology) -> Borders:
    """Find whom one pupil decides; schools that the methodology leaves out have no flag to lose."""
    found = borderline_schools(
        findings.cells, findings.judged, methodology, schools=len(findings.flags)
    )
    concerned = np.array([state != EXCLUDED for state in findings.state], dtype=np.bool_)
    return Borders(found.lost_by_one_fewer & concerned, found.gained_by_one_more & concerned)


def _participants(inputs: Inputs, findings: Findings, methodology: Methodology) -> Integers:
    """Count the people of each school once: per grade, the largest procedure of the newest year."""
    newest = min(back for rule in methodology.rules for back in rule.years_back)
    grade = np.array([p.grade for p in inputs.procedures], dtype=np.int64)
    cells = findings.cells
    here = cells.years_back == newest
    grades: Sequence[Any] = grade[inputs.cells.procedure[findings.which[here]]]
    largest = np.zeros(len(inputs.schools) * GRADES, dtype=np.int64)
    np.maximum.at(largest, cells.school[here] * GRADES + grades, cells.n[here])
    return np.asarray(largest.reshape(len(inputs.schools), GRADES).sum(axis=1), dtype=np.int64)
