"""Clusters over HTTP."""

from typing import Annotated, Any

from fastapi import Path, Query, Request

from services.indicators.clusters import queries
from services.indicators.clusters.access import RunReader
from services.indicators.clusters.dimensions import Sizes
from services.indicators.clusters.schemas import ClustersOut, Dimension
from services.indicators.identification.queries import RunNotComputed, RunNotFound
from services.indicators.suppression.access import EXACT, Numbers
from services.kit.database import Session
from services.kit.http import router
from services.kit.inputs import Id
from services.kit.principals import MissingScope
from services.kit.problems import problems

__all__ = ["routes"]

routes = router(prefix="/identification-runs", tags=["clusters"])

_USUAL = (Dimension.SETTLEMENT, Dimension.RISK_PROFILE, Dimension.COMPLETENESS)


@routes.get(
    "/{run_id}/clusters",
    response_model=ClustersOut,
    summary="Кластеры школ прогона",
    responses=problems(RunNotFound, RunNotComputed),
)
async def get_run_clusters(
    request: Request,
    run_id: Annotated[Id, Path(description="Номер прогона выявления", examples=[7])],
    caller: RunReader,  # noqa: ARG001  the check is the use
    session: Session,
    numbers: Numbers,
    dimension: Annotated[
        list[Dimension] | None,
        Query(
            max_length=4,
            description="Измерения по порядку; без параметра — территория, рисковый профиль, комплектность",
            examples=[["settlement", "risk_profile"]],
        ),
    ] = None,
    at_least: Annotated[
        int,
        Query(
            ge=1,
            le=100,
            description="Наименьший кластер, школ; меньшие объединяются в прочие (настройка Опоры, не "
            "норма документа)",
            examples=[3],
        ),
    ] = 3,
    small_below: Annotated[
        int,
        Query(
            ge=1,
            le=2000,
            description="Меньше скольких учеников — самые малые; меньше наименьшей показываемой группы "
            "(5) — только с правом indices:exact",
            examples=[40],
        ),
    ] = 40,
    small_to: Annotated[
        int,
        Query(ge=1, le=5000, description="До скольких учеников — малочисленные", examples=[100]),
    ] = 100,
    is_listed: Annotated[
        bool,
        Query(description="true: только школы списка; false: все школы прогона", examples=[True]),
    ] = True,
) -> Any:
    """Кластерный подход: территориальная расположенность, рисковый профиль, комплектность.

    Каждый кластер объяснён тем, что у его школ общего: значения измерений, границы показателей, самая
    типичная школа, школы по муниципалитетам. Школа, о которой сведений нет, названа отдельно с причиной:
    ничего не досчитывается.
    """
    if small_below < request.app.state.settings.suppression_size and not numbers.is_exact:
        # Borders moved one by one would tell the number that the school's profile hides.
        raise MissingScope(f"Для такой границы размера нужно право {EXACT}")
    asked = tuple(dict.fromkeys(dimension)) if dimension else _USUAL
    return await queries.run_clusters(
        session,
        run_id,
        dimensions=asked,
        sizes=Sizes(small_below, max(small_below, small_to)),
        at_least=at_least,
        is_listed=is_listed,
        is_exact=numbers.is_exact,
    )
