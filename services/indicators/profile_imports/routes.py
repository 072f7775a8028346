"""Imports of profiles over HTTP."""

from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request, Response

from services.indicators.profile_imports import exporting, operations, queries, reading
from services.indicators.profile_imports.access import ProfileLoader
from services.indicators.profile_imports.layouts import layout_of
from services.indicators.profile_imports.queries import ProfileImportNotFound
from services.indicators.profile_imports.schemas import (
    FileFormat,
    ProfileImportCommitIn,
    ProfileImportOut,
    ProfileImportRowOut,
    ProfileImportSummary,
    RowOutcome,
)
from services.indicators.profiles import queries as profiles
from services.kit.clock import Now
from services.kit.database import Session
from services.kit.http import allow_body, router
from services.kit.idempotency import IdempotencyRequired
from services.kit.inputs import Id
from services.kit.pages import Page, PageAsk
from services.kit.problems import problems
from services.kit.spreadsheets import CSV, XLSX

__all__ = ["imports"]

imports = router(prefix="/profile-imports", tags=["profile-imports"])

ImportId = Annotated[Id, Path(description="Номер импорта профилей", examples=[3])]
_OfYear = Query(ge=2000, le=2100, description="Учебный год по году его окончания", examples=[2025])
_LARGEST = 20 * 1024 * 1024
"""Bytes: far more than a row for each school of the largest region."""


async def _receive(request: Request, _: ProfileLoader) -> bytes:
    """Return the uploaded bytes, read for a caller who may send them and before a transaction."""
    allow_body(request, _LARGEST)
    return await request.body()


_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_EXAMPLE = "# opora-profiles/1\r\nКод ОО;vacancies;on_register;internet\r\n670101;1,5;3/120;да\r\n"
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "Файл CSV или XLSX, как есть",
        "content": {
            "text/csv": _BINARY | {"example": _EXAMPLE},
            XLSX: _BINARY,
            "application/octet-stream": _BINARY,
        },
    }
}


@imports.post(
    "",
    summary="Загрузить файл профилей",
    status_code=201,
    response_model=ProfileImportOut,
    dependencies=[Depends(_receive), IdempotencyRequired],
    openapi_extra=_FILE,
    responses=problems(
        reading.ProfileFileUnreadable,
        reading.ProfileHeaderUnknown,
        reading.ProfileTemplateOutdated,
        reading.TooManyProfileRows,
    ),
)
async def upload_profiles(
    caller: ProfileLoader,
    body: Annotated[bytes, Depends(_receive)],
    session: Session,
    now: Now,
    response: Response,
    year: Annotated[int, _OfYear],
    source: Annotated[
        str,
        Query(
            min_length=1,
            max_length=200,
            description="Документ, откуда взяты сведения: он будет назван у каждой ячейки",
            examples=["Социальные паспорта школ, 2025"],
        ),
    ],
) -> Any:
    """Проверяет файл целиком и ничего не записывает: что неверно, перечислено сразу.

    Строка — школа, столбец — признак (код или название). Пустая ячейка — сведений нет: записанное
    раньше остаётся; «нет сведений» убирает записанное; «н/п» — не применимо; 0 — ноль. Доля: 0,35,
    35 % или 14/40. Тот же файл за тот же год остаётся тем же импортом. Сам файл не хранится.
    """
    sent = operations.ProfileUpload(body, year, source)
    kept = await operations.upload(session, sent, by=caller, now=now)
    response.headers["Location"] = f"/api/indicators/v1/profile-imports/{kept.id}"
    return kept


@imports.get("", summary="Импорты профилей", response_model=Page[ProfileImportSummary])
async def list_profile_imports(
    caller: ProfileLoader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    year: Annotated[int | None, _OfYear] = None,
) -> Any:
    """Импорты региона по порядку загрузки."""
    return await queries.imports(session, year=year, ask=ask)


