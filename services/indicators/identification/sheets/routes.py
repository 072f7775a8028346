"""The decision sheet of a school over HTTP."""

from typing import Annotated

from fastapi import Path, Query, Response

from services.indicators.identification import queries
from services.indicators.identification.access import SIGNS, RunReader
from services.indicators.identification.queries import (
    RunNotComputed,
    RunNotFound,
    RunSchoolNotFound,
)
from services.indicators.identification.sheets.contents import sheet_of
from services.indicators.identification.sheets.document import DOCX, document
from services.indicators.identification.sheets.page import CONTENT_SECURITY_POLICY, page
from services.indicators.suppression.access import EXACT, Numbers
from services.kit.database import Session
from services.kit.http import router
from services.kit.inputs import Id
from services.kit.principals import MissingScope
from services.kit.problems import problems

__all__ = ["routes"]

routes = router(prefix="/identification-runs", tags=["identification"])

HTML = "text/html; charset=utf-8"
RunId = Annotated[Id, Path(description="Номер прогона выявления", examples=[7])]
SchoolId = Annotated[Id, Path(description="Номер школы в Опоре (не код ОО)", examples=[12])]


@routes.get(
    "/{run_id}/schools/{school_id}/sheet",
    summary="Лист решения по школе: страница",
    response_class=Response,
    responses={
        200: {
            "description": "Страница по-русски: вывод, правила, числа, как пересчитать, хеши",
            "content": {"text/html": {"schema": {"type": "string"}}},
        },
        **problems(RunNotFound, RunSchoolNotFound, RunNotComputed),
    },
)
async def read_decision_sheet(
    run_id: RunId,
    school_id: SchoolId,
    caller: RunReader,
    session: Session,
    numbers: Numbers,
) -> Response:
    """То же обоснование страницей, которую можно прочесть и напечатать без программ.

    Числа на ней те же, что в обосновании для этого читателя: кому числа малых групп скрыты, тот видит
    «скрыто». Страница ничего не загружает извне и ничего не выполняет.
    """
    trace = await queries.school_trace(
        session, run_id, school_id, numbers=numbers, sees_signs=SIGNS in caller.scopes
    )
    name = f"opora-sheet-{trace.year}-run-{run_id}-school-{school_id}.html"
    return Response(
        page(sheet_of(trace)),
        media_type=HTML,
        headers={
            "Content-Disposition": f'inline; filename="{name}"',
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        },
    )


@routes.get(
    "/{run_id}/schools/{school_id}/sheet.docx",
    summary="Лист решения по школе: документ DOCX",
    response_class=Response,
    responses={
        200: {
            "description": "Документ: вывод, правила, числа, как пересчитать, хеши, подписи",
            "content": {DOCX: {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems(RunNotFound, RunSchoolNotFound, RunNotComputed),
    },
)
async def download_decision_sheet(
    run_id: RunId,
    school_id: SchoolId,
    caller: RunReader,
    session: Session,
    numbers: Numbers,
    is_exact: Annotated[
        bool,
        Query(
            description="С точными числами учеников; просит право indices:exact", examples=[False]
        ),
    ] = False,
) -> Response:
    """То же обоснование документом для дела; одинаковое обоснование — одинаковые байты.

    Документ уходит из системы, поэтому числа малых групп в нём скрыты для всех, кто бы его ни взял;
    с точными числами его дают по `is_exact=true` тому, у кого есть право `indices:exact`. Признаки
    необъективности в нём есть только тогда и только у того, кто вправе их видеть.
    """
    if is_exact and not numbers.is_exact:
        raise MissingScope(f"Для точных чисел нужно право {EXACT}")
    shown = numbers if is_exact else numbers.as_published()
    trace = await queries.school_trace(
        session,
        run_id,
        school_id,
        numbers=shown,
        sees_signs=is_exact and SIGNS in caller.scopes,
    )
    name = f"opora-sheet-{trace.year}-run-{run_id}-school-{school_id}.docx"
    return Response(
        document(sheet_of(trace)),
        media_type=DOCX,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
