"""Routes of imports of schools."""

from datetime import date
from typing import Annotated, Any, cast

from fastapi import Depends, Path, Query, Request, Response

from services.kit.clock import Now
from services.kit.database import Session
from services.kit.http import allow_body, router
from services.kit.idempotency import IdempotencyRequired
from services.kit.inputs import Id
from services.kit.pages import Page, PageAsk
from services.kit.problems import problems
from services.kit.spreadsheets import CSV, XLSX
from services.kit.words import Word
from services.registry.school_imports import exporting, operations, queries, reading
from services.registry.school_imports.checking import RULES
from services.registry.school_imports.layouts import layout
from services.registry.school_imports.schemas import (
    CommitIn,
    ImportOut,
    ImportSummary,
    IssueOut,
    Outcome,
    RowOut,
)
from services.registry.schools.access import SchoolEditor
from services.registry.settings import RegistrySettings

__all__ = ["imports"]

imports = router(prefix="/school-imports", tags=["school-imports"])

ImportId = Annotated[Id, Path(description="Номер импорта школ", examples=[3])]


class TemplateFormat(Word):
    """Kinds of the template."""

    CSV = "csv", "текст с разделителями"
    XLSX = "xlsx", "книга Excel"


async def _receive(request: Request, _: SchoolEditor) -> bytes:
    """Return the uploaded bytes, read for a caller who may send them and before a transaction."""
    settings = cast("RegistrySettings", request.app.state.settings)
    allow_body(request, settings.max_upload_bytes)
    return await request.body()


_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "Файл CSV или XLSX, как есть",
        "content": {
            "text/csv": _BINARY
            | {
                "example": "# opora-schools/1\r\nКод ОО;Наименование;Код МСУ;Вид;Уровни образования\r\n"
                "670012;МБОУ «Средняя школа № 1» г. Велижа;101;sosh;noo,ooo,soo\r\n"
            },
            XLSX: _BINARY,
            "application/octet-stream": _BINARY,
        },
    }
}


@imports.post(
    "",
    summary="Загрузить файл школ",
    status_code=201,
    response_model=ImportOut,
    dependencies=[Depends(_receive), IdempotencyRequired],
    openapi_extra=_FILE,
    responses=problems(
        reading.FileEmpty,
        reading.FileUnreadable,
        reading.FileCut,
        reading.EncodingUnknown,
        reading.HeaderUnknown,
        reading.TemplateOutdated,
        reading.TooManyRows,
    ),
)
async def upload_schools(
    request: Request,
    caller: SchoolEditor,
    body: Annotated[bytes, Depends(_receive)],
    session: Session,
    now: Now,
    response: Response,
    create_municipalities: Annotated[
        bool, Query(description="Создать при записи муниципалитеты, которых нет в реестре")
    ] = False,
    effective_on: Annotated[
        date | None,
        Query(
            description="С какого дня верны изменения известных школ; не указано: со дня записи",
            examples=["2026-09-01"],
        ),
    ] = None,
) -> ImportOut:
    """Проверяет файл целиком и ничего не записывает: что неверно, перечислено сразу.

    Тот же файл остаётся тем же импортом: непроведённый проверяется заново, записанный
    возвращается как есть. Сам файл не хранится.
    """
    settings = cast("RegistrySettings", request.app.state.settings)
    import_id = await operations.upload(
        session,
        operations.Upload(
            body,
            create_municipalities,
            effective_on,
            settings.max_upload_rows,
            settings.max_inflated_bytes,
        ),
        region_id=caller.reach.region_id,
        by=caller.subject,
        now=now,
    )
    response.headers["Location"] = f"/api/registry/v1/school-imports/{import_id}"
    return await _told(session, import_id)


async def _told(session: Session, import_id: int) -> ImportOut:
    found = await operations.visible_import(session, import_id)
    issues = [
        IssueOut(
            rule=issue.rule,
            effect=issue.effect,
            title=RULES[issue.rule].title,
            remedy=RULES[issue.rule].remedy,
            column=issue.column_title,
            rows=issue.rows,
            first_row=issue.first_row,
            last_row=issue.last_row,
            value=issue.value,
            detail=issue.detail,
        )
        for issue in await queries.issues(session, import_id)
    ]
    return ImportOut(**ImportSummary.model_validate(found).model_dump(), issues=issues)


