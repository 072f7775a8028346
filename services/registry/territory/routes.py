"""Routes of regions and municipalities."""

from typing import Annotated

from fastapi import Path, Query, Response

from services.kit.database import Session
from services.kit.etags import IfMatch, PreconditionRequired, StaleVersion, tag
from services.kit.http import router
from services.kit.idempotency import Idempotent
from services.kit.inputs import Id
from services.kit.pages import Page, PageAsk
from services.kit.problems import problems
from services.registry.territory import operations, queries
from services.registry.territory.access import RegionFounder, TerritoryEditor, TerritoryReader
from services.registry.territory.schemas import (
    MunicipalityIn,
    MunicipalityOut,
    MunicipalityPatch,
    RegionIn,
    RegionOut,
)
from services.registry.territory.tables import Municipality, Region

__all__ = ["municipalities", "regions"]

regions = router(prefix="/regions", tags=["territory"])
municipalities = router(prefix="/municipalities", tags=["territory"])

RegionId = Annotated[Id, Path(description="Номер региона в Опоре (не код региона)", examples=[1])]
MunicipalityId = Annotated[
    Id, Path(description="Номер муниципалитета в Опоре (не код МСУ)", examples=[3])
]


@regions.get("", summary="Регионы", response_model=Page[RegionOut])
async def list_regions(_: TerritoryReader, session: Session, ask: PageAsk) -> object:
    """Регионы в вашем охвате, по коду. Обычно это один регион."""
    return await queries.regions(session, ask=ask)


@regions.post(
    "",
    summary="Создать регион",
    status_code=201,
    response_model=RegionOut,
    dependencies=[Idempotent],
    responses=problems(operations.RegionCodeTaken, operations.NotTheSystem),
)
async def create_region(
    caller: RegionFounder, new: RegionIn, session: Session, response: Response
) -> Region:
    """Создаёт регион. Доступно только системному клиенту с правом regions:write."""
    region = await operations.found_region(session, new, by=caller.reach)
    response.headers["Location"] = f"/api/registry/v1/regions/{region.id}"
    tag(response, region.version)
    return region


@regions.get(
    "/{region_id}",
    summary="Регион",
    response_model=RegionOut,
    responses=problems(operations.RegionNotFound),
)
async def read_region(
    _: TerritoryReader, region_id: RegionId, session: Session, response: Response
) -> Region:
    """Один регион по номеру."""
    region = await operations.visible_region(session, region_id)
    tag(response, region.version)
    return region


@municipalities.get("", summary="Муниципалитеты", response_model=Page[MunicipalityOut])
async def list_municipalities(
    _: TerritoryReader,
    session: Session,
    ask: PageAsk,
    code: Annotated[
        str | None, Query(max_length=20, description="Код МСУ/АТЕ целиком", examples=["203"])
    ] = None,
    q: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=100,
            description="Часть наименования; регистр не важен, е и ё равны",
            examples=["велиж"],
        ),
    ] = None,
) -> object:
    """Муниципалитеты в вашем охвате, по коду."""
    return await queries.municipalities(session, code=code, q=q, ask=ask)


@municipalities.post(
    "",
    summary="Создать муниципалитет",
    status_code=201,
    response_model=MunicipalityOut,
    dependencies=[Idempotent],
    responses=problems(operations.MunicipalityCodeTaken, operations.RegionNotFound),
)
async def create_municipality(
    caller: TerritoryEditor, new: MunicipalityIn, session: Session, response: Response
) -> Municipality:
    """Добавляет муниципалитет в ваш регион; код не повторяется внутри региона."""
    municipality = await operations.add_municipality(session, new, region_id=caller.reach.region_id)
    response.headers["Location"] = f"/api/registry/v1/municipalities/{municipality.id}"
    tag(response, municipality.version)
    return municipality


@municipalities.get(
    "/{municipality_id}",
    summary="Муниципалитет",
    response_model=MunicipalityOut,
    responses=problems(operations.MunicipalityNotFound),
)
async def read_municipality(
    _: TerritoryReader, municipality_id: MunicipalityId, session: Session, response: Response
) -> Municipality:
    """Один муниципалитет по номеру; ETag нужен для изменения."""
    municipality = await operations.visible_municipality(session, municipality_id)
    tag(response, municipality.version)
    return municipality


@municipalities.patch(
    "/{municipality_id}",
    summary="Изменить муниципалитет",
    response_model=MunicipalityOut,
    responses=problems(
        operations.MunicipalityNotFound,
        operations.MunicipalityCodeTaken,
        PreconditionRequired,
        StaleVersion,
    ),
)
async def change_municipality(
    _: TerritoryEditor,
    municipality_id: MunicipalityId,
    patch: MunicipalityPatch,
    expected: IfMatch,
    session: Session,
    response: Response,
) -> Municipality:
    """Меняет названные поля; остальные остаются. Нужен If-Match с прочитанным ETag."""
    municipality = await operations.change_municipality(
        session, municipality_id, patch, expected=expected
    )
    tag(response, municipality.version)
    return municipality
