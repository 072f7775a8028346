"""Imports, indices and lineage over HTTP."""

import asyncio
from typing import Annotated, Any

from fastapi import Header, Path, Query, Request, Response, Security
from pydantic import Field
from sqlalchemy import select

from services.indicators.procedures.queries import ProcedureNotFound, visible_procedure
from services.indicators.procedures.tables import Scale
from services.indicators.results import operations, queries, sheets, uploads
from services.indicators.results.access import ImportEditor, ImportReader, IndexReader
from services.indicators.results.layouts import LayoutCode, layout
from services.indicators.results.operations import (
    ImportNotReady,
    ProcedureClosed,
    RejectedRowsPresent,
)
from services.indicators.results.queries import ImportNotFound
from services.indicators.results.schemas import (
    CommitIn,
    Findings,
    ImportIn,
    ImportOut,
    ImportState,
    IndexOut,
    LineageOut,
    LowIndexOut,
)
from services.indicators.results.telling import index_out, lineage_out, low_index_out
from services.indicators.results.uploads import (
    DigestMalformed,
    DigestMismatch,
    FileRefused,
    FileTimedOut,
    FileTooBig,
    TableUnknown,
    UploadReplaced,
)
from services.indicators.suppression.access import EXACT, Numbers
from services.kit.database import Session, Transactions
from services.kit.etags import tag
from services.kit.http import allow_body, router
from services.kit.idempotency import IdempotencyKeyMissing, IdempotencyRequired, Idempotent
from services.kit.inputs import Id
from services.kit.pages import Page, PageAsk
from services.kit.principals import MissingScope, authorise
from services.kit.problems import Problem, problems
from services.kit.spreadsheets import CSV, XLSX

__all__ = ["imports", "indices", "results", "templates"]

imports = router(prefix="/imports", tags=["imports"])
templates = router(prefix="/import-templates", tags=["imports"])
indices = router(prefix="/indices", tags=["indices"])
results = router(prefix="/results", tags=["indices"])

ImportId = Annotated[Id, Path(description="Номер импорта результатов", examples=[3])]

_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_OWN = layout(LayoutCode.OPORA_RESULTS)
_TEMPLATE = sheets.template_csv(_OWN, _OWN.tables[0]).lstrip("\ufeff")
_FILE = {
    "requestBody": {
        "required": True,
        "description": "Файл как есть, без обёртки multipart",
        "content": {
            "text/csv": _BINARY | {"example": _TEMPLATE},
            XLSX: _BINARY,
            "application/octet-stream": _BINARY,
        },
    }
}


class TemplateNotFound(Problem):
    """There is no template of this name."""

    status = 404
    title = "Шаблон не найден"


class SubjectUnknown(Problem):
    """The procedure has no scale of this subject, or the subject is not a mass one."""

    status = 409
    title = "Предмет не массовый или его нет в процедуре"


@templates.get(
    "/{name}",
    summary="Шаблон файла результатов",
    response_class=Response,
    responses={
        200: {
            "content": {"text/csv": _TEXT | {"example": _TEMPLATE}, XLSX: _BINARY},
            "description": "Файл шаблона",
        },
        **problems(TemplateNotFound),
    },
)
async def read_import_template(
    caller: ImportReader,  # noqa: ARG001  the check is the use
    name: Annotated[
        str,
        Path(
            pattern=r"^[a-z0-9-]{1,40}\.(csv|xlsx)$",
            description="Раскладка и вид файла",
            examples=["opora-results.csv"],
        ),
    ],
    table: Annotated[
        str | None,
        Query(
            max_length=40, description="Таблица раскладки; не указано: первая", examples=["results"]
        ),
    ] = None,
) -> Response:
    """Шаблон с отметкой версии, заголовком и строкой-примером. Личных столбцов в нём нет."""
    code, _, form = name.rpartition(".")
    if code not in set(LayoutCode):
        raise TemplateNotFound(f"Раскладки: {', '.join(LayoutCode)}")
    shape = layout(LayoutCode(code))
    wanted = shape.table(table or shape.results_table)
    if wanted is None:
        raise TemplateNotFound(f"Таблицы: {', '.join(one.name for one in shape.tables)}")
    if form == "xlsx":
        return _download(sheets.template_xlsx(shape, wanted), XLSX, name)
    return _download(sheets.template_csv(shape, wanted).encode(), CSV, name)