@imports.get("", summary="Импорты школ", response_model=Page[ImportSummary])
async def list_school_imports(_: SchoolEditor, session: Session, ask: PageAsk) -> object:
    """Импорты региона по порядку загрузки."""
    return await queries.imports(session, ask=ask)


@imports.get(
    "/template",
    summary="Шаблон файла школ",
    response_class=Response,
    responses={
        200: {
            "content": {
                "text/csv": _TEXT
                | {"example": exporting.template_csv(layout()).decode("utf-8-sig")},
                XLSX: _BINARY,
            },
            "description": "Шаблон с меткой версии",
        }
    },
)
async def read_school_template(
    _: SchoolEditor,
    template_format: Annotated[
        TemplateFormat, Query(alias="format", description="csv или xlsx")
    ] = TemplateFormat.CSV,
) -> Response:
    """Шаблон с действующей версией; в XLSX на втором листе пояснения к столбцам."""
    if template_format is TemplateFormat.XLSX:
        return _file(exporting.template_xlsx(layout()), XLSX, "opora-schools.xlsx")
    return _file(exporting.template_csv(layout()), CSV, "opora-schools.csv")


def _file(content: bytes, kind: str, name: str) -> Response:
    return Response(
        content,
        media_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@imports.get(
    "/{import_id}",
    summary="Импорт школ",
    response_model=ImportOut,
    responses=problems(operations.ImportNotFound),
)
async def read_school_import(_: SchoolEditor, import_id: ImportId, session: Session) -> ImportOut:
    """Состояние импорта и всё, что найдено при проверке."""
    return await _told(session, import_id)


@imports.get(
    "/{import_id}/rows",
    summary="Строки импорта",
    response_model=Page[RowOut],
    responses=problems(operations.ImportNotFound),
)
async def list_school_import_rows(
    _: SchoolEditor,
    import_id: ImportId,
    session: Session,
    ask: PageAsk,
    outcome: Annotated[Outcome | None, Query(description="Только с таким исходом")] = None,
) -> object:
    """Строки файла по порядку: что с каждой будет и почему."""
    await operations.visible_import(session, import_id)
    return await queries.rows(session, import_id, outcome=outcome, ask=ask)


@imports.get(
    "/{import_id}/marked",
    summary="Отклонённые строки с замечаниями",
    response_class=Response,
    responses={
        200: {
            "content": {
                "text/csv": _TEXT
                | {
                    "example": "# opora-schools/1\r\nКод ОО;Код МСУ;Строка файла;Замечания\r\n"
                    "670012;999;2;Муниципалитета нет в реестре\r\n"
                }
            },
            "description": "CSV: исправьте и загрузите",
        },
        **problems(operations.ImportNotFound),
    },
)
async def read_marked_rows(_: SchoolEditor, import_id: ImportId, session: Session) -> Response:
    """Отклонённые строки в виде CSV по шаблону, с замечаниями в последнем столбце."""
    await operations.visible_import(session, import_id)
    rejected = await queries.rejected_rows(session, import_id)
    return _file(exporting.marked(layout(), rejected), CSV, f"schools-{import_id}-rejected.csv")


@imports.post(
    "/{import_id}/commit",
    summary="Записать импорт",
    status_code=202,
    response_model=ImportOut,
    dependencies=[IdempotencyRequired],
    responses=problems(
        operations.ImportNotFound, operations.ImportHasRejections, operations.ImportIsEmpty
    ),
)
async def commit_school_import(
    _: SchoolEditor, import_id: ImportId, decision: CommitIn, session: Session
) -> ImportOut:
    """Передаёт принятые строки на запись: все или ни одной, с повторной проверкой.

    Следите за `state`: committing, затем committed или failed (причина в `failure`; загрузите файл
    ещё раз). Записанный импорт не записывается повторно.
    """
    await operations.ask_commit(session, import_id, accept_partial=decision.accept_partial)
    return await _told(session, import_id)
