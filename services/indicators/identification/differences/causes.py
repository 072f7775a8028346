"""Why two runs say different things of a school: the change that suffices by itself, found by trial.

Every factor by which the runs differ (see `mixing`) is applied alone to the earlier inputs, and the
whole region is evaluated again; then every two, and so on until each school has the later answer.
Where one factor suffices, it is looked into the same way: which setting of the methodology, the
results of which procedure. What is named as sufficient has therefore been tried and did suffice.

A school that only one of the runs knows differs by that: nothing is evaluated for it.

Where an answer cannot depend on other schools (no indices, no shrinkage), only the schools that differ are
evaluated again; the price is then that of the difference, not of the region.

Source: decision 0030; peers 6 ("why has the school dropped out since March").
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import numpy as np
from pydantic import ValidationError

from services.indicators.algebra.attribution import Cause, causes
from services.indicators.algebra.rules import Integers
from services.indicators.identification.answering.evaluation import evaluate
from services.indicators.identification.answering.judging import Booleans
from services.indicators.identification.answering.outcomes import NONE, Outcomes
from services.indicators.identification.differences.mixing import (
    FACTORS,
    Mixture,
    depends_on_others,
    narrowed,
    of_schools,
)
from services.indicators.identification.freezing.inputs import Inputs
from services.indicators.methodologies.changes import changed_settings, partly
from services.indicators.methodologies.document import Methodology

__all__ = ["Attribution", "Attributions", "Side", "answers", "attribute", "changed_rules"]

BUDGET = 62
"""Every set of the six factors but none and all."""
INNER_BUDGET = 40
"""Sets of settings, or of procedures, tried within one factor."""
MANY_SCHOOLS = 5000
"""Where every set asks for all of so many schools again, factors are not looked into."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs: its frozen inputs and its methodology."""

    inputs: Inputs
    methodology: Methodology


@dataclass(frozen=True, slots=True)
class Attribution:
    """Why one school's answer differs.

    ``cause`` holds sets of factors. ``inner`` tells of a factor that suffices alone which settings or
    procedures of it do: "rule" names settings, "data" and "scale" procedures (their ids as texts).
    """

    change: str
    cause: Cause
    inner: Mapping[str, Cause] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attributions:
    """The difference of two runs: which factors differ, and why each school's answer does."""

    factors: tuple[str, ...]
    settings: tuple[str, ...]
    by_school: Mapping[int, Attribution]
    """By school id: those whose answers differ and that both runs know."""


def answers(inputs: Inputs, methodology: Methodology) -> Outcomes:
    """Answer for the schools of these inputs under this methodology, in their order."""
    return Outcomes.of(evaluate(narrowed(inputs, methodology), methodology))


def changed_rules(before: Methodology, after: Methodology) -> list[str]:
    """Name the settings that differ between two methodologies."""
    return changed_settings(_written(before), _written(after))


def attribute(earlier: Side, later: Side) -> Attributions:
    """Find for every school whose answer differs the smallest changes that suffice for it."""
    whole = _Comparison(earlier, later)
    differing = whole.differing()
    if any(depends_on_others(side.methodology) for side in (earlier, later)):
        return whole.attributions()
    return _Comparison(_only(earlier, differing), _only(later, differing)).attributions()


def _only(side: Side, schools: AbstractSet[int]) -> Side:
    return Side(of_schools(side.inputs, schools), side.methodology)


def _written(methodology: Methodology) -> dict[str, object]:
    return methodology.model_dump(mode="json")


