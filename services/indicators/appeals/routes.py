"""Appeals over HTTP."""

from typing import Annotated, Any

from fastapi import Path, Query, Response

from services.indicators.appeals import operations, queries
from services.indicators.appeals.access import AppealJudge, AppealReader, Appellant
from services.indicators.appeals.contested import (
    CellAlreadyChanged,
    CellNotInRun,
    CellOfSeveralSchools,
)
from services.indicators.appeals.operations import (
    AppealAlreadyFiled,
    AppealTermOver,
    DecisionAboutAnotherCell,
    DecisionByPreparer,
    NothingClaimed,
    OtherSideFiled,
    OwnAppeal,
    RunNotPublished,
    WrongAppealState,
)
from services.indicators.appeals.queries import AppealFilter, AppealNotFound
from services.indicators.appeals.schemas import (
    AppealIn,
    AppealKind,
    AppealOut,
    AppealState,
    AppealWithdrawalIn,
    DecisionIn,
    SandboxIn,
    SandboxOut,
)
from services.indicators.identification.queries import RunNotFound, RunSchoolNotFound
from services.indicators.suppression.access import EXACT
from services.kit.clock import Now
from services.kit.database import Session
from services.kit.etags import (
    EntityTagMalformed,
    IfMatch,
    PreconditionRequired,
    StaleVersion,
    tag,
)
from services.kit.http import router
from services.kit.idempotency import (
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    IdempotencyRequired,
    Idempotent,
)
from services.kit.inputs import Id
from services.kit.pages import CursorInvalid, Page, PageAsk
from services.kit.problems import problems

__all__ = ["routes"]

routes = router(prefix="/appeals", tags=["appeals"])

# What every step from one state of an appeal to the next may answer.
STEP = (AppealNotFound, WrongAppealState, PreconditionRequired, EntityTagMalformed, StaleVersion)

AppealId = Annotated[Id, Path(description="Номер апелляции", examples=[3])]


@routes.get(
    "", response_model=Page[AppealOut], summary="Апелляции", responses=problems(CursorInvalid)
)
async def list_appeals(
    caller: AppealReader,
    session: Session,
    ask: PageAsk,
    at: Now,
    run_id: Annotated[Id | None, Query(description="На этот прогон", examples=[7])] = None,
    school_id: Annotated[Id | None, Query(description="Этой школы", examples=[12])] = None,
    municipality_id: Annotated[
        Id | None, Query(description="Школ этого муниципалитета", examples=[3])
    ] = None,
    kind: Annotated[
        AppealKind | None, Query(description="О клетках этого вида", examples=["result"])
    ] = None,
    state: Annotated[
        AppealState | None, Query(description="В этом состоянии", examples=["filed"])
    ] = None,
    is_overdue: Annotated[
        bool | None,
        Query(description="true: только те, срок решения которых прошёл", examples=[True]),
    ] = None,
) -> Any:
    """Апелляции по порядку: регион видит все, муниципалитет — своих школ, школа — свои.

    Апелляции о признаках необъективности школы и кураторы не видят. Числа участников видит тот, у
    кого есть право indices:exact.
    """
    wanted = AppealFilter(run_id, school_id, municipality_id, kind, state, is_overdue)
    exact = EXACT in caller.scopes
    return await queries.appeals(session, wanted=wanted, at=at, is_exact=exact, ask=ask)


@routes.post(
    "",
    response_model=AppealOut,
    status_code=201,
    summary="Подать апелляцию",
    responses=problems(
        RunNotFound,
        RunSchoolNotFound,
        RunNotPublished,
        AppealTermOver,
        CellNotInRun,
        CellOfSeveralSchools,
        CellAlreadyChanged,
        NothingClaimed,
        AppealAlreadyFiled,
        IdempotencyKeyMissing,
        IdempotencyKeyReused,
    ),
    dependencies=[IdempotencyRequired],
)
async def file_appeal(
    wish: AppealIn, caller: Appellant, session: Session, response: Response, at: Now
) -> Any:
    """Обжаловать одну клетку, на которую опирается опубликованный список: не класс, а данные.

    Срок отсчитывается от публикации и задан методикой (appeals.filing_days, по умолчанию 30 суток);
    опоздавшую апелляцию принимает регион, с причиной. По одной клетке списка — одно решение.
    Опубликованный список апелляция не меняет: его меняет только новый утверждённый прогон.
    """
    filed = await operations.file(session, wish, by=caller, at=at)
    response.headers["Location"] = f"/api/indicators/v1/appeals/{filed.id}"
    tag(response, filed.version)
    return await queries.appeal_out(session, filed, at=at, is_exact=EXACT in caller.scopes)


