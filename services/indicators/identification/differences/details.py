"""What of a school is different in two runs, fact by fact: cells, card, profile, signs.

Facts only; which of them made the answer differ is found in `causes`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.indicators.algebra.values import State, Value
from services.indicators.identification.differences.causes import Side
from services.indicators.identification.differences.mixing import Mixture, mass_scales
from services.indicators.identification.freezing.considered import FrozenProcedure
from services.indicators.identification.freezing.corrections import Correction
from services.indicators.identification.freezing.inputs import Inputs, SchoolFacts

__all__ = ["CellChange", "SchoolChanges", "changes_of"]


@dataclass(frozen=True, slots=True)
class CellChange:
    """A cell with other numbers: (participants, low) before and after; None: there was no cell."""

    procedure: FrozenProcedure
    factor: str
    before: tuple[int, int] | None
    after: tuple[int, int] | None
    is_rescaled: bool
    correction: Correction | None
    """An accepted appeal that only the later run lays over the cell."""


@dataclass(frozen=True, slots=True)
class SchoolChanges:
    """Everything of one school in which two runs differ; texts are those of the facts."""

    cells: tuple[CellChange, ...]
    card: tuple[tuple[str, Any, Any], ...]
    attributes: tuple[tuple[str, str | None, str | None], ...]
    signs: tuple[int, int]


def changes_of(earlier: Side, later: Side, schools: Iterable[int]) -> dict[int, SchoolChanges]:
    """Compare what two runs know of these schools, by school id; both runs know them."""
    mixture = Mixture.of(earlier.inputs, earlier.methodology, later.inputs, later.methodology)
    rescaled = _rescaled(earlier.inputs, later.inputs)
    corrected = _corrected(earlier.inputs, later.inputs)
    before, after = _Known(earlier), _Known(later)
    return {
        school_id: SchoolChanges(
            cells=tuple(
                CellChange(
                    procedure=procedure,
                    factor=mixture.factor_of[procedure.procedure_id],
                    before=old,
                    after=new,
                    is_rescaled=procedure.procedure_id in rescaled,
                    correction=corrected.get((school_id, procedure.procedure_id)),
                )
                for procedure, old, new in _cells(before, after, school_id)
            ),
            card=tuple(_card(before.card(school_id), after.card(school_id))),
            attributes=tuple(_attributes(before, after, school_id)),
            signs=(before.signs.get(school_id, 0), after.signs.get(school_id, 0)),
        )
        for school_id in schools
    }


class _Known:
    """What one run knows, found by school."""

    def __init__(self, side: Side) -> None:
        self.inputs = side.inputs
        self._places = side.inputs.places
        self._low = side.inputs.cells.below(side.methodology.low_result.based_on)
        self.signs: dict[int, int] = {}
        for sign in side.inputs.signs:
            school_id = side.inputs.schools[sign.school].school_id
            self.signs[school_id] = self.signs.get(school_id, 0) + 1

    def card(self, school_id: int) -> SchoolFacts:
        return self.inputs.schools[self._places[school_id]]

    def cells(self, school_id: int) -> dict[int, tuple[int, int]]:
        """Give (participants, low) by procedure id; cells lie by school."""
        cells, place = self.inputs.cells, self._places[school_id]
        first, end = np.searchsorted(cells.school, [place, place + 1])
        return {
            self.inputs.procedures[procedure].procedure_id: (n, low)
            for procedure, n, low in zip(
                cells.procedure[first:end].tolist(),
                cells.n[first:end].tolist(),
                self._low[first:end].tolist(),
                strict=True,
            )
        }

    def attributes(self, school_id: int) -> Mapping[str, Value]:
        place = self._places[school_id]
        return {code: column.values[place] for code, column in self.inputs.attributes.items()}


def _cells(
    before: _Known, after: _Known, school_id: int
) -> Iterator[tuple[FrozenProcedure, tuple[int, int] | None, tuple[int, int] | None]]:
    old, new = before.cells(school_id), after.cells(school_id)
    known = {p.procedure_id: p for p in (*before.inputs.procedures, *after.inputs.procedures)}
    for procedure in sorted(known.values(), key=lambda p: p.natural_key):
        number = procedure.procedure_id
        if old.get(number) != new.get(number):
            yield procedure, old.get(number), new.get(number)


def _rescaled(earlier: Inputs, later: Inputs) -> set[int]:
    old = {p.procedure_id: mass_scales(p) for p in earlier.procedures}
    return {
        p.procedure_id
        for p in later.procedures
        if p.procedure_id in old and old[p.procedure_id] != mass_scales(p)
    }


def _corrected(earlier: Inputs, later: Inputs) -> dict[tuple[int, int], Correction]:
    known = {correction.id for correction in earlier.corrections}
    return {
        (correction.school_id, correction.procedure_id): correction
        for correction in later.corrections
        if correction.id not in known
    }


_CARD = ("kind", "stages", "adverse_conditions", "municipality_name")


def _card(old: SchoolFacts, new: SchoolFacts) -> Iterator[tuple[str, Any, Any]]:
    for name in _CARD:
        if getattr(old, name) != getattr(new, name):
            yield name, getattr(old, name), getattr(new, name)


def _attributes(
    before: _Known, after: _Known, school_id: int
) -> Iterator[tuple[str, str | None, str | None]]:
    old, new = before.attributes(school_id), after.attributes(school_id)
    for code in sorted(old.keys() | new.keys()):
        one, other = _told(old.get(code)), _told(new.get(code))
        if one != other:
            yield code, one, other


_STATES = {State.NOT_APPLICABLE: "неприменимо", State.NOT_SUBMITTED: "не подано"}


def _told(value: Value | None) -> str | None:
    if value is None:
        return None
    return _STATES[value.state] if value.value is None else format(value.value.normalize(), "f")
