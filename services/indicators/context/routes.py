"""Indices of conditions and calculations over HTTP."""

from typing import Annotated, Any

from fastapi import Path, Query, Response

from services.indicators.context import operations, queries
from services.indicators.context.access import (
    ContextAnalyst,
    ContextCalculator,
    ContextEditor,
    ContextReader,
)
from services.indicators.context.operations import (
    AttributesUnknown,
    ContextIndexAlreadyAdded,
    ShippedIndexNotFound,
)
from services.indicators.context.queries import CalculationNotFound, ContextIndexNotFound
from services.indicators.context.schemas import (
    CalculationIn,
    CalculationOut,
    CalculationRow,
    ContextIndexIn,
    ContextIndexOut,
    ContextSchoolOut,
    ContextStatus,
    ShippedIndicesOut,
)
from services.indicators.context.shipped import shipped_indices
from services.kit.database import Session
from services.kit.http import router
from services.kit.idempotency import Idempotent
from services.kit.inputs import Id
from services.kit.pages import Page, PageAsk
from services.kit.problems import problems

__all__ = ["calculations", "indices"]

indices = router(prefix="/context-indices", tags=["context"])
calculations = router(prefix="/context-calculations", tags=["context"])

IndexId = Annotated[Id, Path(description="Номер версии индекса условий", examples=[4])]
CalculationId = Annotated[Id, Path(description="Номер расчёта", examples=[6])]


@indices.get("/shipped", response_model=ShippedIndicesOut, summary="Поставляемые индексы условий")
async def list_shipped_context_indices(
    caller: ContextReader,  # noqa: ARG001  the check is the use
) -> Any:
    """ИСБШ, индекс кадрового состава, коэффициент МТО.

    Документы называют их, но не дают весов, границ и норм: здесь это настройки Опоры, регион берёт
    индекс как есть или присылает своё определение.
    """
    return {"items": list(shipped_indices().values())}


@indices.get("", response_model=Page[ContextIndexOut], summary="Индексы условий региона")
async def list_context_indices(
    caller: ContextReader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    code: Annotated[
        str | None, Query(max_length=40, description="Только этот код", examples=["isbsh"])
    ] = None,
) -> Any:
    """Версии индексов по порядку добавления."""
    return await queries.context_indices(session, code=code, ask=ask)


@indices.post(
    "",
    response_model=ContextIndexOut,
    status_code=201,
    summary="Добавить версию индекса условий",
    responses=problems(ShippedIndexNotFound, ContextIndexAlreadyAdded, AttributesUnknown),
    dependencies=[Idempotent],
)
async def add_context_index(
    wish: ContextIndexIn, caller: ContextEditor, session: Session, response: Response
) -> Any:
    """Добавить версию: поставляемую по коду или собственное определение. Версия не меняется."""
    added = await operations.add_index(session, wish, by=caller)
    response.headers["Location"] = f"/api/indicators/v1/context-indices/{added.id}"
    return added


@indices.get(
    "/{index_id}",
    response_model=ContextIndexOut,
    summary="Индекс условий",
    responses=problems(ContextIndexNotFound),
)
async def read_context_index(
    index_id: IndexId,
    caller: ContextReader,  # noqa: ARG001  the check is the use
    session: Session,
) -> Any:
    """Версия индекса с определением: компоненты, веса, направление, метод."""
    return await queries.context_index(session, index_id)


@calculations.get("", response_model=Page[CalculationRow], summary="Расчёты условий")
async def list_context_calculations(
    caller: ContextAnalyst,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    year: Annotated[
        int | None,
        Query(ge=2000, le=2100, description="Только этот учебный год", examples=[2025]),
    ] = None,
) -> Any:
    """Расчёты региона по порядку. Это рабочие материалы: ниже региона они не видны."""
    return await queries.calculations(session, year=year, ask=ask)


@calculations.post(
    "",
    response_model=CalculationOut,
    status_code=201,
    summary="Посчитать индексы и ожидаемые результаты",
    responses=problems(ContextIndexNotFound, AttributesUnknown),
    dependencies=[Idempotent],
)
async def calculate_context(
    wish: CalculationIn, caller: ContextCalculator, session: Session, response: Response
) -> Any:
    """Посчитать по профилям года: индексы (версии региона или присланные) и ожидаемые результаты.

    Ответ хранится с хешами определений, прочитанных чисел и самого ответа; школы читаются страницами.
    Школа без результата или сведений остаётся в списке со статусом excluded и причиной.
    """
    made = await operations.calculate(session, wish, by=caller)
    response.headers["Location"] = f"/api/indicators/v1/context-calculations/{made.id}"
    return made


@calculations.get(
    "/{calculation_id}",
    response_model=CalculationOut,
    summary="Расчёт условий",
    responses=problems(CalculationNotFound),
)
async def read_context_calculation(
    calculation_id: CalculationId,
    caller: ContextAnalyst,  # noqa: ARG001  the check is the use
    session: Session,
) -> Any:
    """Расчёт: определения, компоненты с n, средним и отклонением, линия, сколько школ где."""
    return await queries.calculation(session, calculation_id)


@calculations.get(
    "/{calculation_id}/schools",
    response_model=Page[ContextSchoolOut],
    summary="Школы расчёта",
    responses=problems(CalculationNotFound),
)
async def list_context_schools(
    calculation_id: CalculationId,
    caller: ContextAnalyst,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    status: Annotated[
        ContextStatus | None, Query(description="Только такие", examples=["resilient"])
    ] = None,
    is_adverse: Annotated[
        bool | None, Query(description="Только в неблагоприятных условиях (true) или нет (false)")
    ] = None,
) -> Any:
    """Школы по кодам: индексы с компонентами, ожидаемый результат, остаток, статус и причины."""
    await queries.calculation(session, calculation_id)
    return await queries.calculated_schools(
        session,
        calculation_id,
        status=None if status is None else str(status),
        is_adverse=is_adverse,
        ask=ask,
    )
