"""Routes of schools, their sizes and the events of their network."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Response

from services.kit.clock import Now
from services.kit.database import Session
from services.kit.etags import IfMatch, PreconditionRequired, StaleVersion, tag
from services.kit.http import router
from services.kit.idempotency import Idempotent
from services.kit.inputs import Id
from services.kit.pages import Page, PageAsk
from services.kit.problems import problems
from services.registry.schools import queries
from services.registry.schools.access import SchoolEditor, SchoolReader
from services.registry.schools.operations import bulk as many
from services.registry.schools.operations import network, register
from services.registry.schools.schemas import (
    BulkOut,
    Closure,
    LineageStep,
    SchoolBulkIn,
    SchoolIn,
    SchoolOut,
    SchoolPatch,
    SchoolStateOut,
    SizeBulkIn,
    SizeBulkOut,
    SizeOut,
    Sort,
    Status,
    SuccessionIn,
    SuccessionOut,
)
from services.registry.schools.tables import School, Succession
from services.registry.schools.terms import SchoolKind, Stage, SuccessionKind
from services.registry.territory.operations import MunicipalityNotFound

__all__ = ["schools", "sizes", "successions"]

schools = router(prefix="/schools", tags=["schools"])
sizes = router(prefix="/school-sizes", tags=["schools"])
successions = router(prefix="/successions", tags=["schools"])

SchoolId = Annotated[Id, Path(description="Номер школы в Опоре (не код ОО)", examples=[12])]


def _moment(
    now: Now,
    as_of: Annotated[
        date | None,
        Query(description="Как было в этот день", examples=["2019-09-01"]),
    ] = None,
    known_at: Annotated[
        datetime | None,
        Query(
            description="Как Опора это знала в этот момент (UTC, если смещение не указано)",
            examples=["2026-03-01T00:00:00Z"],
        ),
    ] = None,
) -> queries.Moment | None:
    """Return the moment asked about; None when the question is about the present."""
    if as_of is None and known_at is None:
        return None
    if known_at is not None and known_at.tzinfo is None:
        known_at = known_at.replace(tzinfo=UTC)
    return queries.Moment(as_of or (known_at or now).date(), known_at)


Moment = Annotated[queries.Moment | None, Depends(_moment)]


def _filter(
    municipality_id: Annotated[Id | None, Query(description="Муниципалитет", examples=[3])] = None,
    kind: Annotated[SchoolKind | None, Query(description="Вид организации")] = None,
    stage: Annotated[Stage | None, Query(description="Учит на этом уровне")] = None,
    is_rural: Annotated[
        bool | None, Query(description="true: только сельские, false: только городские")
    ] = None,
    is_small: Annotated[
        bool | None, Query(description="true: только малокомплектные, false: только остальные")
    ] = None,
    adverse_conditions: Annotated[
        bool | None,
        Query(
            description="true: только функционирующие в неблагоприятных социальных условиях (ФНСУ), false: только остальные"
        ),
    ] = None,
    code: Annotated[
        str | None, Query(max_length=20, description="Код ОО целиком", examples=["670012"])
    ] = None,
    q: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=100,
            description="Часть наименования или кода; регистр не важен, е и ё равны",
            examples=["озерная"],
        ),
    ] = None,
    status: Annotated[
        Status, Query(description="open: действующие, closed: закрытые, all: все")
    ] = Status.OPEN,
) -> queries.SchoolFilter:
    return queries.SchoolFilter(
        municipality_id=municipality_id,
        kind=kind,
        stage=stage,
        is_rural=is_rural,
        is_small=is_small,
        adverse_conditions=adverse_conditions,
        code=code,
        q=q,
        status=status,
    )


@schools.get("", summary="Школы", response_model=Page[SchoolOut])
async def list_schools(
    _: SchoolReader,
    session: Session,
    ask: PageAsk,
    now: Now,
    moment: Moment,
    wanted: Annotated[queries.SchoolFilter, Depends(_filter)],
    sort: Annotated[Sort, Query(description="Порядок; прошлое (as_of) всегда по коду")] = Sort.CODE,
) -> object:
    """Школы в вашем охвате: сейчас или на прошлую дату (`as_of`, `known_at`).

    Без `status` показываются действующие на эту дату. Охват определяется сегодняшней
    принадлежностью школы: муниципалитет, из которого школа ушла, её прошлого не видит.
    """
    if moment is not None:
        return await queries.schools_then(session, wanted=wanted, moment=moment, ask=ask)
    return await queries.schools(session, wanted=wanted, today=now.date(), sort=sort, ask=ask)


@schools.post(
    "",
    summary="Внести школу",
    status_code=201,
    response_model=SchoolOut,
    dependencies=[Idempotent],
    responses=problems(MunicipalityNotFound, register.SchoolCodeTaken, register.VprLoginTaken),
)
async def create_school(
    _: SchoolEditor, new: SchoolIn, session: Session, now: Now, response: Response
) -> School:
    """Вносит школу; код не повторяется среди действующих школ региона."""
    school = await register.enter(session, new, today=now.date())
    response.headers["Location"] = f"/api/registry/v1/schools/{school.id}"
    tag(response, school.version)
    return school


@schools.post(
    "/bulk",
    summary="Записать много школ",
    response_model=BulkOut,
    dependencies=[Idempotent],
    responses=problems(register.SchoolCodeTaken, register.VprLoginTaken),
)
async def write_schools(_: SchoolEditor, bulk: SchoolBulkIn, session: Session, now: Now) -> BulkOut:
    """До 1000 школ одного региона за раз: все или ни одной.

    Действующая школа с таким кодом изменяется (только названные поля), остальные создаются. Всё
    неверное перечисляется сразу в `errors` с указателем на поле.
    """
    return await many.write_schools(session, bulk, today=now.date())


@schools.get(
    "/{school_id:int}",
    summary="Школа",
    response_model=SchoolOut,
    responses=problems(network.SchoolNotFound),
)
async def read_school(
    _: SchoolReader, school_id: SchoolId, session: Session, moment: Moment, response: Response
) -> object:
    """Школа сейчас (с ETag для изменения) или на прошлую дату (`as_of`, `known_at`)."""
    if moment is not None:
        then = await queries.school_then(session, school_id, moment)
        if then is None:
            raise network.SchoolNotFound("На этот момент сведений о школе нет")
        return then
    school = await network.visible_school(session, school_id)
    tag(response, school.version)
    return school


_EDITS = (network.SchoolNotFound, PreconditionRequired, StaleVersion)


@schools.patch(
    "/{school_id:int}",
    summary="Изменить школу",
    response_model=SchoolOut,
    responses=problems(
        *_EDITS,
        MunicipalityNotFound,
        register.EarlierThanState,
        register.SchoolCodeTaken,
        register.VprLoginTaken,
    ),
)
async def change_school(
    _: SchoolEditor,
    school_id: SchoolId,
    patch: SchoolPatch,
    expected: IfMatch,
    session: Session,
    now: Now,
    response: Response,
) -> School:
    """Меняет названные поля с `effective_on`; прежнее состояние остаётся в истории.

    `is_correction` заменяет ошибочное значение с начала действующего состояния; то, что Опора
    показывала раньше, по-прежнему читается через `known_at`.
    """
    school = await register.change(session, school_id, patch, expected=expected, today=now.date())
    tag(response, school.version)
    return school


@schools.post(
    "/{school_id}/closure",
    summary="Закрыть школу",
    response_model=SchoolOut,
    responses=problems(*_EDITS, register.AlreadyClosed, network.SuccessionLoop),
)
async def close_school(
    _: SchoolEditor,
    school_id: SchoolId,
    closure: Closure,
    expected: IfMatch,
    session: Session,
    now: Now,
    response: Response,
) -> School:
    """Закрывает школу с даты; с преемником записывается и присоединение. Школа не удаляется."""
    school = await register.close(session, school_id, closure, expected=expected, today=now.date())
    tag(response, school.version)
    return school


@schools.post(
    "/{school_id}/reopening",
    summary="Отменить закрытие школы",
    response_model=SchoolOut,
    responses=problems(*_EDITS, register.NotClosed, register.SchoolCodeTaken),
)
async def reopen_school(
    _: SchoolEditor, school_id: SchoolId, expected: IfMatch, session: Session, response: Response
) -> School:
    """Отменяет закрытие, внесённое по ошибке; события сети остаются в истории."""
    school = await register.reopen(session, school_id, expected=expected)
    tag(response, school.version)
    return school


@schools.get(
    "/{school_id}/states",
    summary="История школы",
    response_model=list[SchoolStateOut],
    responses=problems(network.SchoolNotFound),
)
async def list_school_states(
    _: SchoolReader,
    school_id: SchoolId,
    session: Session,
    with_superseded: Annotated[
        bool, Query(description="Показать и записи, заменённые исправлениями")
    ] = False,
) -> object:
    """Состояния школы от первого к действующему: с какого дня верно и когда записано."""
    await network.visible_school(session, school_id)
    return await queries.states(session, school_id, with_superseded=with_superseded)


@schools.get(
    "/{school_id}/lineage",
    summary="Предшественники и преемники школы",
    response_model=list[LineageStep],
    responses=problems(network.SchoolNotFound),
)
async def read_lineage(_: SchoolReader, school_id: SchoolId, session: Session) -> object:
    """Все присоединения и выделения на пути к школе и от неё, ближайшие сначала."""
    await network.visible_school(session, school_id)
    return await queries.lineage(session, school_id)


@sizes.get("", summary="Размеры школ", response_model=Page[SizeOut])
async def list_sizes(
    _: SchoolReader,
    session: Session,
    ask: PageAsk,
    year: Annotated[
        int | None,
        Query(
            ge=1990,
            le=2100,
            description="Год окончания учебного года (2025 = 2024/2025)",
            examples=[2025],
        ),
    ] = None,
    school_id: Annotated[Id | None, Query(description="Школа", examples=[12])] = None,
    municipality_id: Annotated[Id | None, Query(description="Муниципалитет", examples=[3])] = None,
) -> object:
    """Число обучающихся и классов по учебным годам."""
    return await queries.sizes(
        session, year=year, school_id=school_id, municipality_id=municipality_id, ask=ask
    )


@sizes.post(
    "/bulk",
    summary="Записать размеры школ",
    response_model=SizeBulkOut,
    dependencies=[Idempotent],
)
async def write_sizes(_: SchoolEditor, bulk: SizeBulkIn, session: Session) -> SizeBulkOut:
    """До 5000 размеров за раз: все или ни одного; известный размер школы за год заменяется."""
    return await many.write_sizes(session, bulk)


@successions.get("", summary="События сети школ", response_model=Page[SuccessionOut])
async def list_successions(
    _: SchoolReader,
    session: Session,
    ask: PageAsk,
    school_id: Annotated[
        Id | None, Query(description="Школа с любой стороны события", examples=[12])
    ] = None,
    kind: Annotated[SuccessionKind | None, Query(description="Вид события")] = None,
) -> object:
    """Присоединения, выделения, переименования, передачи и закрытия, по дате."""
    return await queries.successions(session, school_id=school_id, kind=kind, ask=ask)


@successions.post(
    "",
    summary="Записать событие сети",
    status_code=201,
    response_model=SuccessionOut,
    dependencies=[Idempotent],
    responses=problems(network.SchoolNotFound, network.SuccessionExists, network.SuccessionLoop),
)
async def create_succession(_: SchoolEditor, event: SuccessionIn, session: Session) -> Succession:
    """Записывает событие; круга в предшественниках быть не может. Саму школу событие не меняет."""
    return await network.record(session, event)
