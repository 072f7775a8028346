"""The indices, signs, corrections and reorganisations of one school in its trace."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from services.indicators.algebra.columns import PRECISE, rounded
from services.indicators.identification.tables import RunIndex, RunReorganisation
from services.indicators.identification.tracing.facts import RunFacts
from services.indicators.identification.tracing.flag_schemas import (
    ComponentTraceOut,
    IndexTraceOut,
    SignTraceOut,
)
from services.indicators.identification.tracing.reading import SchoolRows
from services.indicators.identification.tracing.schemas import (
    CorrectionTraceOut,
    PassedCellOut,
    ReorganisationTraceOut,
)

__all__ = ["corrections_of", "index_values", "indices_of", "reorganisations_of", "signs_of"]

_MISSING = ("not_submitted", None, None)


def plain(number: Decimal | None) -> str | None:
    """Write an exact number without an exponent and without idle zeros."""
    if number is None:
        return None
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def index_values(rows: SchoolRows) -> dict[str, Decimal | None]:
    """Give the school's indices by code."""
    known = rows.context
    return dict(zip(known.index_code, known.index_value, strict=True)) if known else {}


def indices_of(rows: SchoolRows, *, is_exact: bool) -> list[IndexTraceOut]:
    """Tell every index: the school's numbers beside those of the region that they are measured by.

    Without exact numbers neither are told. With the other they would give the counts of small groups back;
    and the least of the region is the number of one school, a mean of nine digits the sum of all.
    """
    return [_index(index, rows, is_exact=is_exact) for index in rows.indices]


def _index(index: RunIndex, rows: SchoolRows, *, is_exact: bool) -> IndexTraceOut:
    definition = index.definition
    is_z = definition["method"] == "weighted_z"
    centre, step = definition.get("centre"), definition.get("step")
    missing = {}
    if rows.context is not None:
        missing = dict(zip(rows.context.index_code, rows.context.index_missing_weight, strict=True))
    return IndexTraceOut(
        code=index.code,
        title=index.title,
        method=definition["method"],
        year=index.context_year,
        centre=str(centre if centre is not None else 50 if is_z else 0),
        step=str(step if step is not None else -10 if is_z else 1),
        max_missing_weight=definition["max_missing_weight"],
        missing_weight=plain(missing.get(index.code)),
        schools=index.n,
        value=plain(index_values(rows).get(index.code)) if is_exact else None,
        is_hidden=not is_exact,
        components=[
            _component(definition["method"], text, measured, _profile(rows), is_exact=is_exact)
            for text, measured in zip(definition["components"], index.statistics, strict=True)
        ],
    )


def _profile(rows: SchoolRows) -> dict[str, tuple[str, Decimal | None, str | None]]:
    known = rows.context
    if known is None:
        return {}
    told = zip(known.state, known.value, known.source, strict=True)
    return dict(zip(known.attribute, told, strict=True))


def _component(
    method: str,
    text: Mapping[str, Any],
    measured: Mapping[str, Any],
    profile: Mapping[str, tuple[str, Decimal | None, str | None]],
    *,
    is_exact: bool,
) -> ComponentTraceOut:
    state, value, source = profile.get(text["attribute"], _MISSING)
    over_value = None
    if text["over"] is not None:
        over_state, over_value, _ = profile.get(text["over"], _MISSING)
        state = state if state != "value" else over_state
    number = _measured(text, value, over_value)
    points = _points(method, text, measured, number)
    weight = Decimal(str(text["weight"]))
    return ComponentTraceOut(
        title=text["title"],
        attribute=text["attribute"],
        over=text["over"],
        transform=text["transform"],
        adverse=text["adverse"],
        weight=str(plain(weight)),
        state=state,
        value=plain(value) if is_exact else None,
        over_value=plain(over_value) if is_exact else None,
        source=source,
        schools=measured["n"],
        mean=measured["mean"] if is_exact else None,
        sd=measured["sd"] if is_exact else None,
        minimum=measured["minimum"] if is_exact else None,
        maximum=measured["maximum"] if is_exact else None,
        norm=None if text["norm"] is None else str(text["norm"]),
        points=plain(points) if is_exact else None,
        contribution=plain(rounded(weight * points)) if is_exact and points is not None else None,
    )


