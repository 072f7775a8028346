"""Leaving the list over HTTP."""

from typing import Annotated, Any

from fastapi import Path, Query

from services.indicators.exits import queries
from services.indicators.exits.schemas import ExitsOut, ExitStage, SchoolExitOut
from services.indicators.identification.access import RunReader
from services.indicators.identification.queries import (
    RunNotComputed,
    RunNotFound,
    RunSchoolNotFound,
)
from services.kit.database import Session
from services.kit.http import router
from services.kit.inputs import Id
from services.kit.problems import problems

__all__ = ["routes"]

routes = router(prefix="/identification-runs", tags=["identification"])

RunId = Annotated[Id, Path(description="Номер прогона выявления", examples=[7])]
SchoolId = Annotated[Id, Path(description="Номер школы в Опоре (не код ОО)", examples=[12])]


@routes.get(
    "/{run_id}/exits",
    response_model=ExitsOut,
    summary="Выход из списка и наблюдение",
    responses=problems(RunNotFound, RunNotComputed),
)
async def get_identification_exits(
    run_id: RunId,
    caller: RunReader,  # noqa: ARG001  the check is the use
    session: Session,
    stage: Annotated[
        ExitStage | None, Query(description="Только в этом состоянии", examples=["watch"])
    ] = None,
    municipality_id: Annotated[
        Id | None, Query(description="Номер муниципалитета", examples=[3])
    ] = None,
) -> Any:
    """Кто остаётся в списке, кто под наблюдением, кто выходит и кто вернулся, по правилу методики (или по умолчанию).

    Следует из последних опубликованных списков каждого года и самого прогона; у каждой школы названы
    годы и прогоны. Школы, которых в списке низких результатов не было или которые давно вышли, не
    перечислены. Публикация это правило не применяет: участниками становятся школы списка.
    """
    return await queries.exits(session, run_id, stage=stage, municipality_id=municipality_id)


@routes.get(
    "/{run_id}/schools/{school_id}/exit",
    response_model=SchoolExitOut,
    summary="Выход школы из списка",
    responses=problems(RunNotFound, RunSchoolNotFound, RunNotComputed),
)
async def get_identification_school_exit(
    run_id: RunId,
    school_id: SchoolId,
    caller: RunReader,  # noqa: ARG001  the check is the use
    session: Session,
) -> Any:
    """Где школа на пути из списка и по каким годам, хотя бы она в нём и не была."""
    return await queries.school_exit(session, run_id, school_id)
