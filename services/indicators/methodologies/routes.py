"""Methodologies over HTTP."""

from typing import Annotated, Any

from fastapi import Path, Query, Response

from services.indicators.methodologies import operations, queries
from services.indicators.methodologies.access import MethodologyEditor, MethodologyReader
from services.indicators.methodologies.findings import Severity
from services.indicators.methodologies.operations import (
    MethodologyAlreadyAdded,
    RegionNotNamed,
    ReplacementUnsound,
    ShippedMethodologyNotFound,
)
from services.indicators.methodologies.packages import PackageFormatUnknown, canonical_bytes
from services.indicators.methodologies.queries import MethodologyVersionNotFound
from services.indicators.methodologies.schemas import (
    ComparisonOut,
    LintIn,
    LintOut,
    MethodologyVersionIn,
    MethodologyVersionOut,
    MethodologyVersionRow,
    PackageIn,
    PackageOut,
    ShippedOut,
)
from services.indicators.methodologies.shipped import shipped_methodologies
from services.kit.clock import Now
from services.kit.database import Session
from services.kit.etags import tag
from services.kit.http import router
from services.kit.idempotency import IdempotencyKeyReused, Idempotent
from services.kit.inputs import Id
from services.kit.pages import CursorInvalid, Page, PageAsk
from services.kit.problems import problems

__all__ = ["package_routes", "routes", "shipped_routes"]

VersionId = Annotated[Id, Path(description="Номер версии методики", examples=[3])]

shipped_routes = router(prefix="/shipped-methodologies", tags=["methodologies"])
routes = router(prefix="/methodology-versions", tags=["methodologies"])
package_routes = router(prefix="/methodology-packages", tags=["methodologies"])


@shipped_routes.get("", response_model=ShippedOut, summary="Поставляемые методики")
async def list_shipped_methodologies(caller: MethodologyReader) -> Any:  # noqa: ARG001  the check is the use
    """Документы методик, которые поставляются с Опорой.

    Регион берёт документ как есть (POST /methodology-versions с полем shipped) или присылает
    изменённую копию.
    """
    return {"items": list(shipped_methodologies().values())}


@routes.get(
    "",
    response_model=Page[MethodologyVersionRow],
    summary="Версии методик региона",
    responses=problems(CursorInvalid),
)
async def list_methodology_versions(
    caller: MethodologyReader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    code: Annotated[
        str | None, Query(max_length=40, description="Только этот код", examples=["federal-shnor"])
    ] = None,
) -> Any:
    """Версии методик по порядку добавления."""
    return await queries.methodology_versions(session, code=code, ask=ask)


@routes.post(
    "/lint",
    response_model=LintOut,
    summary="Проверить документ методики",
    responses=problems(RegionNotNamed),
)
async def lint_methodology(
    asked: LintIn, caller: MethodologyReader, session: Session, now: Now
) -> Any:
    """Проверить документ, ничего не сохраняя: ошибки, предупреждения, советы, каждое с местом.

    Проверяется сам документ (противоречия, правила, которые не выполнятся никогда, части, на которые
    никто не ссылается) и то, как он подходит региону: есть ли процедуры, результаты, показатели
    профилей, разрешено ли использование, не пересекаются ли сроки с другими версиями.
    """
    found = await operations.lint_document(session, asked, by=caller, at=now)
    wrong = sum(1 for one in found if one.severity is Severity.ERROR)
    return {
        "is_addable": not wrong,
        "errors": wrong,
        "warnings": sum(1 for one in found if one.severity is Severity.WARNING),
        "findings": found,
    }


@routes.get(
    "/{version_id:int}",
    response_model=MethodologyVersionOut,
    summary="Версия методики",
    responses=problems(MethodologyVersionNotFound),
)
async def get_methodology_version(
    version_id: VersionId,
    caller: MethodologyReader,  # noqa: ARG001  the check is the use
    session: Session,
    response: Response,
) -> Any:
    """Версия методики с документом: порог, предметы, правила, условия, малые группы, категории."""
    found = await queries.described_version(session, version_id)
    tag(response, found["version"])
    return found


@routes.get(
    "/{version_id}/comparison",
    response_model=ComparisonOut,
    summary="Чем версия методики отличается от другой",
    responses=problems(MethodologyVersionNotFound),
)
async def compare_methodology_versions(
    version_id: VersionId,
    caller: MethodologyReader,  # noqa: ARG001  the check is the use
    session: Session,
    other_id: Annotated[
        Id, Query(alias="with", description="Версия, с которой сравнить: что было", examples=[2])
    ],
) -> Any:
    """Различия словами: «порог низкого результата: 30 % → 25 %». Было — в версии with, стало — в этой.

    Названо каждое различие; у одинаковых документов список пуст.
    """
    return await queries.compared_versions(session, before_id=other_id, after_id=version_id)


@routes.get(
    "/{version_id}/package",
    response_model=PackageOut,
    summary="Выгрузить версию методики пакетом",
    responses=problems(MethodologyVersionNotFound),
)
async def export_methodology_version(
    version_id: VersionId,
    caller: MethodologyReader,  # noqa: ARG001  the check is the use
    session: Session,
) -> Any:
    """Пакет для другого региона: документ, хеши, откуда он, замечания линтера.

    Байты пакета одной версии всегда одинаковы. Хеш показывает порчу в пути, авторства не
    подтверждает.
    """
    package = await queries.package_of(session, version_id)
    return Response(canonical_bytes(package), media_type="application/json")


@package_routes.post(
    "",
    response_model=MethodologyVersionOut,
    status_code=201,
    summary="Принять пакет методики",
    responses={
        200: {"model": MethodologyVersionOut, "description": "Такая версия уже есть: вот она"},
        **problems(
            PackageFormatUnknown, MethodologyAlreadyAdded, RegionNotNamed, IdempotencyKeyReused
        ),
    },
    dependencies=[Idempotent],
)
async def import_methodology_package(
    package: PackageIn, caller: MethodologyEditor, session: Session, now: Now, response: Response
) -> Any:
    """Принять пакет, выгруженный другим регионом: следующая версия этого региона.

    Пакет с изменённым содержимым отклоняется (422). Документ проверяется заново, по этому региону.
    Если такой документ уже есть, ответ — существующая версия с кодом 200.
    """
    version, is_added = await operations.add_package(session, package, by=caller, at=now)
    response.status_code = 201 if is_added else 200
    return await _told(session, version.id, response)


@routes.post(
    "",
    response_model=MethodologyVersionOut,
    status_code=201,
    summary="Добавить версию методики",
    responses=problems(
        ShippedMethodologyNotFound,
        MethodologyVersionNotFound,
        MethodologyAlreadyAdded,
        ReplacementUnsound,
        RegionNotNamed,
        IdempotencyKeyReused,
    ),
    dependencies=[Idempotent],
)
async def add_methodology_version(
    wish: MethodologyVersionIn,
    caller: MethodologyEditor,
    session: Session,
    now: Now,
    response: Response,
) -> Any:
    """Добавить версию: поставляемую по коду или собственный документ.

    Документ проверяется целиком, как в POST /methodology-versions/lint: ошибки отклоняют его (422,
    места в errors), предупреждения и советы остаются при версии. Добавленная версия не меняется;
    исправление — новая версия.
    """
    added = await operations.add_version(session, wish, by=caller, at=now)
    return await _told(session, added.id, response)


async def _told(session: Session, version_id: int, response: Response) -> Any:
    found = await queries.described_version(session, version_id)
    if response.status_code != 200:
        response.headers["Location"] = f"/api/indicators/v1/methodology-versions/{version_id}"
    tag(response, found["version"])
    return found
