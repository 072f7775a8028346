"""What a corrected cell changes in a run: the same arithmetic over the frozen inputs, twice."""

import asyncio
from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.categories import Flag
from services.indicators.algebra.certainty import Certainty
from services.indicators.appeals.correcting import corrected_inputs
from services.indicators.appeals.schemas import SandboxOutcome
from services.indicators.identification.answering.evaluation import Findings, evaluate
from services.indicators.identification.freezing.frozen import frozen
from services.indicators.identification.freezing.inputs import Inputs
from services.indicators.methodologies.document import Methodology

__all__ = ["outcome_of", "try_out"]


async def try_out(
    session: AsyncSession,
    *,
    run_id: int,
    methodology: Methodology,
    school_id: int,
    cell: Mapping[str, Any],
) -> SandboxOutcome:
    """Read the frozen inputs, replace the cell and tell what changes; nothing is written."""
    inputs = await frozen(session, run_id)
    # Seconds of arithmetic for a large region: other callers go on meanwhile.
    return await asyncio.to_thread(outcome_of, inputs, methodology, school_id, cell)


def outcome_of(
    inputs: Inputs, methodology: Methodology, school_id: int, cell: Mapping[str, Any]
) -> SandboxOutcome:
    """Compare the answers for all schools with and without the corrected cell."""
    before = evaluate(inputs, methodology)
    after = evaluate(corrected_inputs(inputs, school_id, cell), methodology)
    places = inputs.places
    own = places[school_id]
    differs = [
        place
        for place in range(len(inputs.schools))
        if place != own and _side(before, place) != _side(after, place)
    ]
    change = _change(_side(before, own), _side(after, own))
    return SandboxOutcome.model_validate(
        {
            "school": _school(inputs, own, before, after),
            "change": change,
            "others": [_school(inputs, place, before, after) for place in differs],
            "sentence": _sentence(change, len(differs)),
        }
    )


def _side(findings: Findings, place: int) -> dict[str, Any]:
    return {
        "state": findings.state[place],
        "flags": _codes(int(findings.flags[place])),
        "unknown_flags": _codes(int(findings.unknown[place])),
        "category": findings.category[place],
        "certainty": Certainty(int(findings.certainty[place])).code,
    }


def _codes(bits: int) -> list[str]:
    return [flag.code for flag in Flag if bits & flag]


def _school(inputs: Inputs, place: int, before: Findings, after: Findings) -> dict[str, Any]:
    known = inputs.schools[place]
    return {
        "school_id": known.school_id,
        "code": known.code,
        "name": known.name,
        "before": _side(before, place),
        "after": _side(after, place),
    }


def _change(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if before == after:
        return "none"
    was, becomes = before["category"] is not None, after["category"] is not None
    if was == becomes:
        return "changed"
    return "entered" if becomes else "left"


_CHANGES = {
    "none": "ответ по школе не меняется",
    "entered": "школа входит в список",
    "left": "школа выходит из списка",
    "changed": "ответ по школе меняется, место в списке — нет",
}


def _sentence(change: str, others: int) -> str:
    rest = (
        "ответы других школ те же"
        if not others
        else f"меняются и ответы других школ (всего {others}): признак зависит от места школы среди остальных"
    )
    return f"С исправленной клеткой {_CHANGES[change]}; {rest}"
