"""Printed splits over HTTP."""

from typing import Annotated, Any

from fastapi import Path, Query, Response

from services.indicators.reconciliation import operations, queries
from services.indicators.reconciliation.access import SplitEditor, SplitReader
from services.indicators.reconciliation.operations import (
    FiguresInconsistent,
    SplitAlreadyKept,
    SplitOfNoRegion,
)
from services.indicators.reconciliation.queries import PrintedSplitNotFound
from services.indicators.reconciliation.schemas import (
    PrintedSplitIn,
    PrintedSplitOut,
    PrintedSplitRow,
)
from services.kit.database import Session
from services.kit.etags import tag
from services.kit.http import router
from services.kit.idempotency import IdempotencyKeyReused, Idempotent
from services.kit.inputs import Id
from services.kit.pages import CursorInvalid, Page, PageAsk
from services.kit.problems import problems

__all__ = ["routes"]

routes = router(prefix="/printed-splits", tags=["reconciliation"])


@routes.get(
    "",
    response_model=Page[PrintedSplitRow],
    summary="Напечатанные списки прежних лет",
    responses=problems(CursorInvalid),
)
async def list_printed_splits(
    caller: SplitReader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    year: Annotated[
        int | None, Query(ge=2000, le=2100, description="Только этого года", examples=[2019])
    ] = None,
    is_consistent: Annotated[
        bool | None,
        Query(description="true — только сходящиеся, false — только принятые как напечатаны"),
    ] = None,
) -> Any:
    """Списки, переписанные из документов, по порядку загрузки."""
    return await queries.printed_splits(session, year=year, is_consistent=is_consistent, ask=ask)


@routes.get(
    "/{split_id}",
    response_model=PrintedSplitOut,
    summary="Напечатанный список",
    responses=problems(PrintedSplitNotFound),
)
async def get_printed_split(
    split_id: Annotated[Id, Path(description="Номер напечатанного списка", examples=[2])],
    caller: SplitReader,  # noqa: ARG001  the check is the use
    session: Session,
    response: Response,
) -> Any:
    """Список, как напечатан, с замечаниями и с тем, что следует из его чисел."""
    found = await queries.printed_split(session, split_id)
    tag(response, found.version)
    return found


@routes.post(
    "",
    response_model=PrintedSplitOut,
    status_code=201,
    summary="Загрузить напечатанный список",
    responses=problems(
        FiguresInconsistent, SplitAlreadyKept, SplitOfNoRegion, IdempotencyKeyReused
    ),
    dependencies=[Idempotent],
)
async def keep_printed_split(
    wish: PrintedSplitIn, caller: SplitEditor, session: Session, response: Response
) -> Any:
    """Загрузить список прежнего года: итог, ячейки по признакам, проценты, муниципалитеты.

    Проверяется всё сразу: сходятся ли суммы, получается ли процент из числа округлением или
    отбрасыванием, есть ли такие муниципалитеты. Несходящийся список отклоняется, и каждое замечание
    говорит, какое число следует из остальных. С accept_as_printed и причиной он сохраняется с пометкой.
    """
    kept = await operations.keep(session, wish, by=caller)
    response.headers["Location"] = f"/api/indicators/v1/printed-splits/{kept.id}"
    tag(response, kept.version)
    return kept
