"""Methodologies over HTTP."""

from typing import Annotated, Any

from fastapi import Path, Query, Response

from services.indicators.methodologies import operations, queries
from services.indicators.methodologies.access import MethodologyEditor, MethodologyReader
from services.indicators.methodologies.operations import (
    MethodologyAlreadyAdded,
    RegionNotNamed,
    ShippedMethodologyNotFound,
)
from services.indicators.methodologies.queries import MethodologyVersionNotFound
from services.indicators.methodologies.schemas import (
    MethodologyVersionIn,
    MethodologyVersionOut,
    MethodologyVersionRow,
    ShippedOut,
)
from services.indicators.methodologies.shipped import shipped_methodologies
from services.kit.database import Session
from services.kit.etags import tag
from services.kit.http import router
from services.kit.idempotency import IdempotencyKeyReused, Idempotent
from services.kit.inputs import Id
from services.kit.pages import CursorInvalid, Page, PageAsk
from services.kit.problems import problems

__all__ = ["routes", "shipped_routes"]

shipped_routes = router(prefix="/shipped-methodologies", tags=["methodologies"])
routes = router(prefix="/methodology-versions", tags=["methodologies"])


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


@routes.get(
    "/{version_id}",
    response_model=MethodologyVersionOut,
    summary="Версия методики",
    responses=problems(MethodologyVersionNotFound),
)
async def get_methodology_version(
    version_id: Annotated[Id, Path(description="Номер версии методики", examples=[3])],
    caller: MethodologyReader,  # noqa: ARG001  the check is the use
    session: Session,
    response: Response,
) -> Any:
    """Версия методики с документом: порог, предметы, правила, малые группы, категории."""
    found = await queries.methodology_version(session, version_id)
    tag(response, found.version)
    return found


@routes.post(
    "",
    response_model=MethodologyVersionOut,
    status_code=201,
    summary="Добавить версию методики",
    responses=problems(
        ShippedMethodologyNotFound, MethodologyAlreadyAdded, RegionNotNamed, IdempotencyKeyReused
    ),
    dependencies=[Idempotent],
)
async def add_methodology_version(
    wish: MethodologyVersionIn, caller: MethodologyEditor, session: Session, response: Response
) -> Any:
    """Добавить версию: поставляемую по коду или собственный документ.

    Документ проверяется целиком: сроки, правила, полнота и непересечение категорий. Добавленная
    версия не меняется; исправление — новая версия.
    """
    added = await operations.add_version(session, wish, by=caller)
    response.headers["Location"] = f"/api/indicators/v1/methodology-versions/{added.id}"
    tag(response, added.version)
    return added