def _measured(
    text: Mapping[str, Any], value: Decimal | None, over: Decimal | None
) -> Decimal | None:
    """Give what is measured: the attribute, the ratio of two, or its logarithm."""
    if value is None:
        return None
    if text["over"] is not None:
        if over is None or over == 0:
            return None
        value = PRECISE.divide(value, over)
    if text["transform"] == "ln":
        return PRECISE.ln(value) if value > 0 else None
    return value


def _points(
    method: str, text: Mapping[str, Any], measured: Mapping[str, Any], number: Decimal | None
) -> Decimal | None:
    """Place the school by the printed statistics, as a person with a calculator would.

    The run placed it by unrounded ones; the difference is beyond the eighth digit.
    """
    if number is None:
        return None
    if method == "regression":
        return rounded(number)
    if method == "weighted_z":
        return _oriented(text, measured, number)
    if text["norm"] is not None:
        return _met(text, number)
    low, high = (measured[end] and Decimal(measured[end]) for end in ("minimum", "maximum"))
    if low is None or high is None or low >= high:
        return None
    place = PRECISE.divide(min(max(number, low), high) - low, high - low)
    return rounded(1 - place if text["adverse"] == "high" else place)


_FEWEST = 2


def _oriented(
    text: Mapping[str, Any], measured: Mapping[str, Any], number: Decimal
) -> Decimal | None:
    if measured["n"] < _FEWEST or measured["mean"] is None or measured["sd"] is None:
        return None
    sd = Decimal(measured["sd"])
    score = PRECISE.divide(number - Decimal(measured["mean"]), sd) if sd else Decimal(0)
    return rounded(score if text["adverse"] == "high" else -score)


def _met(text: Mapping[str, Any], number: Decimal) -> Decimal:
    norm = Decimal(str(text["norm"]))
    if text["adverse"] == "high":
        return Decimal(1) if number <= norm else rounded(PRECISE.divide(norm, number))
    return rounded(min(Decimal(1), max(Decimal(0), PRECISE.divide(number, norm))))


def signs_of(rows: SchoolRows) -> list[SignTraceOut] | None:
    """Tell the signs that were taken into account; None where the reader may not see any."""
    if rows.signs is None:
        return None
    return [SignTraceOut.model_validate(sign) for sign in rows.signs]


def corrections_of(
    facts: RunFacts, rows: SchoolRows, *, is_exact: bool
) -> list[CorrectionTraceOut]:
    """Tell the corrected cells: what was counted beside what counts; exact numbers only."""
    measure = "failed" if facts.methodology.low_result.based_on == "minimum" else "low"
    names = ("counted_n", "counted_low", "n", "low")
    told = []
    for kept in (rows.evidence.corrections if rows.evidence else None) or ():
        counted = kept["counted"]
        numbers = (counted["n"], counted[measure], kept["n"], kept[measure])
        told.append(
            CorrectionTraceOut.model_validate(
                {name: kept[name] for name in _CORRECTION}
                | {n: v if is_exact else None for n, v in zip(names, numbers, strict=True)}
                | {"suppressed": [] if is_exact else list(names)}
            )
        )
    return told


_CORRECTION = ("appeal_id", "procedure_id", "school_id", "order_number")


def reorganisations_of(
    facts: RunFacts, rows: SchoolRows, *, is_exact: bool
) -> list[ReorganisationTraceOut]:
    """Tell the mergers and splits, and the numbers that came with them."""
    measure = "failed" if facts.methodology.low_result.based_on == "minimum" else "low"
    return [
        ReorganisationTraceOut.model_validate(
            {name: getattr(event, name) for name in _EVENT}
            | {
                "school_id": event.predecessor_id,
                "code": event.predecessor_code,
                "name": event.predecessor_name,
                "cells": _passed(event, measure, is_exact=is_exact),
            }
        )
        for event in rows.reorganisations
    ]


_EVENT = ("kind", "outcome", "happened_on", "order_number", "order_date")


def _passed(event: RunReorganisation, measure: str, *, is_exact: bool) -> list[PassedCellOut]:
    cells = zip(event.procedure_id, event.n, getattr(event, measure), strict=True)
    return [
        PassedCellOut(
            procedure_id=procedure_id,
            n=n if is_exact else None,
            low=low if is_exact else None,
            suppressed=[] if is_exact else ["n", "low"],
        )
        for procedure_id, n, low in cells
    ]
