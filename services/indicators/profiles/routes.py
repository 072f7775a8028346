"""Attributes and profiles over HTTP."""

from typing import Annotated, Any

from fastapi import Path, Query, Request, Response

from services.indicators.profiles import operations, queries, statistics
from services.indicators.profiles.access import ProfileAnalyst, ProfileEditor, ProfileReader
from services.indicators.profiles.catalogue import catalogue
from services.indicators.profiles.operations import (
    AttributeExists,
    CatalogueAttributeUnknown,
    ProfileExists,
    ProfileSchoolNotFound,
)
from services.indicators.profiles.queries import AttributeNotFound, ProfileNotFound
from services.indicators.profiles.schemas import (
    AdoptionIn,
    AdoptionOut,
    AttributeIn,
    AttributeOut,
    AttributePatch,
    BulkProfilesIn,
    BulkProfilesOut,
    CatalogueOut,
    CorrelationOut,
    Group,
    ProfileIn,
    ProfileOut,
    ProfilePut,
    ProfileRow,
    StatisticsOut,
)
from services.indicators.profiles.tables import SchoolProfile
from services.indicators.profiles.telling import told_cells
from services.indicators.suppression.access import EXACT
from services.kit.clock import Now
from services.kit.database import Session
from services.kit.etags import IfMatch, PreconditionRequired, StaleVersion, tag
from services.kit.http import router
from services.kit.idempotency import Idempotent
from services.kit.inputs import Id
from services.kit.pages import Page, PageAsk
from services.kit.principals import Principal
from services.kit.problems import problems

__all__ = ["attributes", "figures", "profiles"]

attributes = router(prefix="/profile-attributes", tags=["profiles"])
profiles = router(prefix="/school-profiles", tags=["profiles"])
figures = router(prefix="/profile-statistics", tags=["profiles"])

AttributeId = Annotated[Id, Path(description="Номер признака", examples=[7])]
ProfileId = Annotated[Id, Path(description="Номер профиля", examples=[40])]
_OfYear = Query(
    ge=2000,
    le=2100,
    description="Учебный год по году его окончания (2025 — 2024/2025)",
    examples=[2025],
)
_Year = Annotated[int, _OfYear]
_Code = Query(pattern=r"^[a-z][a-z0-9_]{0,59}$", description="Код признака", examples=["pupils"])


@attributes.get("/catalogue", response_model=CatalogueOut, summary="Каталог признаков")
async def list_catalogue_attributes(
    caller: ProfileReader,  # noqa: ARG001  the check is the use
) -> Any:
    """Признаки, которые поставляются с Опорой, с источниками; регион берёт из них нужные."""
    return {"items": list(catalogue().values())}


@attributes.post(
    "/adoption",
    response_model=AdoptionOut,
    summary="Взять признаки из каталога",
    responses=problems(CatalogueAttributeUnknown, AttributeExists),
    dependencies=[Idempotent],
)
async def adopt_attributes(wish: AdoptionIn, caller: ProfileEditor, session: Session) -> Any:
    """Завести в регионе признаки каталога: названные или все. Взятые раньше остаются как есть."""
    return await operations.adopt(session, wish, by=caller)


@attributes.get("", response_model=Page[AttributeOut], summary="Признаки региона")
async def list_profile_attributes(
    caller: ProfileReader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    group: Annotated[
        Group | None, Query(description="Только о чём-то одном", examples=["staff"])
    ] = None,
    is_retired: Annotated[
        bool | None, Query(description="true — только снятые, false — только действующие")
    ] = None,
) -> Any:
    """Признаки профилей региона по порядку добавления."""
    return await queries.attributes(
        session, group=None if group is None else str(group), is_retired=is_retired, ask=ask
    )


@attributes.post(
    "",
    response_model=AttributeOut,
    status_code=201,
    summary="Завести свой признак",
    responses=problems(AttributeExists),
    dependencies=[Idempotent],
)
async def add_profile_attribute(
    new: AttributeIn, caller: ProfileEditor, session: Session, response: Response
) -> Any:
    """Завести признак, которого нет в каталоге. Код и вид потом не меняются."""
    attribute = await operations.add_attribute(session, new, by=caller)
    response.headers["Location"] = f"/api/indicators/v1/profile-attributes/{attribute.id}"
    tag(response, attribute.version)
    return attribute


@attributes.get(
    "/{attribute_id:int}",
    response_model=AttributeOut,
    summary="Признак",
    responses=problems(AttributeNotFound),
)
async def read_profile_attribute(
    attribute_id: AttributeId,
    caller: ProfileReader,  # noqa: ARG001  the check is the use
    session: Session,
    response: Response,
) -> Any:
    """Признак профиля с ETag для изменения."""
    attribute = await queries.visible_attribute(session, attribute_id)
    tag(response, attribute.version)
    return attribute


@attributes.patch(
    "/{attribute_id:int}",
    response_model=AttributeOut,
    summary="Изменить признак",
    responses=problems(AttributeNotFound, PreconditionRequired, StaleVersion),
)
async def change_profile_attribute(
    attribute_id: AttributeId,
    patch: AttributePatch,
    caller: ProfileEditor,  # noqa: ARG001  the check is the use
    expected: IfMatch,
    session: Session,
    response: Response,
) -> Any:
    """Изменить слова признака, снять его или вернуть. Записанные в профили числа остаются."""
    attribute = await operations.change_attribute(session, attribute_id, patch, expected=expected)
    tag(response, attribute.version)
    return attribute