@routes.get(
    "/{appeal_id}",
    response_model=AppealOut,
    summary="Апелляция",
    responses=problems(AppealNotFound),
)
async def get_appeal(
    appeal_id: AppealId, caller: AppealReader, session: Session, response: Response, at: Now
) -> Any:
    """Апелляция: клетка, доводы, срок, решение и прогон, в котором оно исполнено."""
    found = await queries.appeal(session, appeal_id)
    tag(response, found.version)
    return await queries.appeal_out(session, found, at=at, is_exact=EXACT in caller.scopes)


@routes.post(
    "/{appeal_id}/withdrawal",
    response_model=AppealOut,
    summary="Отозвать апелляцию",
    responses=problems(*STEP, OtherSideFiled, IdempotencyKeyReused),
    dependencies=[Idempotent],
)
async def withdraw_appeal(
    appeal_id: AppealId,
    why: AppealWithdrawalIn,
    caller: Appellant,
    session: Session,
    seen: IfMatch,
    response: Response,
    at: Now,
) -> Any:
    """Отозвать апелляцию, пока решения нет; это делает та сторона, которая её подала."""
    found = await operations.withdraw(session, appeal_id, why, seen=seen, by=caller, at=at)
    tag(response, found.version)
    return await queries.appeal_out(session, found, at=at, is_exact=EXACT in caller.scopes)


@routes.post(
    "/{appeal_id}/review",
    response_model=AppealOut,
    summary="Взять апелляцию в работу",
    responses=problems(*STEP, IdempotencyKeyReused),
    dependencies=[Idempotent],
)
async def start_appeal_review(
    appeal_id: AppealId,
    caller: AppealJudge,
    session: Session,
    seen: IfMatch,
    response: Response,
    at: Now,
) -> Any:
    """Взять поданную апелляцию на рассмотрение."""
    found = await operations.start_review(session, appeal_id, seen=seen, by=caller, at=at)
    tag(response, found.version)
    return await queries.appeal_out(session, found, at=at, is_exact=EXACT in caller.scopes)


@routes.get(
    "/{appeal_id}/sandboxes",
    response_model=Page[SandboxOut],
    summary="Пробные пересчёты по апелляции",
    responses=problems(AppealNotFound, CursorInvalid),
)
async def list_appeal_sandboxes(
    appeal_id: AppealId,
    caller: AppealJudge,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
) -> Any:
    """Что показали пробные пересчёты, по порядку; последний после решения — о принятой клетке."""
    return await queries.sandboxes(session, appeal_id, ask=ask)


@routes.post(
    "/{appeal_id}/sandboxes",
    response_model=SandboxOut,
    status_code=201,
    summary="Пересчитать на пробу",
    responses=problems(
        AppealNotFound, WrongAppealState, DecisionAboutAnotherCell, IdempotencyKeyReused
    ),
    dependencies=[Idempotent],
)
async def try_appeal_correction(
    appeal_id: AppealId, wish: SandboxIn, caller: AppealJudge, session: Session, at: Now
) -> Any:
    """Показать, что изменила бы исправленная клетка: те же замороженные данные, та же методика.

    Список и прогон не меняются. Видно и то, меняются ли ответы других школ: так бывает, когда признак
    зависит от места школы среди остальных.
    """
    kept = await operations.try_correction(session, appeal_id, wish, by=caller, at=at)
    return queries.sandbox_out(kept)


@routes.post(
    "/{appeal_id}/decision",
    response_model=AppealOut,
    summary="Решить апелляцию",
    responses=problems(
        *STEP, OwnAppeal, DecisionByPreparer, DecisionAboutAnotherCell, IdempotencyKeyMissing,
        IdempotencyKeyReused,
    ),
    dependencies=[IdempotencyRequired],
)  # fmt: skip
async def decide_appeal(
    appeal_id: AppealId,
    decision: DecisionIn,
    caller: AppealJudge,
    session: Session,
    seen: IfMatch,
    response: Response,
    at: Now,
) -> Any:
    """Внести решение комиссии: основание, протокол, должности; решает не подавший и не готовивший список.

    Удовлетворённая апелляция о результате становится поправкой: её учтёт следующий прогон, если данные
    клетки к тому времени останутся теми, что обжаловались. Список меняет только новый утверждённый прогон.
    """
    found = await operations.decide(session, appeal_id, decision, seen=seen, by=caller, at=at)
    tag(response, found.version)
    return await queries.appeal_out(session, found, at=at, is_exact=EXACT in caller.scopes)
