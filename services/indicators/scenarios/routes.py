"""Scenarios over HTTP: what-ifs of a run, kept beside it."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query, Response
from pydantic import Field

from services.indicators.identification.queries import RunNotComputed, RunNotFound
from services.indicators.scenarios import operations, queries
from services.indicators.scenarios.access import ScenarioEditor, ScenarioReader
from services.indicators.scenarios.answerable import InputsNotFrozen
from services.indicators.scenarios.documents import NothingChanged, SettingNotFound
from services.indicators.scenarios.inputs import RunNotReproduced
from services.indicators.scenarios.operations import ScenarioVoided
from services.indicators.scenarios.queries import ScenarioNotFound, ScenarioSchoolFilter
from services.indicators.scenarios.schemas import (
    ChangeCode,
    ComparisonOut,
    LadderOut,
    ScenarioIn,
    ScenarioOut,
    ScenarioRow,
    ScenarioSchoolOut,
    ScenarioVoidingIn,
)
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
from services.kit.idempotency import IdempotencyKeyReused, Idempotent
from services.kit.inputs import Id
from services.kit.pages import CursorInvalid, Page, PageAsk
from services.kit.problems import problems
from services.kit.words import Meanings

__all__ = ["routes"]

routes = router(prefix="/identification-runs/{run_id}", tags=["scenarios"])

RunId = Annotated[Id, Path(description="Номер прогона выявления", examples=[7])]
ScenarioId = Annotated[Id, Path(description="Номер сценария", examples=[2])]
Border = Annotated[
    Literal["lost_by_one", "gained_by_one", "within_interval", "any"],
    Meanings(
        "ScenarioBorder",
        {
            "lost_by_one": "признак исчез бы, будь одним низким результатом меньше",
            "gained_by_one": "признак появился бы, будь одним низким результатом больше",
            "within_interval": "порог внутри интервала: класс «возможно» или «не исключено»",
            "any": "любое из этого",
        },
    ),
]
LadderValue = Annotated[str, Field(min_length=1, max_length=40)]


@routes.post(
    "/scenarios",
    response_model=ScenarioOut,
    status_code=201,
    summary="Посчитать сценарий «что если»",
    responses=problems(
        RunNotFound,
        RunNotComputed,
        RunNotReproduced,
        InputsNotFrozen,
        NothingChanged,
        IdempotencyKeyReused,
    ),
    dependencies=[Idempotent],
)
async def create_scenario(
    run_id: RunId,
    wish: ScenarioIn,
    caller: ScenarioEditor,
    session: Session,
    response: Response,
) -> Any:
    """Ответить за все школы прогона при других настройках: те же замороженные данные, иная методика.

    Правки — RFC 7396 к документу методики прогона или документ целиком. В ответе: кто входит и кто
    выходит по муниципалитетам и видам школ, какая правка это делает, пограничные школы, согласие с
    прогоном и с прошлым годом. Что не заморожено (другие предметы, годы, признаки), отклоняется с
    указанием настройки. Сценарий не утверждают и не публикуют; видит его только регион.
    """
    made = await operations.create(session, run_id, wish, by=caller)
    response.headers["Location"] = (
        f"/api/indicators/v1/identification-runs/{run_id}/scenarios/{made.id}"
    )
    tag(response, made.version)
    return queries.scenario_out(made)


@routes.get(
    "/scenarios",
    response_model=Page[ScenarioRow],
    summary="Сценарии прогона",
    responses=problems(RunNotFound, CursorInvalid),
)
async def list_scenarios(
    run_id: RunId,
    caller: ScenarioReader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    is_voided: Annotated[
        bool | None,
        Query(description="true: только отменённые, false: только остальные", examples=[False]),
    ] = None,
) -> Any:
    """Сценарии прогона по порядку составления."""
    return await queries.scenarios(session, run_id, is_voided=is_voided, ask=ask)


@routes.get(
    "/scenarios/{scenario_id}",
    response_model=ScenarioOut,
    summary="Сценарий",
    responses=problems(ScenarioNotFound),
)
async def get_scenario(
    run_id: RunId,
    scenario_id: ScenarioId,
    caller: ScenarioReader,  # noqa: ARG001  the check is the use
    session: Session,
    response: Response,
) -> Any:
    """Сценарий: документ, правки словами, что меняется."""
    found = await queries.scenario(session, run_id, scenario_id)
    tag(response, found.version)
    return queries.scenario_out(found)


@routes.get(
    "/scenarios/{scenario_id}/schools",
    response_model=Page[ScenarioSchoolOut],
    summary="Школы сценария",
    responses=problems(ScenarioNotFound, CursorInvalid),
)
async def list_scenario_schools(
    run_id: RunId,
    scenario_id: ScenarioId,
    caller: ScenarioReader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    change: Annotated[
        ChangeCode | None, Query(description="Только с таким отличием", examples=["entered"])
    ] = None,
    municipality_id: Annotated[
        Id | None, Query(description="Номер муниципалитета", examples=[3])
    ] = None,
    is_listed: Annotated[
        bool | None,
        Query(
            description="true: только в списке сценария, false: только остальные", examples=[True]
        ),
    ] = None,
    border: Annotated[
        Border | None, Query(description="Только пограничные", examples=["lost_by_one"])
    ] = None,
) -> Any:
    """Все школы прогона по кодам: ответ прогона, ответ сценария и правка, которая его изменила."""
    wanted = ScenarioSchoolFilter(change, municipality_id, is_listed, border)
    return await queries.scenario_schools(session, run_id, scenario_id, wanted=wanted, ask=ask)


@routes.get(
    "/scenarios/{scenario_id}/comparison",
    response_model=ComparisonOut,
    summary="Два сценария рядом",
    responses=problems(ScenarioNotFound),
)
async def compare_scenarios(
    run_id: RunId,
    scenario_id: ScenarioId,
    caller: ScenarioReader,  # noqa: ARG001  the check is the use
    session: Session,
    other_scenario_id: Annotated[
        Id, Query(description="Номер другого сценария того же прогона", examples=[3])
    ],
) -> Any:
    """Чем различаются документы двух сценариев, какие школы они называют по-разному, их согласие."""
    return await queries.comparison(
        session, run_id, scenario_id, other_scenario_id=other_scenario_id
    )


@routes.post(
    "/scenarios/{scenario_id}/voiding",
    response_model=ScenarioOut,
    summary="Отменить сценарий",
    responses=problems(
        ScenarioNotFound,
        ScenarioVoided,
        PreconditionRequired,
        EntityTagMalformed,
        StaleVersion,
        IdempotencyKeyReused,
    ),
    dependencies=[Idempotent],
)
async def void_scenario(
    run_id: RunId,
    scenario_id: ScenarioId,
    why: ScenarioVoidingIn,
    caller: ScenarioEditor,
    session: Session,
    seen: IfMatch,
    response: Response,
    at: Now,
) -> Any:
    """Отложить сценарий с причиной; ничего не удаляется."""
    found = await operations.void(session, run_id, scenario_id, why, seen=seen, by=caller, at=at)
    tag(response, found.version)
    return queries.scenario_out(found)


@routes.get(
    "/sensitivity",
    response_model=LadderOut,
    summary="Лестница по одной настройке",
    responses=problems(RunNotFound, RunNotComputed, RunNotReproduced, SettingNotFound),
)
async def get_sensitivity(
    run_id: RunId,
    caller: ScenarioReader,  # noqa: ARG001  the check is the use
    session: Session,
    setting: Annotated[
        str,
        Query(
            max_length=300,
            pattern=r"^(/[^/\x00-\x1f]{1,60}){1,12}$",
            description="Настройка: указатель JSON в документе методики; части списков по коду или "
            "месту",
            examples=["/low_result/threshold"],
        ),
    ],
    value: Annotated[
        list[LadderValue],
        Query(
            min_length=1,
            max_length=41,
            description="Значения по порядку, параметр повторяется; как в документе методики",
            examples=[["1/5", "1/4", "3/10", "7/20"]],
        ),
    ],
) -> Any:
    """Сколько школ в списке при каждом значении одной настройки; всё остальное как в прогоне.

    Ничего не сохраняется. Невозможное значение не мешает остальным: причина — в его problem.
    """
    return await queries.sensitivity(session, run_id, setting=setting, values=value)
