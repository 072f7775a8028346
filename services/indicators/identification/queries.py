"""Reading runs: the run, its schools, its list, the trace of a school.

Which rows exist is decided by the caller's reach: below the region only published runs do.
"""

from dataclasses import asdict
from typing import NamedTuple

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.categories import Flag
from services.indicators.algebra.certainty import Certainty
from services.indicators.identification.answering.verification import Mismatch, verify
from services.indicators.identification.listing import list_by_municipality
from services.indicators.identification.schemas import (
    HashPairOut,
    ListOut,
    MismatchOut,
    RunOut,
    RunSchoolOut,
    VerificationOut,
)
from services.indicators.identification.tables import (
    IdentificationRun,
    RunEvidence,
    RunSchool,
)
from services.indicators.identification.tracing.facts import RunFacts, facts_of
from services.indicators.identification.tracing.reading import read_school
from services.indicators.identification.tracing.reasons import reasons_of
from services.indicators.identification.tracing.schemas import TraceOut
from services.indicators.identification.tracing.trace import school_out, trace_of
from services.indicators.suppression.queries import Told
from services.kit.pages import Page, PageAsk, Rows, keyset
from services.kit.problems import Problem

__all__ = [
    "RunNotComputed",
    "RunNotFound",
    "RunSchoolNotFound",
    "SchoolFilter",
    "computed_run",
    "run",
    "run_list",
    "run_out",
    "run_schools",
    "runs",
    "school_trace",
]


class RunNotFound(Problem):
    """There is no such run for the caller."""

    status = 404
    title = "Прогон не найден"


class RunSchoolNotFound(Problem):
    """The run has no such school for the caller."""

    status = 404
    title = "Школы в прогоне нет"


class RunNotComputed(Problem):
    """The run has no answers yet, or was refused."""

    status = 409
    title = "Прогон ещё не посчитан"


class SchoolFilter(NamedTuple):
    """Which schools of a run are asked for; None asks for all."""

    municipality_id: int | None = None
    category: str | None = None
    certainty: str | None = None
    flag: str | None = None
    state: str | None = None
    is_listed: bool | None = None


_RUN_COLUMNS = tuple(
    getattr(IdentificationRun, name) for name in RunOut.model_fields if name != "job"
)


async def runs(session: AsyncSession, *, year: int | None, state: str | None, ask: PageAsk) -> Rows:
    """List the runs by number, optionally of one year or in one state."""
    found = select(*_RUN_COLUMNS)
    if year is not None:
        found = found.where(IdentificationRun.year == year)
    if state is not None:
        found = found.where(IdentificationRun.state == state)
    return await keyset(session, found, order=(IdentificationRun.id,), ask=ask)


async def run(session: AsyncSession, run_id: int) -> IdentificationRun:
    """Read one run.

    Raises:
        RunNotFound: None is visible under this id.
    """
    found = await session.get(IdentificationRun, run_id)
    if found is None:
        raise RunNotFound(f"Прогон {run_id} не найден")
    return found


async def run_out(session: AsyncSession, found: IdentificationRun) -> RunOut:
    """Give a run as it travels, with the state of its background work."""
    job = await session.execute(
        text("SELECT id, state, error FROM job WHERE id = :id"), {"id": found.job_id}
    )
    plain = {name: getattr(found, name) for name in RunOut.model_fields if name != "job"}
    row = job.one_or_none()
    return RunOut.model_validate(plain | {"job": dict(row._mapping) if row else None})  # noqa: SLF001  a row's public mapping


async def run_schools(
    session: AsyncSession, run_id: int, *, wanted: SchoolFilter, ask: PageAsk
) -> Page[RunSchoolOut]:
    """List the schools of a run by code."""
    await run(session, run_id)
    schools = select(*(getattr(RunSchool, name) for name in _SCHOOL_COLUMNS)).where(
        RunSchool.run_id == run_id
    )
    if wanted.municipality_id is not None:
        schools = schools.where(RunSchool.municipality_id == wanted.municipality_id)
    if wanted.category is not None:
        schools = schools.where(RunSchool.category == wanted.category)
    if wanted.certainty is not None:
        schools = schools.where(RunSchool.certainty == Certainty[wanted.certainty.upper()])
    if wanted.flag is not None:
        schools = schools.where(RunSchool.flags.op("&")(int(Flag[wanted.flag.upper()])) != 0)
    if wanted.state is not None:
        schools = schools.where(RunSchool.state == wanted.state)
    if wanted.is_listed is not None:
        named = RunSchool.category.is_not(None)
        schools = schools.where(named if wanted.is_listed else ~named)
    page = await keyset(session, schools, order=(RunSchool.code, RunSchool.school_id), ask=ask)
    return Page(items=[school_out(row) for row in page.items], next=page.next, total=page.total)


