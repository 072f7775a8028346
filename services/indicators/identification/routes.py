"""Runs of identification over HTTP."""

from typing import Annotated, Any

from fastapi import Path, Query, Response

from services.indicators.identification import operations, queries
from services.indicators.identification.access import SIGNS, RunApprover, RunEditor, RunReader
from services.indicators.identification.differences.comparing import differences
from services.indicators.identification.differences.reasons import Reader
from services.indicators.identification.differences.schemas import DifferencesOut
from services.indicators.identification.freezing.considered import (
    MarginDiffers,
    NoMassSubjects,
    NoProcedures,
    UseNotPermitted,
)
from services.indicators.identification.operations import (
    ListHashDiffers,
    MethodologyNotInForce,
    OnlyForAnalysis,
    RunNotVerified,
    SamePerson,
    WrongRunState,
)
from services.indicators.identification.queries import (
    RunNotComputed,
    RunNotFound,
    RunSchoolNotFound,
    SchoolFilter,
)
from services.indicators.identification.schemas import (
    ApprovalIn,
    CertaintyCode,
    FlagCode,
    ListOut,
    RunIn,
    RunOut,
    RunSchoolOut,
    RunSchoolState,
    RunState,
    VerificationOut,
    VoidingIn,
)
from services.indicators.identification.tracing.schemas import TraceOut
from services.indicators.identification.workbook import workbook
from services.indicators.methodologies.queries import MethodologyVersionNotFound
from services.indicators.suppression.access import EXACT, Numbers
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
from services.kit.principals import MissingScope
from services.kit.problems import problems
from services.kit.spreadsheets import XLSX

__all__ = ["routes"]

routes = router(prefix="/identification-runs", tags=["identification"])

# What every step from one state of a run to the next may answer.
STEP = (RunNotFound, WrongRunState, PreconditionRequired, EntityTagMalformed, StaleVersion)

RunId = Annotated[Id, Path(description="Номер прогона выявления", examples=[7])]
SchoolId = Annotated[Id, Path(description="Номер школы в Опоре (не код ОО)", examples=[12])]


@routes.get(
    "", response_model=Page[RunOut], summary="Прогоны выявления", responses=problems(CursorInvalid)
)
async def list_identification_runs(
    caller: RunReader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    year: Annotated[
        int | None, Query(ge=2000, le=2100, description="Только этот год", examples=[2025])
    ] = None,
    state: Annotated[
        RunState | None, Query(description="Только в этом состоянии", examples=["published"])
    ] = None,
) -> Any:
    """Прогоны по порядку; ниже региона видны только опубликованные."""
    return await queries.runs(session, year=year, state=state, ask=ask)


@routes.post(
    "",
    response_model=RunOut,
    status_code=202,
    summary="Начать прогон",
    responses=problems(
        MethodologyVersionNotFound,
        MethodologyNotInForce,
        NoProcedures,
        UseNotPermitted,
        NoMassSubjects,
        MarginDiffers,
        IdempotencyKeyMissing,
        IdempotencyKeyReused,
    ),
    dependencies=[IdempotencyRequired],
)
async def start_identification_run(
    wish: RunIn, caller: RunEditor, session: Session, response: Response, at: Now
) -> Any:
    """Начать прогон: заморозить данные и применить методику ко всем школам региона.

    Считает фоновое задание: опрашивайте прогон, пока state — computing. Результаты процедуры, которые
    нельзя использовать для выявления, ведут к отказу с причиной.
    """
    run = await operations.start(session, wish, by=caller, at=at)
    response.headers["Location"] = f"/api/indicators/v1/identification-runs/{run.id}"
    tag(response, run.version)
    return await queries.run_out(session, run)


@routes.get("/{run_id}", response_model=RunOut, summary="Прогон", responses=problems(RunNotFound))
async def get_identification_run(
    run_id: RunId,
    caller: RunReader,  # noqa: ARG001  the check is the use
    session: Session,
    response: Response,
) -> Any:
    """Прогон: состояние, числа, хеши, кто и когда подготовил и утвердил."""
    run = await queries.run(session, run_id)
    tag(response, run.version)
    return await queries.run_out(session, run)


