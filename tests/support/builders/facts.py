"""A region as plain facts, in memory, and the frozen inputs that a run would make of them.

`Facts` is what a test changes: dictionaries of schools, procedures, cells, profiles and signs. It knows
nothing of positions and orders, which is what makes it an oracle for code that shuffles them.
"""

import copy
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from services.indicators.algebra.values import MISSING, State, Value
from services.indicators.identification.freezing.considered import FrozenProcedure
from services.indicators.identification.freezing.inputs import (
    AttributeColumn,
    FrozenCells,
    FrozenSign,
    Inputs,
    SchoolFacts,
    in_order,
)


@dataclass
class Facts:
    """A region, by ids."""

    year: int = 2025
    # id: kind, grade, year, minimum of both mass subjects.
    procedures: dict[int, tuple[str, int, int, int]] = field(default_factory=dict)
    # id: kind of school, mark of adverse conditions.
    schools: dict[int, tuple[str | None, bool | None]] = field(default_factory=dict)
    # (school, procedure): n, below Bmin, below the minimum.
    cells: dict[tuple[int, int], tuple[int, int, int]] = field(default_factory=dict)
    # attribute: school: number.
    attributes: dict[str, dict[int, int]] = field(default_factory=dict)
    # (school, year) of a sign.
    signs: set[tuple[int, int]] = field(default_factory=set)

    def copy(self) -> "Facts":
        return copy.deepcopy(self)

    def inputs(self, only: Collection[int] | None = None) -> Inputs:
        """Give them as a run freezes them, with all procedures or only these."""
        schools = tuple(
            SchoolFacts(
                school_id=number,
                municipality_id=1 + number % 3,
                code=f"{number:06}",
                name=f"Школа № {number}",
                municipality_name=f"Район {1 + number % 3}",
                kind=kind,
                stages=("noo", "ooo", "soo"),
                adverse_conditions=mark,
                adverse_reason="Социальный паспорт" if mark else None,
                adverse_source=None,
            )
            for number, (kind, mark) in sorted(self.schools.items())
        )
        known = [
            _procedure(number, *what)
            for number, what in self.procedures.items()
            if only is None or number in only
        ]
        procedures = tuple(sorted(known, key=lambda procedure: procedure.natural_key))
        named = {procedure.procedure_id for procedure in procedures}
        cells = [
            (*where, *numbers)
            for where, numbers in self.cells.items()
            if where[0] in self.schools and where[1] in named
        ]
        columns = np.array(cells, dtype=np.int64).reshape(len(cells), 5).T
        places = {school.school_id: place for place, school in enumerate(schools)}
        return Inputs(
            year=self.year,
            procedures=procedures,
            schools=schools,
            cells=FrozenCells(
                *in_order(
                    columns[0], columns[1], columns[2:], schools=schools, procedures=procedures
                )
            ),
            attributes={code: _column(found, places) for code, found in self.attributes.items()},
            signs=tuple(
                FrozenSign(1, places[school], year, "border_peak", None, None, None)
                for school, year in sorted(self.signs)
                if school in places
            ),
            asked_years=tuple(frozenset({2022, 2023, 2024, 2025}) for _ in schools),
            corrections=(),
        )


def _column(found: dict[int, int], places: dict[int, int]) -> AttributeColumn:
    values = tuple(
        Value(State.VALUE, Decimal(found[school])) if school in found else MISSING
        for school in places
    )
    return AttributeColumn(values, tuple(None for _ in places))


def _procedure(number: int, kind: str, grade: int, year: int, minimum: int) -> FrozenProcedure:
    scales: list[dict[str, Any]] = [
        {
            "position": position,
            "subject": subject,
            "title": subject,
            "minimum": str(minimum),
            "maximum": "30",
            "top": "25",
            "margin_share": "1/20",
            "bmin": str(minimum + 1),
            "bmid": "20",
            "is_mass": True,
        }
        for position, subject in enumerate(("rus", "mat"))
    ]
    return FrozenProcedure(number, kind, grade, year, f"{kind} {grade}", 1, 3, scales)