class _Comparison:
    """Two runs, evaluated under any mixture of their inputs; every mixture once."""

    def __init__(self, earlier: Side, later: Side) -> None:
        self._earlier, self._later = earlier, later
        self._mixture = Mixture.of(
            earlier.inputs, earlier.methodology, later.inputs, later.methodology
        )
        self._before, self._after = _written(earlier.methodology), _written(later.methodology)
        self._settings = changed_settings(self._before, self._after)
        ids = sorted(earlier.inputs.places.keys() | later.inputs.places.keys())
        self._place = {school_id: place for place, school_id in enumerate(ids)}
        self._ids = ids
        self._old = self._laid(earlier.inputs, earlier.methodology)
        self._new = self._laid(later.inputs, later.methodology)
        self._changes = self._old.changes(self._new)
        self._changes[~(self._old.is_known & self._new.is_known)] = NONE

    def differing(self) -> set[int]:
        """Give the schools that both runs know and that have different answers."""
        return {self._ids[place] for place in np.flatnonzero(self._changes != NONE)}

    def attributions(self) -> Attributions:
        """Try the factors, then look into those that suffice alone."""
        factors = [factor for factor in FACTORS if self._differs(factor)]
        wanted = self._changes != NONE
        found = causes(factors, self._factors_reach, wanted, budget=BUDGET)
        inner = {
            "rule": self._inner("rule", found, self._settings, self._settings_reach),
            **{
                factor: self._inner(factor, found, self._procedures(factor), self._procedures_reach)
                for factor in ("data", "scale")
            },
        }
        return Attributions(
            factors=tuple(factors),
            settings=tuple(self._settings),
            by_school={
                self._ids[place]: Attribution(
                    str(self._changes[place]),
                    cause,
                    {f: inner[f][place] for f in inner if place in inner[f]},
                )
                for place, cause in sorted(found.items())
            },
        )

    def _laid(self, inputs: Inputs, methodology: Methodology) -> Outcomes:
        places = np.array([self._place[s.school_id] for s in inputs.schools], dtype=np.int64)
        return answers(inputs, methodology).placed(places, len(self._place))

    def _reached(self, inputs: Inputs, methodology: Methodology) -> Booleans | None:
        if not set(methodology.attributes()) <= inputs.attributes.keys():
            return None
        try:
            tried = self._laid(inputs, methodology)
        except LookupError:
            return None
        return self._new.reached(tried, self._changes)

    def _factors_reach(self, taken: frozenset[str]) -> Booleans | None:
        methodology = (self._later if "rule" in taken else self._earlier).methodology
        return self._reached(self._mixture.inputs(taken), methodology)

    def _settings_reach(self, taken: frozenset[str]) -> Booleans | None:
        try:
            methodology = Methodology.model_validate(partly(self._before, self._after, taken))
        except ValidationError:
            return None
        inputs = self._mixture.inputs(frozenset(), self._cells_of_rules("/procedures" in taken))
        return self._reached(inputs, methodology)

    def _procedures_reach(self, taken: frozenset[str]) -> Booleans | None:
        inputs = self._mixture.inputs(frozenset(), {int(number) for number in taken})
        return self._reached(inputs, self._earlier.methodology)

    def _cells_of_rules(self, with_subjects: bool) -> set[int]:
        """Give the procedures whose later cells stand ready for a partly changed methodology.

        Those that only the later run considers always; those whose mass subjects changed only with
        the setting that names the subjects. A methodology leaves out what it does not consider.
        """
        old = {p.procedure_id for p in self._earlier.inputs.procedures}
        return {
            procedure_id
            for procedure_id, factor in self._mixture.factor_of.items()
            if factor == "rule" and (with_subjects or procedure_id not in old)
        }

    def _inner(
        self,
        factor: str,
        found: Mapping[int, Cause],
        parts: Sequence[str],
        reaches: Callable[[frozenset[str]], Booleans | None],
    ) -> dict[int, Cause]:
        wanted = np.zeros(len(self._ids), dtype=np.bool_)
        for place, cause in found.items():
            wanted[place] = factor in cause.single
        if not parts or not wanted.any():
            return {}
        is_long = len(self._ids) > MANY_SCHOOLS and any(
            depends_on_others(side.methodology) for side in (self._earlier, self._later)
        )
        return causes(parts, reaches, wanted, budget=0 if is_long else INNER_BUDGET)

    def _procedures(self, factor: str) -> list[str]:
        """List the procedures of a factor whose cells differ; none where the year of the list does."""
        if self._earlier.inputs.year != self._later.inputs.year:
            return []
        named = {
            p.procedure_id: p.natural_key
            for side in (self._earlier, self._later)
            for p in side.inputs.procedures
            if self._mixture.factor_of[p.procedure_id] == factor
        }
        differing = self._differing_procedures()
        return [
            str(number) for number in sorted(named, key=named.__getitem__) if number in differing
        ]

    def _differs(self, factor: str) -> bool:
        old, new = self._earlier.inputs, self._later.inputs
        match factor:
            case "data":
                return old.year != new.year or self._has_differing("data")
            case "scale":
                return "scale" in self._mixture.factor_of.values()
            case "rule":
                return bool(self._settings) or "rule" in self._mixture.factor_of.values()
            case "school":
                return _cards(old) != _cards(new)
            case "context":
                return _profiles(old) != _profiles(new)
            case _:
                return _signs(old) != _signs(new)

    def _has_differing(self, factor: str) -> bool:
        return any(
            self._mixture.factor_of[number] == factor for number in self._differing_procedures()
        )

    def _differing_procedures(self) -> set[int]:
        """Give the procedures in which some school has other numbers, whoever took part."""
        old, new = (_cells(side.inputs, self._place) for side in (self._earlier, self._later))
        return {
            procedure_id
            for procedure_id in self._mixture.factor_of
            if not _equal(old.get(procedure_id), new.get(procedure_id))
        }


_Columns = tuple[Integers, ...]


def _cells(inputs: Inputs, place: Mapping[int, int]) -> dict[int, _Columns]:
    """Give the cells of each procedure in the order of the places of their schools."""
    cells = inputs.cells
    to_place = np.array([place[s.school_id] for s in inputs.schools], dtype=np.int64)
    found: dict[int, _Columns] = {}
    for position, procedure in enumerate(inputs.procedures):
        here = np.flatnonzero(cells.procedure == position)
        schools = to_place[cells.school[here]]
        order = np.argsort(schools)
        kept = [column for column in (cells.n, cells.low, cells.failed) if column is not None]
        found[procedure.procedure_id] = (
            schools[order],
            *(column[here][order] for column in kept),
        )
    return found


def _equal(one: _Columns | None, other: _Columns | None) -> bool:
    if one is None or other is None or len(one) != len(other):
        return False
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def _cards(inputs: Inputs) -> dict[int, tuple[object, ...]]:
    return {
        s.school_id: (s.kind, s.stages, s.adverse_conditions, s.municipality_id)
        for s in inputs.schools
    }


def _profiles(inputs: Inputs) -> dict[str, dict[int, object]]:
    return {
        code: {
            school.school_id: value
            for school, value in zip(inputs.schools, column.values, strict=True)
        }
        for code, column in inputs.attributes.items()
    }


def _signs(inputs: Inputs) -> tuple[object, ...]:
    told = [
        (inputs.schools[s.school].school_id, s.year, s.detector, s.procedure or "", s.subject or "")
        for s in inputs.signs
    ]
    asked = {
        school.school_id: years
        for school, years in zip(inputs.schools, inputs.asked_years, strict=True)
    }
    return sorted(told), asked