@imports.get(
    "/template",
    summary="Шаблон файла профилей",
    response_class=Response,
    responses={
        200: {
            "content": {"text/csv": _TEXT | {"example": _EXAMPLE}, XLSX: _BINARY},
            "description": "Шаблон с меткой версии: действующие признаки и школы региона",
        }
    },
)
async def read_profile_template(
    caller: ProfileLoader,  # noqa: ARG001  the check is the use
    session: Session,
    year: Annotated[int, _OfYear],
    template_format: Annotated[
        FileFormat, Query(alias="format", description="csv или xlsx", examples=["csv"])
    ] = FileFormat.CSV,
) -> Response:
    """Шаблон с признаками региона и строкой на каждую школу, действовавшую в этом году."""
    layout = layout_of((await profiles.attributes_by_code(session)).values())
    schools = await profiles.schools_of_year(session, year)
    if template_format is FileFormat.XLSX:
        return _file(exporting.template_xlsx(layout, schools), XLSX, "opora-profiles.xlsx")
    return _file(exporting.template_csv(layout, schools), CSV, "opora-profiles.csv")


def _file(content: bytes, kind: str, name: str) -> Response:
    return Response(
        content,
        media_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@imports.get(
    "/{profile_import_id}",
    summary="Импорт профилей",
    response_model=ProfileImportOut,
    responses=problems(ProfileImportNotFound),
)
async def read_profile_import(
    profile_import_id: ImportId,
    caller: ProfileLoader,  # noqa: ARG001  the check is the use
    session: Session,
) -> Any:
    """Состояние импорта и всё, что найдено при проверке."""
    return await queries.visible_import(session, profile_import_id)


@imports.get(
    "/{profile_import_id}/rows",
    summary="Строки импорта профилей",
    response_model=Page[ProfileImportRowOut],
    responses=problems(ProfileImportNotFound),
)
async def list_profile_import_rows(
    profile_import_id: ImportId,
    caller: ProfileLoader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    outcome: Annotated[
        RowOutcome | None, Query(description="Только с таким исходом", examples=["reject"])
    ] = None,
) -> Any:
    """Строки файла по порядку: что с каждой будет и почему."""
    await queries.visible_import(session, profile_import_id)
    return await queries.rows(session, profile_import_id, outcome=outcome, ask=ask)


@imports.get(
    "/{profile_import_id}/marked",
    summary="Отклонённые строки профилей с замечаниями",
    response_class=Response,
    responses={
        200: {
            "content": {
                "text/csv": _TEXT
                | {
                    "example": "# opora-profiles/1\r\nКод ОО;Вакансий;Строка файла;Замечания\r\n"
                    "670101;много;2;Вакансий: Это не число\r\n"
                }
            },
            "description": "CSV: исправьте и загрузите",
        },
        **problems(ProfileImportNotFound),
    },
)
async def read_marked_profiles(
    profile_import_id: ImportId,
    caller: ProfileLoader,  # noqa: ARG001  the check is the use
    session: Session,
) -> Response:
    """Отклонённые строки в виде CSV по шаблону, с замечаниями в последнем столбце."""
    await queries.visible_import(session, profile_import_id)
    rejected = await queries.rows_of_outcome(session, profile_import_id, RowOutcome.REJECT)
    layout = layout_of((await profiles.attributes_by_code(session)).values())
    return _file(
        exporting.marked(layout, rejected), CSV, f"profiles-{profile_import_id}-rejected.csv"
    )


@imports.post(
    "/{profile_import_id}/commit",
    summary="Записать импорт профилей",
    response_model=ProfileImportOut,
    dependencies=[IdempotencyRequired],
    responses=problems(
        ProfileImportNotFound,
        operations.ProfileImportHasRejections,
        operations.ProfileImportEmpty,
        operations.ProfileImportOutdated,
    ),
)
async def commit_profile_import(
    profile_import_id: ImportId,
    decision: ProfileImportCommitIn,
    caller: ProfileLoader,
    session: Session,
    now: Now,
) -> Any:
    """Записывает принятые строки: все или ни одной, с повторной проверкой. Записанный не повторяется."""
    return await operations.commit(
        session, profile_import_id, accept_partial=decision.accept_partial, by=caller, now=now
    )
