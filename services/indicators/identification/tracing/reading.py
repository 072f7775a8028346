"""The frozen rows of one school that its trace is made of: a few reads by keys, nothing of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.identification.tables import (
    RunContext,
    RunEvidence,
    RunImport,
    RunIndex,
    RunReorganisation,
    RunSchool,
    RunSign,
)
from services.indicators.identification.tracing.facts import RunFacts, imports_of

__all__ = ["SchoolRows", "read_school"]


@dataclass(frozen=True, slots=True)
class SchoolRows:
    """What a run keeps of one school, and the indices of its methodology."""

    answer: RunSchool
    evidence: RunEvidence | None = None
    imports: Mapping[int, RunImport] = field(default_factory=dict)
    context: RunContext | None = None
    # In the order of the methodology.
    indices: Sequence[RunIndex] = ()
    # None: the reader may not see signs of biased results.
    signs: Sequence[RunSign] | None = ()
    # In the order of days.
    reorganisations: Sequence[RunReorganisation] = ()


async def read_school(
    session: AsyncSession, facts: RunFacts, answer: RunSchool, *, sees_signs: bool
) -> SchoolRows:
    """Read what the run keeps of the school; what the methodology does not ask for is not read."""
    run_id, school_id = answer.run_id, answer.school_id
    methodology = facts.methodology
    evidence = await session.get(RunEvidence, (run_id, school_id))
    asks_signs = bool(methodology.sign_years(facts.year))
    asks_context = asks_signs or bool(methodology.attributes())
    return SchoolRows(
        answer=answer,
        evidence=evidence,
        imports=await imports_of(session, run_id, evidence),
        context=await session.get(RunContext, (run_id, school_id)) if asks_context else None,
        indices=await _indices(session, facts) if methodology.indices else (),
        signs=None
        if not sees_signs
        else await _signs(session, run_id, school_id)
        if asks_signs
        else (),
        reorganisations=await _reorganisations(session, run_id, school_id),
    )


async def _indices(session: AsyncSession, facts: RunFacts) -> list[RunIndex]:
    rows = await session.scalars(select(RunIndex).where(RunIndex.run_id == facts.run.id))
    known = {row.code: row for row in rows}
    return [known[index.code] for index in facts.methodology.indices if index.code in known]


async def _signs(session: AsyncSession, run_id: int, school_id: int) -> list[RunSign]:
    rows = await session.scalars(
        select(RunSign).where(RunSign.run_id == run_id, RunSign.school_id == school_id)
    )
    return sorted(rows, key=lambda sign: (sign.year, sign.detector, sign.sign_id))


async def _reorganisations(
    session: AsyncSession, run_id: int, school_id: int
) -> list[RunReorganisation]:
    rows = await session.scalars(
        select(RunReorganisation).where(
            RunReorganisation.run_id == run_id, RunReorganisation.school_id == school_id
        )
    )
    return sorted(rows, key=lambda event: (event.happened_on, event.event_id))
