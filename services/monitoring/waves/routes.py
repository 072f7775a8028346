"""Routes of waves."""

from typing import Annotated, Any

from fastapi import Path, Query, Request, Response

from services.kit import etags
from services.kit.clock import Now
from services.kit.database import Session
from services.kit.etags import IfMatch
from services.kit.http import router
from services.kit.idempotency import IdempotencyRequired, Idempotent
from services.kit.inputs import Id
from services.kit.pages import Page, PageAsk, Rows
from services.kit.problems import problems
from services.monitoring.peers.registry import Registry
from services.monitoring.waves import operations, queries
from services.monitoring.waves.access import WaveEditor, WaveReader
from services.monitoring.waves.operations import (
    WaveEmpty,
    WaveNotFound,
    WaveStateConflict,
    WaveTitleTaken,
)
from services.monitoring.waves.schemas import ExpectedSchoolOut, RosterIn, WaveEdit, WaveIn, WaveOut

__all__ = ["routes"]

routes = router(prefix="/waves", tags=["waves"])

WaveId = Annotated[Id, Path(description="Номер волны мониторинга", examples=[4])]


async def _shown(session: Session, wave_id: int, response: Response) -> Any:
    wave = await queries.visible_wave(session, wave_id)
    if wave is None:
        raise WaveNotFound
    etags.tag(response, wave.version)
    return wave


@routes.get("", summary="Волны мониторинга", response_model=Page[WaveOut])
async def list_waves(
    caller: WaveReader,  # noqa: ARG001  the check is the use
    session: Session,
    page: PageAsk,
    year: Annotated[
        int | None,
        Query(
            ge=2000,
            le=2100,
            description="Год окончания учебного года (2025 = 2024/2025)",
            examples=[2025],
        ),
    ] = None,
) -> Rows:
    """Волны региона по годам. Число школ считается по видимым вам школам."""
    return await queries.waves_of_year(session, year=year, page=page)


@routes.post(
    "",
    summary="Запланировать волну",
    status_code=201,
    response_model=WaveOut,
    responses=problems(WaveTitleTaken),
    dependencies=[Idempotent],
)
async def plan_wave(caller: WaveEditor, session: Session, wave: WaveIn, response: Response) -> Any:
    """Создаёт волну в состоянии planned; школы вносятся отдельным запросом."""
    planned = await operations.plan(session, wave, by=caller)
    response.headers["Location"] = f"/api/monitoring/v1/waves/{planned.id}"
    return await _shown(session, planned.id, response)


@routes.get("/{wave_id}", summary="Волна", response_model=WaveOut, responses=problems(WaveNotFound))
async def get_wave(
    caller: WaveReader,  # noqa: ARG001  the check is the use
    session: Session,
    wave_id: WaveId,
    response: Response,
) -> Any:
    """Волна с числом ожидаемых школ. ETag нужен для изменений."""
    return await _shown(session, wave_id, response)


@routes.patch(
    "/{wave_id}",
    summary="Изменить волну",
    response_model=WaveOut,
    responses=problems(WaveNotFound, WaveStateConflict, WaveTitleTaken),
)
async def edit_wave(
    caller: WaveEditor,  # noqa: ARG001  the check is the use
    session: Session,
    wave_id: WaveId,
    change: WaveEdit,
    version: IfMatch,
    response: Response,
) -> Any:
    """Меняет название и даты волны, пока она не закрыта."""
    await operations.edit(session, wave_id, change, seen_version=version)
    return await _shown(session, wave_id, response)


@routes.get(
    "/{wave_id}/schools",
    summary="Ожидаемые школы",
    response_model=Page[ExpectedSchoolOut],
    responses=problems(WaveNotFound),
)
async def list_expected_schools(
    caller: WaveReader,  # noqa: ARG001  the check is the use
    session: Session,
    wave_id: WaveId,
    page: PageAsk,
    response: Response,
) -> Rows:
    """Школы, от которых волна ждёт ответа; каждый видит свои."""
    await _shown(session, wave_id, response)
    return await queries.expected_schools(session, wave_id, page=page)


@routes.post(
    "/{wave_id}/schools",
    summary="Внести школы",
    response_model=WaveOut,
    responses=problems(WaveNotFound, WaveStateConflict),
    dependencies=[Idempotent],
)
async def add_expected_schools(
    caller: WaveEditor,
    request: Request,
    session: Session,
    wave_id: WaveId,
    roster: RosterIn,
    response: Response,
) -> Any:
    """Вносит школы в список запланированной волны. Уже внесённые не повторяются."""
    registry = Registry(request.app.state.peers.on_behalf("registry", caller.token))
    await operations.add_schools(session, wave_id, roster, registry=registry)
    return await _shown(session, wave_id, response)


@routes.post(
    "/{wave_id}/opening",
    summary="Открыть волну",
    response_model=WaveOut,
    responses=problems(WaveNotFound, WaveStateConflict, WaveEmpty),
    dependencies=[IdempotencyRequired],
)
async def open_wave(
    caller: WaveEditor,  # noqa: ARG001  the check is the use
    session: Session,
    wave_id: WaveId,
    version: IfMatch,
    at: Now,
    response: Response,
) -> Any:
    """Открывает приём ответов; список школ с этого момента не меняется."""
    await operations.open_for_answers(session, wave_id, seen_version=version, at=at)
    return await _shown(session, wave_id, response)


@routes.post(
    "/{wave_id}/closing",
    summary="Закрыть волну",
    response_model=WaveOut,
    responses=problems(WaveNotFound, WaveStateConflict),
    dependencies=[IdempotencyRequired],
)
async def close_wave(
    caller: WaveEditor,  # noqa: ARG001  the check is the use
    session: Session,
    wave_id: WaveId,
    version: IfMatch,
    at: Now,
    response: Response,
) -> Any:
    """Закрывает приём ответов окончательно."""
    await operations.close(session, wave_id, seen_version=version, at=at)
    return await _shown(session, wave_id, response)