@routes.get(
    "/{run_id}/schools",
    response_model=Page[RunSchoolOut],
    summary="Школы прогона",
    responses=problems(RunNotFound, CursorInvalid),
)
async def list_identification_run_schools(
    run_id: RunId,
    caller: RunReader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    municipality_id: Annotated[
        Id | None, Query(description="Номер муниципалитета", examples=[3])
    ] = None,
    category: Annotated[
        str | None, Query(max_length=40, description="Код категории", examples=["nro"])
    ] = None,
    certainty: Annotated[
        CertaintyCode | None,
        Query(description="Только этого класса устойчивости", examples=["certain"]),
    ] = None,
    flag: Annotated[
        FlagCode | None, Query(description="Только с этим признаком", examples=["low_results"])
    ] = None,
    state: Annotated[
        RunSchoolState | None, Query(description="Только в этом состоянии", examples=["assessed"])
    ] = None,
    is_listed: Annotated[
        bool | None,
        Query(
            description="true: только те, что в списке, false: только остальные", examples=[True]
        ),
    ] = None,
) -> Any:
    """Все школы прогона по кодам, и те, что не в списке, с причиной, почему данных нет."""
    wanted = SchoolFilter(municipality_id, category, certainty, flag, state, is_listed)
    return await queries.run_schools(session, run_id, wanted=wanted, ask=ask)


@routes.get(
    "/{run_id}/schools/{school_id}/trace",
    response_model=TraceOut,
    summary="Обоснование по школе",
    responses=problems(RunNotFound, RunSchoolNotFound, RunNotComputed),
)
async def get_identification_trace(
    run_id: RunId,
    school_id: SchoolId,
    caller: RunReader,
    session: Session,
    numbers: Numbers,
) -> Any:
    """Почему школа в списке или нет: правила, годы, процедуры, предметы, числа, пороги, интервалы.

    Заканчивается импортами и строками файлов, из которых взяты числа. Вывод словами — в sentences.
    """
    return await queries.school_trace(
        session, run_id, school_id, numbers=numbers, sees_signs=SIGNS in caller.scopes
    )


@routes.get(
    "/{run_id}/list",
    response_model=ListOut,
    summary="Список по муниципалитетам",
    responses=problems(RunNotFound, RunNotComputed),
)
async def get_identification_list(
    run_id: RunId,
    caller: RunReader,  # noqa: ARG001  the check is the use
    session: Session,
    numbers: Numbers,
) -> Any:
    """Список: муниципалитет, всего, в том числе по категориям, школы с основаниями, итоги."""
    return await queries.run_list(session, run_id, numbers=numbers)


