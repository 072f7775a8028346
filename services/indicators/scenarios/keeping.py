"""Writing the answers of a scenario, all schools in one statement."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.identification.freezing.hashing import digest
from services.indicators.identification.freezing.inputs import Inputs
from services.indicators.scenarios.computing import Computed

__all__ = ["answers_hash", "keep_schools"]

_KEEP = text(
    """
    INSERT INTO scenario_school (
        scenario_id, region_id, school_id, municipality_id, code, state, flags, unknown_flags,
        category, certainty, change, causes, is_combination, is_lost_by_one, is_gained_by_one,
        participants
    )
    SELECT :scenario_id, :region_id, school_id, municipality_id, code, state, flags, unknown_flags,
           category, certainty, change, CAST(causes AS smallint[]), is_combination, is_lost_by_one,
           is_gained_by_one, participants
    FROM unnest(
        CAST(:school_id AS bigint[]), CAST(:municipality_id AS bigint[]), CAST(:code AS text[]),
        CAST(:state AS text[]), CAST(:flags AS smallint[]), CAST(:unknown_flags AS smallint[]),
        CAST(:category AS text[]), CAST(:certainty AS smallint[]), CAST(:change AS text[]),
        CAST(:causes AS text[]), CAST(:is_combination AS boolean[]),
        CAST(:is_lost_by_one AS boolean[]), CAST(:is_gained_by_one AS boolean[]),
        CAST(:participants AS integer[])
    ) AS answer (
        school_id, municipality_id, code, state, flags, unknown_flags, category, certainty, change,
        causes, is_combination, is_lost_by_one, is_gained_by_one, participants
    )
    """
)


async def keep_schools(
    session: AsyncSession, *, scenario_id: int, region_id: int, inputs: Inputs, computed: Computed
) -> None:
    """Write the answers for all schools of the run."""
    await session.execute(
        _KEEP,
        {"scenario_id": scenario_id, "region_id": region_id}
        | {
            name: [getattr(school, name) for school in inputs.schools]
            for name in ("school_id", "municipality_id", "code")
        }
        | _answers(computed),
    )


def answers_hash(inputs: Inputs, computed: Computed, document_hash: str) -> str:
    """Name the answers by their content: SHA-256 over the schools by code, no ids."""
    columns = _answers(computed)
    named = ("state", "flags", "unknown_flags", "category", "certainty")
    rows = zip(
        [school.code for school in inputs.schools],
        *(columns[name] for name in named),
        strict=True,
    )
    return digest(
        {
            "header": {"year": inputs.year, "document": document_hash},
            "rows": sorted(list(row) for row in rows),
        }
    )


def _answers(computed: Computed) -> dict[str, list[Any]]:
    after, many = computed.after, len(computed.changes)
    numbers = {setting: place for place, setting in enumerate(computed.settings, start=1)}
    causes, is_combination = ["{}"] * many, [False] * many
    for place, cause in computed.causes.items():
        named = cause.single or cause.sets[0]
        causes[place] = "{" + ",".join(str(numbers[setting]) for setting in named) + "}"
        is_combination[place] = not cause.single
    return {
        "state": after.state.tolist(),
        "flags": after.flags.tolist(),
        "unknown_flags": computed.unknown.tolist(),
        "category": after.category.tolist(),
        "certainty": after.certainty.tolist(),
        "change": computed.changes.tolist(),
        "causes": causes,
        "is_combination": is_combination,
        "is_lost_by_one": computed.borders.lost_by_one_fewer.tolist(),
        "is_gained_by_one": computed.borders.gained_by_one_more.tolist(),
        "participants": computed.participants.tolist(),
    }
