"""Routes of participation."""

from typing import Annotated

from fastapi import Depends, Path, Query, Response

from services.kit.clock import Now
from services.kit.database import Session
from services.kit.etags import IfMatch, PreconditionRequired, StaleVersion, tag
from services.kit.http import router
from services.kit.idempotency import IdempotencyRequired, Idempotent
from services.kit.inputs import Id
from services.kit.pages import Page, PageAsk
from services.kit.problems import problems
from services.registry.participation import operations, queries
from services.registry.participation.access import ParticipationEditor, ParticipationReader
from services.registry.participation.schemas import (
    BulkIn,
    BulkOut,
    EventOut,
    MunicipalityCount,
    ParticipationIn,
    ParticipationOut,
    Status,
    Withdrawal,
)
from services.registry.participation.tables import Participation
from services.registry.participation.terms import Source
from services.registry.schools.operations.network import SchoolNotFound

__all__ = ["participations"]

participations = router(prefix="/participations", tags=["participations"])

ParticipationId = Annotated[
    Id, Path(description="Номер участия школы в программном году", examples=[21])
]


def _filter(
    year: Annotated[
        int | None,
        Query(
            ge=1990,
            le=2100,
            description="Год окончания учебного года (2025 = 2024/2025)",
            examples=[2025],
        ),
    ] = None,
    municipality_id: Annotated[Id | None, Query(description="Муниципалитет", examples=[3])] = None,
    school_id: Annotated[Id | None, Query(description="Школа", examples=[12])] = None,
    category: Annotated[
        str | None, Query(max_length=40, description="Код категории", examples=["low_results"])
    ] = None,
    source: Annotated[Source | None, Query(description="Основание")] = None,
    status: Annotated[
        Status, Query(description="active: участвуют, withdrawn: исключены, all: все")
    ] = Status.ACTIVE,
) -> queries.ParticipationFilter:
    return queries.ParticipationFilter(
        year=year,
        municipality_id=municipality_id,
        school_id=school_id,
        category=category,
        source=source,
        status=status,
    )


@participations.get("", summary="Участие школ", response_model=Page[ParticipationOut])
async def list_participations(
    _: ParticipationReader,
    session: Session,
    ask: PageAsk,
    wanted: Annotated[queries.ParticipationFilter, Depends(_filter)],
) -> object:
    """Какие школы участвуют, по какому основанию и с какими категориями."""
    return await queries.participations(session, wanted=wanted, ask=ask)


@participations.post(
    "",
    summary="Включить школу",
    status_code=201,
    response_model=ParticipationOut,
    dependencies=[Idempotent],
    responses=problems(
        SchoolNotFound,
        operations.SchoolClosed,
        operations.ProgrammeYearMissing,
        operations.YearClosed,
        operations.AlreadyParticipating,
    ),
)
async def create_participation(
    caller: ParticipationEditor,
    new: ParticipationIn,
    session: Session,
    now: Now,
    response: Response,
) -> Participation:
    """Включает школу в программный год по приказу или вручную; исключённая включается снова."""
    participation = await operations.enrol(session, new, by=caller.subject, today=now.date())
    response.headers["Location"] = f"/api/registry/v1/participations/{participation.id}"
    tag(response, participation.version)
    return participation


@participations.post(
    "/bulk",
    summary="Применить утверждённый список",
    response_model=BulkOut,
    dependencies=[IdempotencyRequired],
)
async def apply_participations(
    caller: ParticipationEditor, bulk: BulkIn, session: Session, now: Now
) -> BulkOut:
    """Записывает список школ целиком: всё или ничего.

    Список прогона выявления заменяет прежний: не названные школы, вошедшие по прежнему прогону,
    исключаются; вошедшие по приказу или вручную остаются. Прогон применяется один раз. Программный
    год открывается сам.
    """
    return await operations.apply_list(
        session, bulk, by=caller.subject, region_id=caller.reach.region_id, today=now.date()
    )


@participations.get(
    "/summary", summary="Участие по муниципалитетам", response_model=list[MunicipalityCount]
)
async def summarise_participations(
    _: ParticipationReader,
    session: Session,
    year: Annotated[
        int,
        Query(
            ge=1990,
            le=2100,
            description="Год окончания учебного года (2025 = 2024/2025)",
            examples=[2025],
        ),
    ],
) -> object:
    """Сколько школ участвует в каждом муниципалитете и с какими сочетаниями категорий."""
    return await queries.counts_by_municipality(session, year)


@participations.get(
    "/{participation_id:int}",
    summary="Участие школы",
    response_model=ParticipationOut,
    responses=problems(operations.ParticipationNotFound),
)
async def read_participation(
    _: ParticipationReader, participation_id: ParticipationId, session: Session, response: Response
) -> Participation:
    """Одно участие; ETag нужен для исключения."""
    participation = await operations.visible_participation(session, participation_id)
    tag(response, participation.version)
    return participation


@participations.get(
    "/{participation_id}/events",
    summary="История участия",
    response_model=list[EventOut],
    responses=problems(operations.ParticipationNotFound),
)
async def list_participation_events(
    _: ParticipationReader, participation_id: ParticipationId, session: Session
) -> object:
    """Все шаги участия по порядку: включение, изменения, исключение, повторное включение."""
    await operations.visible_participation(session, participation_id)
    return await queries.events(session, participation_id)


@participations.post(
    "/{participation_id}/withdrawal",
    summary="Исключить школу",
    response_model=ParticipationOut,
    responses=problems(
        operations.ParticipationNotFound,
        operations.AlreadyWithdrawn,
        PreconditionRequired,
        StaleVersion,
    ),
)
async def withdraw_participation(
    caller: ParticipationEditor,
    participation_id: ParticipationId,
    withdrawal: Withdrawal,
    expected: IfMatch,
    session: Session,
    now: Now,
    response: Response,
) -> Participation:
    """Исключает школу из программного года с причиной; запись остаётся."""
    participation = await operations.withdraw(
        session,
        participation_id,
        withdrawal,
        expected=expected,
        by=caller.subject,
        today=now.date(),
    )
    tag(response, participation.version)
    return participation