@imports.post(
    "",
    response_model=ImportOut,
    status_code=201,
    summary="Начать импорт результатов",
    responses=problems(ProcedureNotFound, ProcedureClosed, IdempotencyKeyMissing),
    dependencies=[IdempotencyRequired],
)
async def create_import(
    new: ImportIn, caller: ImportEditor, session: Session, response: Response
) -> Any:
    """Создать импорт. Дальше: PUT файлов раскладки, проверка, подтверждение (commit)."""
    made = await operations.create_import(session, new, by=caller)
    response.headers["Location"] = f"/api/indicators/v1/imports/{made.id}"
    tag(response, made.version)
    return await queries.described(session, made)


@imports.get("", response_model=Page[ImportOut], summary="Импорты региона")
async def list_imports(
    caller: ImportReader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    procedure_id: Annotated[
        Id | None, Query(description="Только этой процедуры", examples=[5])
    ] = None,
    state: Annotated[ImportState | None, Query(description="Только в этом состоянии")] = None,
) -> Any:
    """Импорты по порядку создания."""
    shown, rows = await queries.imports(session, procedure_id=procedure_id, state=state, ask=ask)
    return {"items": shown, "next": rows.next, "total": rows.total}


@imports.get(
    "/{import_id}",
    response_model=ImportOut,
    summary="Импорт",
    responses=problems(ImportNotFound),
)
async def read_import(
    import_id: ImportId,
    caller: ImportReader,  # noqa: ARG001  the check is the use
    session: Session,
    response: Response,
) -> Any:
    """Состояние, ход задания, счётчики: rows_in = stored + rejected + ignored."""
    found = await queries.visible_import(session, import_id)
    tag(response, found.version)
    return await queries.described(session, found)


@imports.put(
    "/{import_id}/files/{table}",
    response_model=ImportOut,
    summary="Загрузить файл импорта",
    responses=problems(
        ImportNotFound,
        TableUnknown,
        ImportNotReady,
        FileRefused,
        FileTooBig,
        FileTimedOut,
        UploadReplaced,
        DigestMalformed,
        DigestMismatch,
    ),
    openapi_extra=_FILE,
    # The scope is checked here and not by an alias: the handler must not hold a transaction.
    dependencies=[Security(authorise, scopes=["imports:write"])],
)
async def put_import_file(
    import_id: ImportId,
    table: Annotated[
        str, Path(max_length=40, description="Таблица раскладки", examples=["results"])
    ],
    request: Request,
    transactions: Transactions,
    response: Response,
    # The contract says it by the media types of the body; as a parameter clients would send it twice.
    content_type: Annotated[
        str, Header(max_length=200, include_in_schema=False)
    ] = "application/octet-stream",
    repr_digest: Annotated[
        str | None,
        Header(
            max_length=200,
            description="SHA-256 файла (RFC 9530): повтор узнаётся до передачи тела",
            examples=["sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"],
        ),
    ] = None,
) -> Any:
    """Передать файл телом запроса.

    Пока файл идёт, имена, даты рождения и документы отбрасываются, а код участника заменяется
    псевдонимом; сам файл не хранится. Когда загружены все таблицы раскладки, начинается проверка.
    Тот же файл второй раз не загружается: ответ содержит первый импорт. Прерванную загрузку
    достаточно повторить.
    """
    settings = request.app.state.settings
    allow_body(request, settings.max_csv_bytes + 1024 * 1024)
    length = request.headers.get("content-length", "")
    upload = uploads.Upload(
        import_id=import_id,
        table=table,
        content_type=content_type,
        declared_bytes=int(length) if length.isdecimal() else None,
        repr_digest=repr_digest,
    )
    holder = await uploads.take_file(
        transactions, settings, _turns(request), upload, request.stream()
    )
    async with transactions() as session:
        found = await queries.visible_import(session, holder)
        shown = await queries.described(session, found)
    response.headers["Content-Location"] = f"/api/indicators/v1/imports/{holder}"
    return shown


