"""Procedures and scales over HTTP."""

from fractions import Fraction
from typing import Annotated, Any

from fastapi import Path, Query, Response

from services.indicators.algebra.bounds import bmid, bmin
from services.indicators.procedures import operations, queries
from services.indicators.procedures.access import ProcedureEditor, ProcedureReader
from services.indicators.procedures.operations import (
    ProcedureExists,
    PublishedScalesMissing,
    ScaleExists,
    ScaleUnsound,
)
from services.indicators.procedures.published import published_scales
from services.indicators.procedures.queries import ProcedureNotFound, ScaleNotFound
from services.indicators.procedures.schemas import (
    ProcedureDetailOut,
    ProcedureIn,
    ProcedureKind,
    ProcedureOut,
    ProcedurePatch,
    PublishedScales,
    ScaleIn,
    ScaleOut,
    ScalePatch,
)
from services.indicators.procedures.tables import Procedure, Scale
from services.kit.database import Session
from services.kit.etags import IfMatch, PreconditionRequired, StaleVersion, tag
from services.kit.http import router
from services.kit.idempotency import Idempotent
from services.kit.inputs import Id
from services.kit.pages import Page, PageAsk
from services.kit.problems import problems

__all__ = ["procedures", "published", "scales"]

procedures = router(prefix="/procedures", tags=["procedures"])
scales = router(prefix="/scales", tags=["procedures"])
published = router(prefix="/published-scales", tags=["procedures"])

ProcedureId = Annotated[Id, Path(description="Номер оценочной процедуры", examples=[5])]
ScaleId = Annotated[Id, Path(description="Номер шкалы предмета", examples=[11])]

_Year = Annotated[
    int | None,
    Query(
        ge=2000,
        le=2100,
        description="Год окончания учебного года (2025 = 2024/2025)",
        examples=[2025],
    ),
]
_Kind = Annotated[ProcedureKind | None, Query(description="Вид процедуры")]
_Grade = Annotated[int | None, Query(ge=1, le=12, description="Параллель (класс)", examples=[9])]


@published.get("", response_model=PublishedScales, summary="Опубликованные шкалы")
async def list_published_scales(
    caller: ProcedureReader,  # noqa: ARG001  the check is the use
    kind: _Kind = None,
    grade: _Grade = None,
    year: _Year = None,
) -> Any:
    """Шкалы, которые поставляются с Опорой: минимумы, максимумы, границы отметок, источник."""
    return {
        "items": [
            scale
            for scale in published_scales()
            if (kind is None or scale.kind == kind)
            and (grade is None or scale.grade == grade)
            and (year is None or scale.year_from <= year <= scale.year_to)
        ]
    }


@procedures.get("", response_model=Page[ProcedureOut], summary="Процедуры региона")
async def list_procedures(
    caller: ProcedureReader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    year: _Year = None,
    kind: _Kind = None,
    grade: _Grade = None,
) -> Any:
    """Оценочные процедуры региона по порядку добавления."""
    return await queries.procedures(session, year=year, kind=kind, grade=grade, ask=ask)


@procedures.post(
    "",
    response_model=ProcedureDetailOut,
    status_code=201,
    summary="Завести процедуру",
    responses=problems(ProcedureExists, PublishedScalesMissing),
    dependencies=[Idempotent],
)
async def add_procedure(
    new: ProcedureIn, caller: ProcedureEditor, session: Session, response: Response
) -> Any:
    """Завести процедуру года: с опубликованными шкалами (published) или с собственными (scales)."""
    procedure = await operations.add_procedure(session, new, by=caller)
    response.headers["Location"] = f"/api/indicators/v1/procedures/{procedure.id}"
    tag(response, procedure.version)
    return _detailed(procedure, await queries.scales(session, procedure.id))


@procedures.get(
    "/{procedure_id}",
    response_model=ProcedureDetailOut,
    summary="Процедура",
    responses=problems(ProcedureNotFound),
)
async def read_procedure(
    procedure_id: ProcedureId,
    caller: ProcedureReader,  # noqa: ARG001  the check is the use
    session: Session,
    response: Response,
) -> Any:
    """Процедура со шкалами и точными границами Bmin и Bmid."""
    procedure = await queries.visible_procedure(session, procedure_id)
    tag(response, procedure.version)
    return _detailed(procedure, await queries.scales(session, procedure_id))


@procedures.patch(
    "/{procedure_id}",
    response_model=ProcedureOut,
    summary="Изменить процедуру",
    responses=problems(ProcedureNotFound, ProcedureExists, PreconditionRequired, StaleVersion),
)
async def change_procedure(
    procedure_id: ProcedureId,
    patch: ProcedurePatch,
    caller: ProcedureEditor,  # noqa: ARG001  the check is the use
    expected: IfMatch,
    session: Session,
    response: Response,
) -> Any:
    """Изменить название, состояние или разрешённое использование результатов."""
    procedure = await operations.change_procedure(session, procedure_id, patch, expected=expected)
    tag(response, procedure.version)
    return procedure


@procedures.post(
    "/{procedure_id}/scales",
    response_model=ScaleOut,
    status_code=201,
    summary="Добавить шкалу предмета",
    responses=problems(ProcedureNotFound, ScaleExists, ScaleUnsound),
    dependencies=[Idempotent],
)
async def add_scale(
    procedure_id: ProcedureId,
    new: ScaleIn,
    caller: ProcedureEditor,  # noqa: ARG001  the check is the use
    session: Session,
    response: Response,
) -> Any:
    """Добавить предмет в процедуру."""
    scale = await operations.add_scale(session, procedure_id, new)
    response.headers["Location"] = f"/api/indicators/v1/scales/{scale.id}"
    tag(response, scale.version)
    return _scale(scale)


@scales.get(
    "/{scale_id}", response_model=ScaleOut, summary="Шкала", responses=problems(ScaleNotFound)
)
async def read_scale(
    scale_id: ScaleId,
    caller: ProcedureReader,  # noqa: ARG001  the check is the use
    session: Session,
    response: Response,
) -> Any:
    """Шкала предмета с точными границами."""
    scale = await queries.visible_scale(session, scale_id)
    tag(response, scale.version)
    return _scale(scale)


@scales.patch(
    "/{scale_id}",
    response_model=ScaleOut,
    summary="Изменить шкалу",
    responses=problems(ScaleNotFound, ScaleUnsound, PreconditionRequired, StaleVersion),
)
async def change_scale(
    scale_id: ScaleId,
    patch: ScalePatch,
    caller: ProcedureEditor,  # noqa: ARG001  the check is the use
    expected: IfMatch,
    session: Session,
    response: Response,
) -> Any:
    """Изменить шкалу. Сводные данные процедуры пересчитываются заданием."""
    scale = await operations.change_scale(session, scale_id, patch, expected=expected)
    tag(response, scale.version)
    return _scale(scale)


def _detailed(procedure: Procedure, found: list[Scale]) -> dict[str, Any]:
    shown = ProcedureOut.model_validate(procedure).model_dump(by_alias=True)
    return shown | {"scales": [_scale(scale) for scale in found]}


def _scale(scale: Scale) -> dict[str, Any]:
    lower = bmin(Fraction(scale.minimum), Fraction(scale.maximum), Fraction(scale.margin_share))
    columns = {column.key: getattr(scale, column.key) for column in Scale.__table__.columns}
    return columns | {"bmin": str(lower), "bmid": str(bmid(lower, Fraction(scale.top)))}