_SCHOOL_COLUMNS = tuple(RunSchoolOut.model_fields)


async def run_list(session: AsyncSession, run_id: int, *, numbers: Told) -> ListOut:
    """Make the list of a run, with the reason of every listed school, out of frozen rows.

    Numbers of pupils in the reasons are those that may be told.

    Raises:
        RunNotFound: None is visible under this id.
        RunNotComputed: There are no answers yet.
    """
    found = await run(session, run_id)
    facts = await _facts(session, found)
    schools = (await session.scalars(select(RunSchool).where(RunSchool.run_id == run_id))).all()
    listed = [school for school in schools if school.category is not None]
    await numbers.look(procedure.procedure_id for procedure in facts.procedures)
    # Reasons tell procedures only: subjects and lineage of all schools stay where they are.
    counted = await session.execute(
        select(
            RunEvidence.school_id, RunEvidence.procedure_id, RunEvidence.n, RunEvidence.low
        ).where(
            RunEvidence.run_id == run_id,
            RunEvidence.school_id.in_([school.school_id for school in listed]),
        )
    )
    evidence = {row.school_id: row for row in counted}
    return list_by_municipality(
        run=found,
        methodology=facts.methodology,
        methodology_number=facts.methodology_number,
        schools=schools,
        reasons=reasons_of(facts, listed, evidence, numbers),
    )


async def school_trace(
    session: AsyncSession, run_id: int, school_id: int, *, numbers: Told, sees_signs: bool
) -> TraceOut:
    """Render the trace of one school.

    Raises:
        RunNotFound: No such run is visible.
        RunNotComputed: There are no answers yet.
        RunSchoolNotFound: The run has no such school for the caller.
    """
    facts = await _facts(session, await run(session, run_id))
    school = await session.get(RunSchool, (run_id, school_id))
    if school is None:
        raise RunSchoolNotFound(f"В прогоне {run_id} школы {school_id} нет")
    rows = await read_school(session, facts, school, sees_signs=sees_signs)
    await numbers.look(procedure.procedure_id for procedure in facts.procedures)
    return trace_of(facts, rows, numbers)


_SHOWN = 200
"""So many mismatches are told; their number always is."""


# What these hold says nothing of pupils; the others hold numbers of them.
_PLAIN_TABLES = frozenset({"identification_run", "run_school"})


async def verification(
    session: AsyncSession, run_id: int, *, sees_numbers: bool
) -> VerificationOut:
    """Work a run out again from its frozen rows and tell what differs.

    Who may not see exact numbers is told where rows differ, not what they say.

    Raises:
        RunNotFound: No such run is visible.
        RunNotComputed: There are no answers yet.
    """
    found = await computed_run(session, run_id)
    verified = await verify(session, found)
    computed = verified.hashes
    return VerificationOut(
        is_intact=verified.is_intact,
        input_hash=HashPairOut(stored=found.input_hash, computed=computed and computed.inputs),
        list_hash=HashPairOut(stored=found.list_hash, computed=computed and computed.list),
        schools=verified.schools,
        cells=verified.cells,
        total=len(verified.mismatches),
        mismatches=[
            _mismatch_out(one, sees_numbers=sees_numbers) for one in verified.mismatches[:_SHOWN]
        ],
    )


def _mismatch_out(found: Mismatch, *, sees_numbers: bool) -> MismatchOut:
    is_told = sees_numbers or found.table in _PLAIN_TABLES
    return MismatchOut(**asdict(found) | ({} if is_told else {"stored": None, "computed": None}))


async def computed_run(session: AsyncSession, run_id: int) -> IdentificationRun:
    """Read a run that has answers.

    Raises:
        RunNotFound: None is visible under this id.
        RunNotComputed: There are no answers yet, or it was refused.
    """
    found = await run(session, run_id)
    _refuse_uncomputed(found)
    return found


def _refuse_uncomputed(found: IdentificationRun) -> None:
    if found.input_hash is None:
        raise RunNotComputed(
            f"Прогон {found.id} в состоянии {found.state}: списка нет",
            hint="Дождитесь состояния draft; причина отказа — в поле refusal прогона",
            state=found.state,
        )


async def _facts(session: AsyncSession, found: IdentificationRun) -> RunFacts:
    _refuse_uncomputed(found)
    return await facts_of(session, found)