@imports.get(
    "/{import_id}/findings",
    response_model=Findings,
    summary="Замечания проверки",
    responses=problems(ImportNotFound),
)
async def list_import_findings(
    import_id: ImportId,
    caller: ImportReader,  # noqa: ARG001  the check is the use
    session: Session,
) -> Any:
    """Всё, что не так, сразу: по правилам, с числом случаев, первым и последним местом и советом."""
    await queries.visible_import(session, import_id)
    return {"items": await queries.findings(session, import_id)}


@imports.get(
    "/{import_id}/findings.csv",
    summary="Отмеченные строки",
    response_class=Response,
    responses={
        200: {
            "content": {
                "text/csv": _TEXT
                | {
                    "example": "Строка;Код ОО;Предмет;Балл;Правило;Что сделать\r\n"
                    "32590;670012;rus;41;Балл выше максимального по шкале;Исправьте балл\r\n"
                }
            },
            "description": "Строки с замечаниями",
        },
        **problems(ImportNotFound),
    },
)
async def download_import_findings(
    import_id: ImportId,
    caller: ImportReader,  # noqa: ARG001  the check is the use
    session: Session,
) -> Response:
    """Отклонённые строки файла с правилом и советом (до 50 000), для открытия в Excel."""
    await queries.visible_import(session, import_id)
    marked = await sheets.marked_csv(queries.marked_rows(session, import_id))
    return _download(marked.encode(), CSV, f"import-{import_id}-findings.csv")


@imports.post(
    "/{import_id}/check",
    response_model=ImportOut,
    status_code=202,
    summary="Проверить ещё раз",
    responses=problems(ImportNotFound, ImportNotReady),
    dependencies=[Idempotent],
)
async def check_import(
    import_id: ImportId,
    caller: ImportEditor,  # noqa: ARG001  the check is the use
    session: Session,
) -> Any:
    """Повторить проверку: после добавления школ или шкал либо после сбоя."""
    found = await operations.check_again(session, import_id)
    return await queries.described(session, found)


@imports.post(
    "/{import_id}/commit",
    response_model=ImportOut,
    status_code=202,
    summary="Записать результаты",
    responses=problems(ImportNotFound, ImportNotReady, RejectedRowsPresent, IdempotencyKeyMissing),
    dependencies=[IdempotencyRequired],
)
async def commit_import(
    import_id: ImportId,
    caller: ImportEditor,
    session: Session,
    decision: CommitIn | None = None,
) -> Any:
    """Подтвердить проверенный импорт. Результаты вступают в силу целиком, со сводными данными."""
    found = await operations.commit_import(session, import_id, decision or CommitIn(), by=caller)
    return await queries.described(session, found)


@imports.post(
    "/{import_id}/cancellation",
    response_model=ImportOut,
    summary="Отменить импорт",
    responses=problems(ImportNotFound, ImportNotReady),
    dependencies=[Idempotent],
)
async def cancel_import(
    import_id: ImportId,
    caller: ImportEditor,  # noqa: ARG001  the check is the use
    session: Session,
) -> Any:
    """Отказаться от импорта; ничего из него не хранится."""
    found = await operations.cancel_import(session, import_id)
    return await queries.described(session, found)


