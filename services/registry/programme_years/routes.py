"""Routes of programme years."""

from typing import Annotated

from fastapi import Path, Response

from services.kit.database import Session
from services.kit.etags import IfMatch, PreconditionRequired, StaleVersion, tag
from services.kit.http import router
from services.kit.idempotency import Idempotent
from services.kit.inputs import Id
from services.kit.pages import Page, PageAsk
from services.kit.problems import problems
from services.registry.programme_years import operations, queries
from services.registry.programme_years.access import ProgrammeYearEditor, ProgrammeYearReader
from services.registry.programme_years.schemas import (
    ProgrammeYearIn,
    ProgrammeYearOut,
    ProgrammeYearPatch,
)
from services.registry.programme_years.tables import ProgrammeYear

__all__ = ["programme_years"]

programme_years = router(prefix="/programme-years", tags=["programme-years"])

ProgrammeYearId = Annotated[Id, Path(description="Номер программного года", examples=[2])]


@programme_years.get("", summary="Программные годы", response_model=Page[ProgrammeYearOut])
async def list_programme_years(_: ProgrammeYearReader, session: Session, ask: PageAsk) -> object:
    """Программные годы региона по порядку."""
    return await queries.programme_years(session, ask=ask)


@programme_years.post(
    "",
    summary="Открыть программный год",
    status_code=201,
    response_model=ProgrammeYearOut,
    dependencies=[Idempotent],
    responses=problems(operations.ProgrammeYearExists),
)
async def create_programme_year(
    caller: ProgrammeYearEditor, new: ProgrammeYearIn, session: Session, response: Response
) -> ProgrammeYear:
    """Открывает учебный год программы; окно ограничивает включение школ вручную."""
    year = await operations.open_year(session, new, region_id=caller.reach.region_id)
    response.headers["Location"] = f"/api/registry/v1/programme-years/{year.id}"
    tag(response, year.version)
    return year


@programme_years.get(
    "/{programme_year_id}",
    summary="Программный год",
    response_model=ProgrammeYearOut,
    responses=problems(operations.ProgrammeYearNotFound),
)
async def read_programme_year(
    _: ProgrammeYearReader, programme_year_id: ProgrammeYearId, session: Session, response: Response
) -> ProgrammeYear:
    """Один программный год; ETag нужен для изменения."""
    year = await operations.visible_year(session, programme_year_id)
    tag(response, year.version)
    return year


@programme_years.patch(
    "/{programme_year_id}",
    summary="Изменить окно включения",
    response_model=ProgrammeYearOut,
    responses=problems(operations.ProgrammeYearNotFound, PreconditionRequired, StaleVersion),
)
async def change_programme_year(
    _: ProgrammeYearEditor,
    programme_year_id: ProgrammeYearId,
    patch: ProgrammeYearPatch,
    expected: IfMatch,
    session: Session,
    response: Response,
) -> ProgrammeYear:
    """Меняет окно, в которое школы включают вручную."""
    year = await operations.change(session, programme_year_id, patch, expected=expected)
    tag(response, year.version)
    return year
