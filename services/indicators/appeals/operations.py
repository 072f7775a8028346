"""The life of an appeal: filed, taken up, tried out, decided or withdrawn."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.appeals import queries
from services.indicators.appeals.access import DECIDE
from services.indicators.appeals.contested import as_kept, cell_code, contested_cell
from services.indicators.appeals.queries import OPEN
from services.indicators.appeals.sandboxing import try_out
from services.indicators.appeals.schemas import (
    AppealIn,
    AppealWithdrawalIn,
    AttributeCell,
    DecisionIn,
    MarkCell,
    ResultCell,
    SandboxIn,
    SignCell,
)
from services.indicators.appeals.tables import Appeal, AppealSandbox
from services.indicators.corrections.queries import fingerprint
from services.indicators.corrections.tables import CellCorrection
from services.indicators.identification import queries as identification
from services.indicators.identification.queries import RunSchoolNotFound
from services.indicators.identification.tables import IdentificationRun, RunSchool
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.exits import AppealTerms
from services.indicators.methodologies.tables import MethodologyVersion
from services.kit import etags
from services.kit.principals import Principal
from services.kit.problems import Problem, constraint_problems

__all__ = [
    "AppealAlreadyFiled",
    "AppealTermOver",
    "DecisionAboutAnotherCell",
    "DecisionByPreparer",
    "NothingClaimed",
    "OtherSideFiled",
    "OwnAppeal",
    "RunNotPublished",
    "WrongAppealState",
    "decide",
    "file",
    "start_review",
    "try_correction",
    "withdraw",
]


class RunNotPublished(Problem):
    """Only a published list can be contested."""

    status = 409
    title = "Обжаловать можно только опубликованный список"


class AppealTermOver(Problem):
    """The term for appeals about this list is over."""

    status = 409
    title = "Срок апелляций по этому списку истёк"


class NothingClaimed(Problem):
    """What is claimed is what the run has."""

    status = 409
    title = "Заявленное совпадает с тем, что в прогоне"


class AppealAlreadyFiled(Problem):
    """The cell was contested in this run already."""

    status = 409
    title = "Эта клетка уже обжалуется или решение по ней принято"


class WrongAppealState(Problem):
    """The appeal is not in the state that this step starts from."""

    status = 409
    title = "Апелляция не в том состоянии"


class OtherSideFiled(Problem):
    """An appeal is withdrawn by the side that filed it."""

    status = 409
    title = "Отозвать апелляцию может подавшая её сторона"


class OwnAppeal(Problem):
    """Who filed an appeal does not decide it."""

    status = 409
    title = "Решение по апелляции принимает не тот, кто её подал"


class DecisionByPreparer(Problem):
    """Who prepared the contested list does not decide about it."""

    status = 409
    title = "Решение по апелляции принимает не тот, кто готовил список"


class DecisionAboutAnotherCell(Problem):
    """The corrected cell is not the contested one."""

    status = 409
    title = "Исправляется не та клетка, которая обжалуется"


async def file(session: AsyncSession, wish: AppealIn, *, by: Principal, at: datetime) -> Appeal:
    """Contest a cell of a published run.

    Raises:
        RunNotFound, RunSchoolNotFound: Not visible to the caller.
        RunNotPublished: The list is not published.
        AppealTermOver: The term is over, and the caller is not the region or gives no reason.
        CellNotInRun, CellOfSeveralSchools, CellAlreadyChanged: See `contested`.
        NothingClaimed: The run has what is claimed.
        AppealAlreadyFiled: There is an appeal about this cell which was not withdrawn.
    """
    run = await identification.run(session, wish.run_id)
    if run.state != "published" or run.published_at is None:
        raise RunNotPublished(
            f"Прогон {run.id} в состоянии {run.state}",
            hint="Замечания к неопубликованному списку регион учитывает новым прогоном",
            state=run.state,
        )
    methodology = await _methodology(session, run)
    terms = methodology.appeals or AppealTerms()
    late_reason = _late(run.published_at, terms, wish, by=by, at=at)
    school = await session.get(RunSchool, (run.id, wish.school_id))
    if school is None:
        raise RunSchoolNotFound(f"В прогоне {run.id} школы {wish.school_id} нет")
    contested = await contested_cell(
        session, run=run, school=school, methodology=methodology, claim=wish.claimed
    )
    claimed = as_kept(wish.claimed)
    if contested == claimed:
        raise NothingClaimed(hint="Укажите, какой клетка должна быть")
    filed = Appeal(
        region_id=school.region_id,
        municipality_id=school.municipality_id,
        school_id=school.school_id,
        run_id=run.id,
        year=run.year,
        kind=wish.claimed.kind,
        cell=cell_code(claimed),
        **_target(wish.claimed),
        contested=contested,
        claimed=claimed,
        counts_hash=await _counts_hash(session, school.school_id, wish.claimed),
        reason=wish.reason,
        evidence=[one.model_dump(mode="json") for one in wish.evidence],
        state="filed",
        filed_by=by.subject,
        filed_as=by.role.value,
        filed_at=at,
        late_reason=late_reason,
        due_at=at + timedelta(days=terms.decision_days),
    )
    session.add(filed)
    async with constraint_problems(
        {
            "uq_appeal_cell": AppealAlreadyFiled(
                "По одной клетке списка принимается одно решение",
                hint="Найдите апелляцию в списке; отозванную можно подать заново",
            )
        }
    ):
        await session.flush()
    return filed


async def _methodology(session: AsyncSession, run: IdentificationRun) -> Methodology:
    version = await session.get_one(MethodologyVersion, run.methodology_version_id)
    return Methodology.model_validate(version.document)


def _late(
    published_at: datetime, terms: AppealTerms, wish: AppealIn, *, by: Principal, at: datetime
) -> str | None:
    """Give the reason of a late appeal, None for one in time. Days are whole: 24 hours, wherever one is."""
    closes_at = published_at + timedelta(days=terms.filing_days)
    if at <= closes_at:
        return None
    if DECIDE in by.scopes and wish.late_reason:
        return wish.late_reason
    raise AppealTermOver(
        f"Срок ({terms.filing_days} сут. с публикации) истёк {closes_at:%d.%m.%Y %H:%M} UTC",
        hint="Опоздавшую апелляцию подаёт регион, с причиной в late_reason",
        closes_at=closes_at.isoformat(),
    )


def _target(claim: ResultCell | AttributeCell | MarkCell | SignCell) -> dict[str, Any]:
    match claim:
        case ResultCell():
            return {"procedure_id": claim.procedure_id}
        case AttributeCell():
            return {"attribute": claim.attribute}
        case SignCell():
            return {"sign_id": claim.sign_id}
        case MarkCell():
            return {}


async def _counts_hash(
    session: AsyncSession,
    school_id: int,
    claim: ResultCell | AttributeCell | MarkCell | SignCell,
) -> str | None:
    if not isinstance(claim, ResultCell):
        return None
    return await fingerprint(session, school_id=school_id, procedure_id=claim.procedure_id)


async def _locked(
    session: AsyncSession, appeal_id: int, *, seen: int, states: Sequence[str]
) -> Appeal:
    found = await session.get(Appeal, appeal_id, with_for_update=True)
    if found is None:
        raise queries.AppealNotFound("Такой апелляции нет в вашем охвате")
    etags.check(seen, found.version)
    if found.state not in states:
        raise WrongAppealState(
            f"Апелляция в состоянии {found.state}, а нужно {' или '.join(states)}",
            hint="Порядок: filed, under_review, затем accepted или rejected",
            state=found.state,
        )
    return found


async def withdraw(
    session: AsyncSession,
    appeal_id: int,
    why: AppealWithdrawalIn,
    *,
    seen: int,
    by: Principal,
    at: datetime,
) -> Appeal:
    """Take an appeal back while it is not decided.

    Raises:
        WrongAppealState: It is decided or withdrawn.
        OtherSideFiled: Another level filed it: a municipality does not silence its school.
    """
    found = await _locked(session, appeal_id, seen=seen, states=OPEN)
    if found.filed_as != by.role.value:
        raise OtherSideFiled(f"Апелляцию подала сторона {found.filed_as}")
    found.state, found.withdrawn_by, found.withdrawn_at = "withdrawn", by.subject, at
    found.withdrawal_reason = why.reason
    await session.flush()
    return found


async def start_review(
    session: AsyncSession, appeal_id: int, *, seen: int, by: Principal, at: datetime
) -> Appeal:
    """Take an appeal up.

    Raises:
        WrongAppealState: It is not waiting.
    """
    found = await _locked(session, appeal_id, seen=seen, states=("filed",))
    found.state, found.review_started_by, found.review_started_at = "under_review", by.subject, at
    await session.flush()
    return found


async def try_correction(
    session: AsyncSession, appeal_id: int, wish: SandboxIn, *, by: Principal, at: datetime
) -> AppealSandbox:
    """Show what the corrected cell would change in the contested run; keep it beside the appeal.

    Raises:
        AppealNotFound: No such appeal is visible.
        WrongAppealState: It is decided or withdrawn.
        DecisionAboutAnotherCell: The value is of another cell.
    """
    found = await queries.appeal(session, appeal_id)
    if found.state not in OPEN:
        raise WrongAppealState(f"Апелляция в состоянии {found.state}", state=found.state)
    return await _sandbox(session, found, _corrected(found, wish.corrected), by=by, at=at)


def _corrected(
    found: Appeal, cell: ResultCell | AttributeCell | MarkCell | SignCell | None
) -> dict[str, Any]:
    if cell is None:
        return found.claimed
    kept = as_kept(cell)
    if cell_code(kept) != found.cell:
        raise DecisionAboutAnotherCell(f"Обжалуется {found.cell}, а указано {cell_code(kept)}")
    return kept


async def _sandbox(
    session: AsyncSession,
    found: Appeal,
    corrected: dict[str, Any],
    *,
    by: Principal,
    at: datetime,
) -> AppealSandbox:
    run = await identification.run(session, found.run_id)
    outcome = await try_out(
        session,
        run_id=run.id,
        methodology=await _methodology(session, run),
        school_id=found.school_id,
        cell=corrected,
    )
    kept = AppealSandbox(
        region_id=found.region_id,
        appeal_id=found.id,
        corrected=corrected,
        outcome=outcome.model_dump(mode="json"),
        computed_by=by.subject,
        computed_at=at,
    )
    session.add(kept)
    await session.flush()
    return kept


async def decide(
    session: AsyncSession,
    appeal_id: int,
    decision: DecisionIn,
    *,
    seen: int,
    by: Principal,
    at: datetime,
) -> Appeal:
    """Write the commission's decision down. An accepted correction is tried out and kept for later runs.

    Raises:
        WrongAppealState: It was not taken up, or is decided.
        OwnAppeal: The caller filed it.
        DecisionByPreparer: The caller prepared the contested list.
        DecisionAboutAnotherCell: The corrected cell is not the contested one.
    """
    found = await _locked(session, appeal_id, seen=seen, states=("under_review",))
    if found.filed_by == by.subject:
        raise OwnAppeal(hint="Попросите внести решение другого сотрудника региона")
    run = await identification.run(session, found.run_id)
    if run.prepared_by == by.subject:
        raise DecisionByPreparer(
            f"Список прогона {run.id} подготовлен вами",
            hint="Попросите внести решение другого сотрудника региона",
        )
    found.state, found.decided_by, found.decided_at = decision.outcome, by.subject, at
    found.decision_reason, found.commission = decision.reason, list(decision.commission)
    found.protocol_number, found.protocol_date = decision.protocol_number, decision.protocol_date
    found.order_number = decision.order_number
    if decision.outcome == "accepted":
        found.corrected = _corrected(found, decision.corrected)
        await _sandbox(session, found, found.corrected, by=by, at=at)
        _keep_correction(session, found, by=by, at=at)
    await session.flush()
    return found


def _keep_correction(session: AsyncSession, found: Appeal, *, by: Principal, at: datetime) -> None:
    """Leave the corrected numbers of a result to the next run; other cells have tables of their own."""
    if found.kind != "result" or found.corrected is None:
        return
    session.add(
        CellCorrection(
            region_id=found.region_id,
            municipality_id=found.municipality_id,
            school_id=found.school_id,
            procedure_id=found.procedure_id,
            appeal_id=found.id,
            n=found.corrected["n"],
            low=found.corrected["low"],
            failed=found.corrected["failed"],
            counts_hash=found.counts_hash,
            order_number=found.order_number,
            created_by=by.subject,
            created_at=at,
        )
    )