@indices.get("", response_model=Page[IndexOut], summary="Показатели школ по предметам")
async def list_indices(
    caller: IndexReader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    numbers: Numbers,
    procedure_id: Annotated[
        Id | None, Query(description="Только эта процедура", examples=[5])
    ] = None,
    school_id: Annotated[Id | None, Query(description="Только эта школа", examples=[12])] = None,
    municipality_id: Annotated[
        Id | None, Query(description="Только этот муниципалитет", examples=[3])
    ] = None,
    year: Annotated[
        int | None,
        Query(
            ge=2000,
            le=2100,
            description="Год окончания учебного года (2025 = 2024/2025)",
            examples=[2025],
        ),
    ] = None,
) -> Any:
    """Участники и доли каждой школы по предметам: ниже Bmin, ниже минимума, не ниже Bmid.

    Доли точные: числитель и знаменатель рядом с округлённым процентом. Без права `indices:exact`
    числа, которые указывали бы на немногих учеников, скрыты и названы в `suppressed`.
    """
    rows = await queries.indices(
        session,
        procedure_id=procedure_id,
        school_id=school_id,
        municipality_id=municipality_id,
        year=year,
        ask=ask,
    )
    await numbers.look(row.procedure_id for row in rows.items)
    shown = [index_out(row, numbers) for row in rows.items]
    return {"items": shown, "next": rows.next, "total": rows.total}


@indices.get(
    "/low-results",
    response_model=Page[LowIndexOut],
    summary="Индекс низких результатов школ",
    responses=problems(ProcedureNotFound, SubjectUnknown),
)
async def list_low_indices(
    caller: IndexReader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    numbers: Numbers,
    procedure_id: Annotated[Id, Query(description="Процедура", examples=[5])],
    subject: Annotated[
        list[Annotated[str, Field(max_length=100)]] | None,
        Query(
            max_length=63,
            description="Коды массовых предметов; по умолчанию все массовые предметы процедуры",
            examples=[["rus", "math"]],
        ),
    ] = None,
    school_id: Annotated[Id | None, Query(description="Только эта школа", examples=[12])] = None,
    municipality_id: Annotated[
        Id | None, Query(description="Только этот муниципалитет", examples=[3])
    ] = None,
) -> Any:
    """Доля участников с результатом ниже Bmin хотя бы по одному массовому предмету.

    Считаются люди, а не работы; участник — тот, кто участвовал хотя бы в одном предмете процедуры.
    Выбор предметов просит право `indices:exact`: разности таких индексов говорили бы о немногих.
    """
    if subject is not None and not numbers.is_exact:
        raise MissingScope(
            f"Для выбора предметов нужно право {EXACT}",
            hint="Уберите параметр subject: индекс по всем массовым предметам вам виден",
        )
    await visible_procedure(session, procedure_id)
    scales = await session.scalars(
        select(Scale).where(Scale.procedure_id == procedure_id, Scale.is_mass)
    )
    masses = {scale.subject: 1 << scale.position for scale in scales}
    unknown = [code for code in subject or () if code not in masses]
    if unknown:
        raise SubjectUnknown(
            f"Не массовые предметы: {', '.join(unknown)}",
            hint=f"Массовые предметы процедуры: {', '.join(masses) or 'нет'}",
        )
    rows = await queries.low_indices(
        session,
        procedure_id=procedure_id,
        mass_mask=sum(masses[code] for code in set(subject or masses)),
        school_id=school_id,
        municipality_id=municipality_id,
        ask=ask,
    )
    await numbers.look([procedure_id])
    shown = [low_index_out(row, numbers) for row in rows.items]
    return {"items": shown, "next": rows.next, "total": rows.total}


@results.get("/lineage", response_model=Page[LineageOut], summary="Откуда результаты школы")
async def list_lineage(
    caller: IndexReader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    numbers: Numbers,
    school_id: Annotated[Id, Query(description="Школа", examples=[12])],
    procedure_id: Annotated[Id | None, Query(description="Процедура", examples=[5])] = None,
) -> Any:
    """Импорты, листы и строки, из которых сложились показатели школы."""
    rows = await queries.lineage(session, procedure_id=procedure_id, school_id=school_id, ask=ask)
    shown = [lineage_out(row, numbers) for row in rows.items]
    return {"items": shown, "next": rows.next, "total": rows.total}


def _turns(request: Request) -> asyncio.Semaphore:
    """Give the turnstile of this process: reading a file costs memory and a core."""
    state = request.app.state
    if not hasattr(state, "intake_turns"):
        state.intake_turns = asyncio.Semaphore(state.settings.intake_children)
    turns: asyncio.Semaphore = state.intake_turns
    return turns


def _download(body: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=media_type, headers=headers)
