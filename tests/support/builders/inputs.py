"""Frozen inputs of a run made of a few rows, for tests of the arithmetic that need no database."""

from collections.abc import Iterable, Mapping, Sequence
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
)

KINDS = ("ege", "oge", "vpr")
"""The kinds of the series 0, 1 and 2 of `inputs_of`; all of grade 9."""
SCALES = [
    {
        "position": 0, "subject": "rus", "title": "Русский язык", "minimum": "8", "maximum": "31",
        "top": "22", "margin_share": "1/20", "bmin": "191/20", "bmid": "631/40", "is_mass": True,
    }
]  # fmt: skip


def schools_of(
    many: int,
    *,
    adverse: Iterable[int] = (),
    unmarked: Iterable[int] = (),
    excluded: Iterable[int] = (),
    inapplicable: Iterable[int] = (),
) -> tuple[SchoolFacts, ...]:
    """Give schools 0, 1, ...: marked as not adverse unless said otherwise; evening ones are excluded."""
    adverse, unmarked = set(adverse), set(unmarked)
    excluded, inapplicable = set(excluded), set(inapplicable)
    return tuple(
        SchoolFacts(
            school_id=1000 - number,
            municipality_id=1,
            code=f"67{number:04}",
            name=f"Школа № {number}",
            municipality_name="Велижский",
            kind="evening" if number in excluded else "sosh",
            stages=("noo",) if number in inapplicable else ("noo", "ooo", "soo"),
            adverse_conditions=None if number in unmarked else number in adverse,
            adverse_reason="Социальный паспорт" if number in adverse else None,
            adverse_source=None,
        )
        for number in range(many)
    )


def inputs_of(
    rows: Sequence[Sequence[int]],
    schools: tuple[SchoolFacts, ...],
    *,
    year: int = 2025,
    otherwise: int | None = 0,
    attributes: Mapping[str, Sequence[Any]] | None = None,
    signs: Sequence[tuple[int, int, str]] = (),
    asked: Mapping[int, Iterable[int]] | None = None,
    scales: Mapping[int, list[dict[str, Any]]] | None = None,
) -> Inputs:
    """Make inputs of rows (school, series, years back, n, people below the minimum).

    ``otherwise`` people are below Bmin everywhere; ``attributes`` are numbers, None for not submitted
    or "n/a"; ``signs`` are (school, year, detector); ``scales`` replace those of a year.
    """
    named = sorted({(year - back, KINDS[series]) for _, series, back, _, _ in rows})
    place = {key: number for number, key in enumerate(named)}
    procedures = tuple(
        FrozenProcedure(
            procedure_id=500 - number, kind=kind, grade=9, year=of_year, title=f"{kind} {of_year}",
            rollup_revision=1, mass_mask=1, scales=(scales or {}).get(of_year, SCALES),
        )
        for number, (of_year, kind) in enumerate(named)
    )  # fmt: skip
    cells = sorted(
        (school, place[year - back, KINDS[series]], n, failed)
        for school, series, back, n, failed in rows
    )
    table = np.array(cells, dtype=np.int64).reshape(-1, 4)
    low = None if otherwise is None else np.full(len(table), otherwise, dtype=np.int64)
    return Inputs(
        year=year,
        procedures=procedures,
        schools=schools,
        cells=FrozenCells(table[:, 0], table[:, 1], table[:, 2], low=low, failed=table[:, 3]),
        attributes={
            code: AttributeColumn(tuple(map(_value, column)), (None,) * len(schools))
            for code, column in (attributes or {}).items()
        },
        signs=tuple(
            FrozenSign(number, school, of_year, detector, None, None, None)
            for number, (school, of_year, detector) in enumerate(sorted(signs))
        ),
        asked_years=tuple(frozenset((asked or {}).get(n, ())) for n in range(len(schools))),
        corrections=(),
    )


def _value(told: Any) -> Value:
    if told is None:
        return MISSING
    if told == "n/a":
        return Value(State.NOT_APPLICABLE)
    return Value(State.VALUE, Decimal(str(told)))