@routes.get(
    "/{run_id}/list.xlsx",
    summary="Список по муниципалитетам, XLSX",
    response_class=Response,
    responses={
        200: {
            "description": "Книга: муниципалитеты с итогом; школы с основаниями",
            "content": {XLSX: {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems(RunNotFound, RunNotComputed),
    },
)
async def download_identification_list(
    run_id: RunId,
    caller: RunReader,  # noqa: ARG001  the check is the use
    session: Session,
    numbers: Numbers,
    is_exact: Annotated[
        bool,
        Query(
            description="С точными числами учеников в основаниях; просит право indices:exact",
            examples=[False],
        ),
    ] = False,
) -> Response:
    """Тот же список книгой Excel; одинаковый список — одинаковые байты.

    Книга уходит из системы, поэтому числа малых групп в ней скрыты для всех, кто бы её ни взял;
    с точными числами её дают по `is_exact=true` тому, у кого есть право `indices:exact`.
    """
    if is_exact and not numbers.is_exact:
        raise MissingScope(f"Для точных чисел нужно право {EXACT}")
    shown = numbers if is_exact else numbers.as_published()
    listed = await queries.run_list(session, run_id, numbers=shown)
    name = f"opora-list-{listed.year}-run-{run_id}.xlsx"
    return Response(
        workbook(listed),
        media_type=XLSX,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@routes.get(
    "/{run_id}/differences",
    response_model=DifferencesOut,
    summary="Отличия от другого прогона",
    responses=problems(RunNotFound, RunNotComputed),
)
async def get_identification_differences(
    run_id: RunId,
    caller: RunReader,
    session: Session,
    earlier_run_id: Annotated[
        Id, Query(description="Номер прогона, с которым сравнить", examples=[5])
    ],
) -> Any:
    """Школы, о которых два прогона говорят разное, и почему: одним предложением и причинами.

    Причина названа достаточной, только если прежние данные с нею одной, пересчитанные по всему
    региону, дают новый ответ: числа (импорт, апелляция), шкала, методика, карточка школы, профиль,
    признаки необъективности. Иначе названо сочетание. Числа учеников видят те, у кого есть
    `indices:exact`.
    """
    reader = Reader(sees_numbers=EXACT in caller.scopes, sees_signs=SIGNS in caller.scopes)
    return await differences(
        session, run_id, earlier_run_id=earlier_run_id, reader=reader, by=caller
    )


@routes.post(
    "/{run_id}/preparation",
    response_model=RunOut,
    summary="Подготовить список к утверждению",
    responses=problems(*STEP, OnlyForAnalysis, IdempotencyKeyReused),
    dependencies=[Idempotent],
)
async def prepare_identification_run(
    run_id: RunId, caller: RunEditor, session: Session, seen: IfMatch, response: Response, at: Now
) -> Any:
    """Отметить черновик подготовленным: его утверждает другое лицо."""
    run = await operations.prepare(session, run_id, seen=seen, by=caller, at=at)
    tag(response, run.version)
    return await queries.run_out(session, run)


@routes.post(
    "/{run_id}/verification",
    response_model=VerificationOut,
    summary="Проверить прогон",
    responses=problems(RunNotFound, RunNotComputed),
)
async def verify_identification_run(
    run_id: RunId,
    caller: RunEditor,
    session: Session,
) -> Any:
    """Посчитать прогон заново по его замороженным данным и сравнить с тем, что записано.

    Ничего не меняет. Изменённая в базе строка видна: названы таблица, столбец и школа. Прогон, который
    не проходит проверку, нельзя утвердить.
    """
    return await queries.verification(session, run_id, sees_numbers=EXACT in caller.scopes)


@routes.post(
    "/{run_id}/approval",
    response_model=RunOut,
    summary="Утвердить список приказом",
    responses=problems(*STEP, SamePerson, ListHashDiffers, RunNotVerified, IdempotencyKeyReused),
    dependencies=[Idempotent],
)
async def approve_identification_run(
    run_id: RunId,
    order: ApprovalIn,
    caller: RunApprover,
    session: Session,
    seen: IfMatch,
    response: Response,
    at: Now,
) -> Any:
    """Утвердить подготовленный список: другое лицо, номер и дата приказа, хеш списка."""
    run = await operations.approve(session, run_id, order, seen=seen, by=caller, at=at)
    tag(response, run.version)
    return await queries.run_out(session, run)


@routes.post(
    "/{run_id}/publication",
    response_model=RunOut,
    status_code=202,
    summary="Опубликовать утверждённый список",
    responses=problems(*STEP, IdempotencyKeyMissing, IdempotencyKeyReused),
    dependencies=[IdempotencyRequired],
)
async def publish_identification_run(
    run_id: RunId, caller: RunApprover, session: Session, seen: IfMatch, response: Response
) -> Any:
    """Передать список в реестр, где школы становятся участниками, и открыть его всем уровням.

    Прогон становится published после того, как реестр принял список.
    """
    run = await operations.ask_for_publication(session, run_id, seen=seen, by=caller)
    tag(response, run.version)
    return await queries.run_out(session, run)


@routes.post(
    "/{run_id}/voiding",
    response_model=RunOut,
    summary="Отменить прогон",
    responses=problems(*STEP, IdempotencyKeyReused),
    dependencies=[Idempotent],
)
async def void_identification_run(
    run_id: RunId,
    why: VoidingIn,
    caller: RunEditor,
    session: Session,
    seen: IfMatch,
    response: Response,
    at: Now,
) -> Any:
    """Отменить прогон с причиной; ничего не удаляется. Опубликованный исправляют новым прогоном."""
    run = await operations.void(session, run_id, why, seen=seen, by=caller, at=at)
    tag(response, run.version)
    return await queries.run_out(session, run)
