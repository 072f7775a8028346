"""Routes of curators' grants."""

from datetime import date
from typing import Annotated

from fastapi import Path, Query, Response

from services.kit.clock import Now
from services.kit.database import Session
from services.kit.etags import tag
from services.kit.http import router
from services.kit.idempotency import IdempotencyRequired, Idempotent
from services.kit.inputs import Id
from services.kit.pages import Page, PageAsk
from services.kit.problems import problems
from services.registry.curatorship import operations, queries
from services.registry.curatorship.access import CuratorEditor, CuratorReader
from services.registry.curatorship.schemas import (
    GrantBulkIn,
    GrantBulkOut,
    GrantIn,
    GrantOut,
    Revocation,
)
from services.registry.curatorship.tables import CuratorGrant
from services.registry.schools.operations.network import SchoolNotFound

__all__ = ["grants"]

grants = router(prefix="/curator-grants", tags=["curators"])

GrantId = Annotated[Id, Path(description="Номер права куратора", examples=[8])]


@grants.get("", summary="Права кураторов", response_model=Page[GrantOut])
async def list_curator_grants(
    _: CuratorReader,
    session: Session,
    ask: PageAsk,
    curator: Annotated[
        str | None,
        Query(max_length=40, description="Учётная запись куратора", examples=["user:31"]),
    ] = None,
    school_id: Annotated[Id | None, Query(description="Школа", examples=[12])] = None,
    active_on: Annotated[
        date | None,
        Query(
            description="Только действующие в этот день и не отозванные", examples=["2026-09-01"]
        ),
    ] = None,
) -> object:
    """Кто какие школы курирует; куратор видит свои права, школа и муниципалитет свои школы."""
    return await queries.grants(
        session, curator=curator, school_id=school_id, active_on=active_on, ask=ask
    )


@grants.post(
    "",
    summary="Закрепить школу за куратором",
    status_code=201,
    response_model=GrantOut,
    dependencies=[Idempotent],
    responses=problems(SchoolNotFound),
)
async def create_curator_grant(
    caller: CuratorEditor, new: GrantIn, session: Session, response: Response
) -> CuratorGrant:
    """Куратор видит школу с valid_from до valid_to во всех сервисах, пока право не отозвано."""
    grant = await operations.give(session, new, by=caller.subject)
    response.headers["Location"] = f"/api/registry/v1/curator-grants/{grant.id}"
    tag(response, grant.version)
    return grant


@grants.post(
    "/bulk",
    summary="Закрепить много школ за кураторами",
    response_model=GrantBulkOut,
    dependencies=[IdempotencyRequired],
)
async def create_curator_grants(
    caller: CuratorEditor, bulk: GrantBulkIn, session: Session
) -> GrantBulkOut:
    """Закрепляет до 1000 школ: всё или ничего. Точно такое действующее право не повторяется."""
    return await operations.give_many(session, bulk, by=caller.subject)


@grants.get(
    "/{grant_id:int}",
    summary="Право куратора",
    response_model=GrantOut,
    responses=problems(operations.GrantNotFound),
)
async def read_curator_grant(
    _: CuratorReader, grant_id: GrantId, session: Session, response: Response
) -> CuratorGrant:
    """Одно право куратора."""
    grant = await operations.visible_grant(session, grant_id)
    tag(response, grant.version)
    return grant


@grants.post(
    "/{grant_id}/revocation",
    summary="Отозвать право куратора",
    response_model=GrantOut,
    dependencies=[Idempotent],
    responses=problems(operations.GrantNotFound, operations.AlreadyRevoked),
)
async def revoke_curator_grant(
    caller: CuratorEditor,
    grant_id: GrantId,
    revocation: Revocation,
    session: Session,
    now: Now,
    response: Response,
) -> CuratorGrant:
    """Отзывает право сразу; запись остаётся с причиной.

    If-Match не нужен: право меняется один раз, и второй отзыв получает 409.
    """
    grant = await operations.revoke(session, grant_id, revocation, by=caller.subject, at=now)
    tag(response, grant.version)
    return grant