@profiles.get("", response_model=Page[ProfileRow], summary="Профили школ")
async def list_school_profiles(
    caller: ProfileReader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    year: Annotated[int | None, _OfYear] = None,
    school_id: Annotated[Id | None, Query(description="Только эта школа", examples=[15])] = None,
    municipality_id: Annotated[
        Id | None, Query(description="Только этот муниципалитет", examples=[2])
    ] = None,
) -> Any:
    """Профили школ по годам: насколько каждый заполнен. Ячейки читаются по одному профилю."""
    return await queries.profiles(
        session, year=year, school_id=school_id, municipality_id=municipality_id, ask=ask
    )


@profiles.post(
    "",
    response_model=ProfileOut,
    status_code=201,
    summary="Записать профиль школы",
    responses=problems(ProfileSchoolNotFound, ProfileExists),
    dependencies=[Idempotent],
)
async def add_school_profile(
    new: ProfileIn,
    caller: ProfileEditor,
    session: Session,
    request: Request,
    response: Response,
    now: Now,
) -> Any:
    """Записать первый профиль школы за год. Профили пишет регион; школа и муниципалитет читают свои."""
    profile = await operations.add_profile(session, new, by=caller, now=now)
    response.headers["Location"] = f"/api/indicators/v1/school-profiles/{profile.id}"
    return await _told(profile, caller, session, request, response)


@profiles.post(
    "/bulk",
    response_model=BulkProfilesOut,
    summary="Записать много профилей",
    responses=problems(ProfileExists),
    dependencies=[Idempotent],
)
async def write_school_profiles(
    bulk: BulkProfilesIn, caller: ProfileEditor, session: Session, now: Now
) -> Any:
    """До 1000 школ одного года: все или ни одной.

    Названные ячейки записываются, остальные остаются. Всё неверное перечисляется сразу в `errors` с
    указателем на ячейку.
    """
    return await operations.write_profiles(session, bulk, by=caller, now=now)


@profiles.get(
    "/{profile_id:int}",
    response_model=ProfileOut,
    summary="Профиль школы",
    responses=problems(ProfileNotFound),
)
async def read_school_profile(
    profile_id: ProfileId,
    caller: ProfileReader,
    session: Session,
    request: Request,
    response: Response,
) -> Any:
    """Профиль школы: каждая ячейка с состоянием (число, не применимо, нет сведений) и источником."""
    profile = await queries.visible_profile(session, profile_id)
    return await _told(profile, caller, session, request, response)


@profiles.put(
    "/{profile_id:int}",
    response_model=ProfileOut,
    summary="Заменить профиль школы",
    responses=problems(ProfileNotFound, PreconditionRequired, StaleVersion),
)
async def replace_school_profile(
    profile_id: ProfileId,
    put: ProfilePut,
    caller: ProfileEditor,
    expected: IfMatch,
    session: Session,
    request: Request,
    response: Response,
    now: Now,
) -> Any:
    """Записать все ячейки заново; прежние остаются в журнале изменений (audit)."""
    profile = await operations.replace_cells(
        session, profile_id, put, expected=expected, by=caller, now=now
    )
    return await _told(profile, caller, session, request, response)


async def _told(
    profile: SchoolProfile,
    caller: Principal,
    session: Session,
    request: Request,
    response: Response,
) -> dict[str, Any]:
    is_exact = EXACT in caller.scopes
    cells = told_cells(
        profile,
        await queries.attributes_by_code(session),
        size=request.app.state.settings.suppression_size,
        is_exact=is_exact,
    )
    tag(response, profile.version)
    return ProfileRow.model_validate(profile).model_dump() | {"cells": cells}


@figures.get("", response_model=StatisticsOut, summary="Статистика признаков")
async def describe_profile_attributes(
    caller: ProfileAnalyst,  # noqa: ARG001  the check is the use
    session: Session,
    year: _Year,
    attribute: Annotated[
        list[Annotated[str, _Code]],
        Query(min_length=1, max_length=50, description="Коды признаков", examples=[["pupils"]]),
    ],
) -> Any:
    """Сколько школ ответили, среднее, стандартное отклонение, границы — по школам, видным вам.

    Школы, действовавшие в этом году, без записи считаются школами без сведений. Среднее берётся по
    школам, а не по обучающимся.
    """
    return await statistics.describe(session, year=year, codes=list(dict.fromkeys(attribute)))


@figures.get("/correlation", response_model=CorrelationOut, summary="Связь двух признаков")
async def correlate_profile_attributes(
    caller: ProfileAnalyst,  # noqa: ARG001  the check is the use
    session: Session,
    year: _Year,
    x: Annotated[str, _Code],
    y: Annotated[str, _Code],
) -> Any:
    """Корреляция Пирсона и простая регрессия y на x по школам, у которых есть оба числа."""
    return await statistics.correlate(session, year=year, x=x, y=y)
