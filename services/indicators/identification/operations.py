"""The life of a run: asked for, computed, prepared, approved by another person, published, voided."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.identification import queries
from services.indicators.identification.answering.evaluation import evaluate
from services.indicators.identification.answering.keeping import keep_answers
from services.indicators.identification.answering.notices import notices_of
from services.indicators.identification.answering.priors import keep_priors
from services.indicators.identification.answering.totals import counts_of, hashes_of
from services.indicators.identification.answering.verification import stored_list_hash, verify
from services.indicators.identification.freezing.asked import read_overtaken
from services.indicators.identification.freezing.considered import considered_procedures
from services.indicators.identification.freezing.freeze import freeze
from services.indicators.identification.schemas import ApprovalIn, RunIn, VoidingIn
from services.indicators.identification.tables import (
    IdentificationRun,
    RunContext,
    RunEvidence,
    RunImport,
    RunIndex,
    RunProcedure,
    RunReorganisation,
    RunSchool,
    RunSign,
)
from services.indicators.methodologies import queries as methodologies
from services.indicators.methodologies.document import Methodology, PermittedUse
from services.indicators.methodologies.tables import MethodologyVersion
from services.kit import etags
from services.kit.jobs import enqueue
from services.kit.principals import Principal
from services.kit.problems import Problem

__all__ = [
    "ListHashDiffers",
    "MethodologyNotInForce",
    "OnlyForAnalysis",
    "RunNotVerified",
    "SamePerson",
    "WrongRunState",
    "approve",
    "ask_for_publication",
    "compute",
    "mark_published",
    "prepare",
    "refuse",
    "start",
    "void",
]


class WrongRunState(Problem):
    """The run is not in the state that this step starts from."""

    status = 409
    title = "Прогон не в том состоянии"


class SamePerson(Problem):
    """Who prepared a list may not approve it."""

    status = 409
    title = "Утвердить список должно другое лицо"


class ListHashDiffers(Problem):
    """The list in the database is not the one that is being approved."""

    status = 409
    title = "Список не тот, который утверждается"


class RunNotVerified(Problem):
    """What the run says does not follow from its frozen inputs any more: rows were changed."""

    status = 409
    title = "Прогон не проходит проверку"


class OnlyForAnalysis(Problem):
    """The methodology asks for results that are permitted for analysis only."""

    status = 409
    title = "Прогон только для анализа"


class MethodologyNotInForce(Problem):
    """The version of the methodology is not in force on the day of the run."""

    status = 409
    title = "Методика не действует"


async def start(
    session: AsyncSession, wish: RunIn, *, by: Principal, at: datetime
) -> IdentificationRun:
    """Ask for a run; a job computes it. What already can be refused is refused at once.

    Raises:
        MethodologyVersionNotFound: There is no such version in the region.
        MethodologyNotInForce: It is not in force today.
        NoProcedures, UseNotPermitted, NoMassSubjects, MarginDiffers: See `considered`.
    """
    version = await methodologies.methodology_version(session, wish.methodology_version_id)
    methodology = await _in_force(session, version, at)
    await considered_procedures(
        session, region_id=version.region_id, year=wish.year, methodology=methodology, on=at.date()
    )
    run = IdentificationRun(
        region_id=version.region_id,
        year=wish.year,
        methodology_version_id=version.id,
        state="computing",
        note=wish.note,
        created_by=by.subject,
    )
    session.add(run)
    await session.flush()
    run.job_id = await enqueue(
        session,
        kind="identify",
        region_id=version.region_id,
        params={"run_id": run.id},
        dedupe_key=f"identify:{run.id}",
    )
    await session.flush()
    await session.refresh(run)
    return run


async def _in_force(
    session: AsyncSession, version: MethodologyVersion, at: datetime
) -> Methodology:
    methodology = Methodology.model_validate(version.document)
    day = at.date()
    begins, ends = await methodologies.days_in_force(session, version.id)
    if day < begins or (ends is not None and day > ends):
        raise MethodologyNotInForce(
            f"Методика действует с {begins:%d.%m.%Y}" + (f" по {ends:%d.%m.%Y}" if ends else ""),
            hint="Выберите действующую версию",
        )
    return methodology


async def compute(session: AsyncSession, run_id: int, *, at: datetime) -> IdentificationRun | None:
    """Freeze the inputs and answer for every school, all in the caller's transaction.

    None when somebody else has done it, or the run was voided meanwhile.

    Raises:
        NoProcedures, UseNotPermitted, NoMassSubjects, MarginDiffers, RollupsNotCurrent: See
            `considered`.
    """
    run = await session.get(IdentificationRun, run_id, with_for_update=True)
    if run is None or run.state != "computing":
        return None
    version = await session.get_one(MethodologyVersion, run.methodology_version_id)
    methodology = Methodology.model_validate(version.document)
    inputs = await freeze(session, run, methodology)
    findings = evaluate(inputs, methodology)
    await keep_answers(session, run, inputs, findings, methodology)
    await keep_priors(session, run_id=run.id, inputs=inputs, findings=findings)
    hashes = hashes_of(inputs, findings, methodology, version.document_hash)
    run.input_hash, run.list_hash = hashes
    run.counts = counts_of(findings, methodology)
    overtaken = await read_overtaken(
        session,
        region_id=run.region_id,
        procedure_ids=[procedure.procedure_id for procedure in inputs.procedures],
    )
    run.notices = notices_of(inputs, findings, methodology, overtaken=overtaken)
    run.state = "draft"
    run.computed_at = at
    await session.flush()
    return run


async def refuse(session: AsyncSession, run_id: int, problem: Problem) -> None:
    """Write down why a run cannot be computed."""
    await session.execute(
        update(IdentificationRun)
        .where(IdentificationRun.id == run_id, IdentificationRun.state == "computing")
        .values(
            state="refused",
            refusal=problem.body(),
            version=IdentificationRun.version + 1,
        )
    )


async def _locked(
    session: AsyncSession, run_id: int, *, seen: int, states: Sequence[str]
) -> IdentificationRun:
    run = await session.get(IdentificationRun, run_id, with_for_update=True)
    if run is None:
        raise queries.RunNotFound(f"Прогон {run_id} не найден")
    etags.check(seen, run.version)
    if run.state not in states:
        raise WrongRunState(
            f"Прогон в состоянии {run.state}, а нужно {' или '.join(states)}",
            hint="Порядок: draft, prepared, approved, published",
            state=run.state,
        )
    return run


async def prepare(
    session: AsyncSession, run_id: int, *, seen: int, by: Principal, at: datetime
) -> IdentificationRun:
    """Say that a draft is ready to be approved.

    Raises:
        WrongRunState: It is not a draft.
        OnlyForAnalysis: Its methodology is for analysis only.
    """
    run = await _locked(session, run_id, seen=seen, states=("draft",))
    version = await session.get_one(MethodologyVersion, run.methodology_version_id)
    if Methodology.model_validate(version.document).required_use is PermittedUse.ANALYSIS:
        raise OnlyForAnalysis("Методика разрешает использовать прогон только для анализа")
    run.state, run.prepared_by, run.prepared_at = "prepared", by.subject, at
    await session.flush()
    return run


async def approve(
    session: AsyncSession,
    run_id: int,
    order: ApprovalIn,
    *,
    seen: int,
    by: Principal,
    at: datetime,
) -> IdentificationRun:
    """Approve a prepared list by an order; another person than who prepared it.

    The list is hashed again from its rows, so that what is approved is what was seen; and the run is
    worked out again from its frozen inputs, so that what is approved follows from them.

    Raises:
        WrongRunState: It is not prepared.
        SamePerson: The caller prepared it.
        ListHashDiffers: The caller has seen another list, or the rows were changed.
        RunNotVerified: The list does not follow from the frozen inputs any more.
    """
    run = await _locked(session, run_id, seen=seen, states=("prepared",))
    if run.prepared_by == by.subject:
        raise SamePerson(
            "Список подготовлен вами",
            hint="Попросите утвердить список другого сотрудника региона",
        )
    if not order.list_hash == run.list_hash == await stored_list_hash(session, run):
        raise ListHashDiffers(
            "Хеш утверждаемого списка не совпадает с хешем списка прогона",
            hint="Откройте список заново и отправьте его list_hash",
            list_hash=run.list_hash,
        )
    await _refuse_unverified(session, run)
    run.state, run.approved_by, run.approved_at = "approved", by.subject, at
    run.order_number, run.order_date = order.order_number, order.order_date
    await session.flush()
    return run


async def _refuse_unverified(session: AsyncSession, run: IdentificationRun) -> None:
    verified = await verify(session, run)
    if not verified.is_intact:
        raise RunNotVerified(
            f"Список не следует из исходных данных прогона: расхождений {len(verified.mismatches)}",
            hint="Посмотрите их проверкой прогона (verification); отмените прогон и начните новый",
            schools=sorted({m.code for m in verified.mismatches if m.code is not None})[:_NAMED],
        )


_NAMED = 50
"""So many schools are named in a refusal."""


async def ask_for_publication(
    session: AsyncSession, run_id: int, *, seen: int, by: Principal
) -> IdentificationRun:
    """Start the job that hands the approved list to the registry.

    Raises:
        WrongRunState: It is not approved.
    """
    run = await _locked(session, run_id, seen=seen, states=("approved",))
    run.published_by = by.subject
    run.job_id = await enqueue(
        session,
        kind="publish-run",
        region_id=run.region_id,
        params={"run_id": run.id},
        dedupe_key=f"publish-run:{run.id}",
    )
    await session.flush()
    return run


_PARTS = (
    RunProcedure, RunImport, RunEvidence, RunSchool, RunIndex, RunContext, RunSign, RunReorganisation,
)  # fmt: skip


async def mark_published(session: AsyncSession, run_id: int, *, at: datetime) -> None:
    """Open the run to the levels below the region, once the registry has accepted its list."""
    run = await session.get(IdentificationRun, run_id, with_for_update=True)
    if run is None or run.state != "approved":
        return
    run.state, run.is_published, run.published_at = "published", True, at
    await session.flush()
    for part in _PARTS:
        await session.execute(update(part).where(part.run_id == run_id).values(is_published=True))


async def void(
    session: AsyncSession, run_id: int, why: VoidingIn, *, seen: int, by: Principal, at: datetime
) -> IdentificationRun:
    """Set a run aside, with the reason; nothing is deleted.

    A published list is a fact outside this service and is corrected by publishing a later run.

    Raises:
        WrongRunState: It is published or voided already, or its publication has been asked for.
    """
    run = await _locked(
        session, run_id, seen=seen, states=("computing", "refused", "draft", "prepared", "approved")
    )
    if run.state == "approved" and await _is_being_published(session, run):
        raise WrongRunState("Публикация прогона уже начата", state=run.state)
    run.state, run.voided_by, run.voided_at, run.void_reason = "voided", by.subject, at, why.reason
    await session.flush()
    return run


async def _is_being_published(session: AsyncSession, run: IdentificationRun) -> bool:
    found = await session.scalar(
        text(
            "SELECT true FROM job WHERE id = :id AND kind = 'publish-run'"
            " AND state IN ('queued', 'running')"
        ),
        {"id": run.job_id},
    )
    return bool(found)
