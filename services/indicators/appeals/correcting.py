"""The frozen inputs of a run with one cell replaced; the inputs themselves stay as they are."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from services.indicators.algebra.rules import Integers
from services.indicators.algebra.values import State, Value
from services.indicators.identification.freezing.inputs import FrozenCells, Inputs

__all__ = ["corrected_inputs"]


def corrected_inputs(inputs: Inputs, school_id: int, cell: Mapping[str, Any]) -> Inputs:
    """Give the inputs in which this cell of the school is as told.

    Args:
        inputs: The frozen inputs of a run.
        school_id: A school of the run.
        cell: The cell with its value, as `Appeal.claimed` and `Appeal.corrected` hold it.

    Raises:
        KeyError: The run has no such school, or was not asked for such a cell.
    """
    place = inputs.places[school_id]
    match cell["kind"]:
        case "result":
            procedures = {p.procedure_id: row for row, p in enumerate(inputs.procedures)}
            cells = _with_result(inputs.cells, place, procedures[cell["procedure_id"]], cell)
            return replace(inputs, cells=cells)
        case "attribute":
            code = cell["attribute"]
            column = inputs.attributes[code]
            value = _value(cell["state"], cell["value"])
            values = (*column.values[:place], value, *column.values[place + 1 :])
            return replace(
                inputs, attributes={**inputs.attributes, code: replace(column, values=values)}
            )
        case "mark":
            schools = list(inputs.schools)
            schools[place] = replace(schools[place], adverse_conditions=cell["adverse_conditions"])
            return replace(inputs, schools=tuple(schools))
        case "sign":
            signs = tuple(sign for sign in inputs.signs if sign.id != cell["sign_id"])
            return replace(inputs, signs=signs)
        case unknown:
            raise KeyError(unknown)


def _value(state: str, value: str | None) -> Value:
    return Value(State(state), None if value is None else Decimal(value))


def _with_result(
    cells: FrozenCells, school: int, procedure: int, cell: Mapping[str, Any]
) -> FrozenCells:
    """Replace, add or (nobody took part) take away one cell; the order of cells stays theirs."""
    others = ~((cells.school == school) & (cells.procedure == procedure))
    # The first cell that comes after it, by school and procedure.
    before = (cells.school < school) | ((cells.school == school) & (cells.procedure < procedure))
    at = int(np.count_nonzero(before & others))
    has_people = cell["n"] > 0

    def column(values: Integers, number: int) -> Integers:
        kept = values[others]
        return np.insert(kept, at, number) if has_people else kept

    return FrozenCells(
        school=column(cells.school, school),
        procedure=column(cells.procedure, procedure),
        n=column(cells.n, cell["n"]),
        low=None if cells.low is None else column(cells.low, cell["low"]),
        failed=None if cells.failed is None else column(cells.failed, cell["failed"]),
    )
