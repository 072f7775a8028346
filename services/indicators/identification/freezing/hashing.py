"""Hashes of a run: of everything its answers follow from, and part by part of each school.

Everything is named by natural keys and stands in their order, so that the same facts give the same hash
in any database, whatever the ids, the order of rows, the locale or the time zone. Imports and row
numbers are not in it: another file with the same results is the same input. What a run did not know
(no attributes, no signs) is left out altogether.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from services.indicators.algebra.values import Value
from services.indicators.identification.freezing.considered import FrozenProcedure
from services.indicators.identification.freezing.inputs import FrozenSign, Inputs, SchoolFacts

__all__ = ["PARTS", "digest", "input_hash", "procedure_hash", "school_hashes"]

PARTS = ("card", "cells", "context")
"""The parts of a school that are hashed by themselves, in the order of `RunSchool.facts_hashes`."""


# Made once: thousands of small values are written for every run.
_written = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def digest(content: Any) -> str:
    """Hash plain JSON values, independent of the order of keys."""
    return hashlib.sha256(_written(content).encode()).hexdigest()


def input_hash(inputs: Inputs, *, header: Mapping[str, Any], based_on: str) -> str:
    """Hash everything the answers follow from; ``header`` names the year and the methodology."""
    cells = inputs.cells
    kinds = sorted({(p.kind, p.grade) for p in inputs.procedures})
    series = np.array([kinds.index((p.kind, p.grade)) for p in inputs.procedures], dtype=np.int64)
    back = np.array([inputs.year - p.year for p in inputs.procedures], dtype=np.int64)
    numbers = [
        cells.school,
        series[cells.procedure],
        back[cells.procedure],
        cells.n,
        cells.below(based_on),
    ]
    otherwise = cells.failed if based_on == "bmin" else cells.low
    content = {
        **header,
        "procedures": [_procedure(procedure) for procedure in inputs.procedures],
        "schools": [_card(school) for school in inputs.schools],
        "cells": hashlib.sha256(np.stack(numbers).astype("<i8").tobytes()).hexdigest(),
        "otherwise": None
        if otherwise is None
        else hashlib.sha256(otherwise.astype("<i8").tobytes()).hexdigest(),
        "attributes": {
            code: [
                [*_value(value), source]
                for value, source in zip(column.values, column.sources, strict=True)
            ]
            for code, column in inputs.attributes.items()
        },
        "signs": [_sign(sign) for sign in inputs.signs],
        "asked": [sorted(years) for years in inputs.asked_years] if any(inputs.asked_years) else [],
        "corrections": _corrections(inputs),
    }
    return digest({name: told for name, told in content.items() if told not in (None, [], {})})


def procedure_hash(procedure: FrozenProcedure) -> str:
    """Hash what the answers take from a procedure."""
    return digest(_procedure(procedure))


def school_hashes(inputs: Inputs) -> Iterator[tuple[str, str, str]]:
    """Hash each school part by part (`PARTS`), in the order of the schools."""
    cells = inputs.cells
    # A number that was not kept hashes as -1, which no count is.
    missing = np.full(len(cells.n), -1, dtype=np.int64)
    table = np.stack(
        [
            cells.procedure,
            cells.n,
            missing if cells.low is None else cells.low,
            missing if cells.failed is None else cells.failed,
        ],
        axis=1,
    ).astype("<i8")
    ends = np.searchsorted(cells.school, np.arange(len(inputs.schools) + 1))
    signs: dict[int, list[Any]] = {}
    for sign in inputs.signs:
        signs.setdefault(sign.school, []).append(_sign(sign))
    is_without = not (inputs.attributes or signs or any(inputs.asked_years))
    nothing = digest([[], [], []])
    for place, school in enumerate(inputs.schools):
        counted = table[ends[place] : ends[place + 1]].tobytes()
        card, cells_hash = digest(_card(school)), hashlib.sha256(counted).hexdigest()
        if is_without:
            yield card, cells_hash, nothing
            continue
        context = [
            [
                [code, *_value(column.values[place]), column.sources[place]]
                for code, column in inputs.attributes.items()
            ],
            signs.get(place, []),
            sorted(inputs.asked_years[place]),
        ]
        yield card, cells_hash, digest(context)


def _procedure(procedure: FrozenProcedure) -> list[Any]:
    return [*procedure.natural_key, procedure.mass_mask, procedure.scales]


def _card(school: SchoolFacts) -> list[Any]:
    return [
        school.code,
        school.name,
        school.municipality_name,
        school.kind,
        school.stages,
        school.adverse_conditions,
        school.adverse_reason,
        school.adverse_source,
    ]


def _value(value: Value) -> tuple[str, str | None]:
    # A fixed notation: 1.50 and 1.5 are the same number, and 1E+2 is 100.
    number = None if value.value is None else format(value.value.normalize(), "f")
    return str(value.state), number


def _sign(sign: FrozenSign) -> list[Any]:
    return list(sign.natural_key)


def _corrections(inputs: Inputs) -> list[Any]:
    """Name each correction by the procedure and the order: the ids of appeals differ between databases."""
    names = {procedure.procedure_id: procedure.natural_key for procedure in inputs.procedures}
    return sorted(
        [
            [*names[correction.procedure_id], correction.n, correction.low, correction.failed]
            for correction in inputs.corrections
        ]
    )
