"""Adding and changing procedures and scales."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.bounds import bmid, bmin, ceil_milli
from services.indicators.procedures import queries
from services.indicators.procedures.published import scales_of
from services.indicators.procedures.schemas import (
    PermittedUse,
    ProcedureIn,
    ProcedureKind,
    ProcedurePatch,
    ScaleIn,
    ScalePatch,
)
from services.indicators.procedures.tables import Procedure, Scale
from services.kit.etags import check
from services.kit.jobs import enqueue
from services.kit.principals import Principal
from services.kit.problems import Problem, constraint_problems

__all__ = [
    "ProcedureExists",
    "PublishedScalesMissing",
    "ScaleExists",
    "ScaleUnsound",
    "add_procedure",
    "add_scale",
    "change_procedure",
    "change_scale",
]

ROLLUP_JOB = "recompute-rollups"
_NAMES = {
    "vpr": "ВПР",
    "oge": "ОГЭ",
    "ege": "ЕГЭ",
    "gve": "ГВЭ",
    "rdr": "РДР",
    "other": "Процедура",
}


class ProcedureExists(Problem):
    """The region already has a procedure of this kind, grade, year and title."""

    status = 409
    title = "Такая процедура уже есть"


class PublishedScalesMissing(Problem):
    """No scales are published for this kind, grade and year."""

    status = 409
    title = "Опубликованных шкал для этого года нет"


class ScaleExists(Problem):
    """The procedure already has a scale of this subject."""

    status = 409
    title = "Шкала этого предмета уже есть"


class ScaleUnsound(Problem):
    """The changed scale would contradict itself."""

    status = 409
    title = "Шкала противоречит сама себе"


async def add_procedure(session: AsyncSession, new: ProcedureIn, *, by: Principal) -> Procedure:
    """Add a procedure with its scales to the caller's region.

    Raises:
        ProcedureExists: The same procedure is there.
        PublishedScalesMissing: `published` was asked for and none are known.
    """
    scales = scales_of(new.kind, new.grade, new.year) if new.published else new.scales
    if not scales:
        raise PublishedScalesMissing(
            f"Для {_NAMES[new.kind]}, {new.grade} класс, {new.year} шкалы не поставляются",
            hint="Передайте шкалы полем scales; известные: GET /published-scales",
        )
    uses = _default_uses(new.kind) if new.permitted_uses is None else _uses(new.permitted_uses)
    procedure = Procedure(
        region_id=by.reach.region_id,
        kind=new.kind,
        grade=new.grade,
        year=new.year,
        title=new.title or f"{_NAMES[new.kind]}, {new.grade} класс, {new.year}",
        permitted_uses=uses,
    )
    session.add(procedure)
    taken = ProcedureExists(
        f"«{procedure.title}» уже заведена", hint="Найдите её: GET /procedures?year=…"
    )
    async with constraint_problems({"uq_procedure_region_id_year_kind_grade_title": taken}):
        await session.flush()
    session.add_all(_scale(procedure, scale, position) for position, scale in enumerate(scales))
    await session.flush()
    await session.refresh(procedure)
    return procedure


async def change_procedure(
    session: AsyncSession, procedure_id: int, patch: ProcedurePatch, *, expected: int
) -> Procedure:
    """Change title, state or permitted uses.

    Raises:
        ProcedureNotFound: None is visible under this id.
        StaleVersion: It was changed since it was read.
    """
    procedure = await queries.visible_procedure(session, procedure_id)
    check(expected, procedure.version)
    if patch.title is not None:
        procedure.title = patch.title
    if patch.state is not None:
        procedure.state = patch.state
    if patch.permitted_uses is not None:
        procedure.permitted_uses = _uses(patch.permitted_uses)
    taken = ProcedureExists("Процедура с таким названием уже есть")
    async with constraint_problems({"uq_procedure_region_id_year_kind_grade_title": taken}):
        await session.flush()
    await session.refresh(procedure)
    return procedure


async def add_scale(session: AsyncSession, procedure_id: int, new: ScaleIn) -> Scale:
    """Add a subject to a procedure; it takes the next free bit.

    Raises:
        ProcedureNotFound: None is visible under this id.
        ScaleExists: The subject has a scale.
        ScaleUnsound: There is no bit left.
    """
    procedure = await queries.visible_procedure(session, procedure_id)
    await _lock(session, procedure_id)
    last = await session.scalar(
        select(func.max(Scale.position)).where(Scale.procedure_id == procedure_id)
    )
    if last is not None and last >= 62:
        raise ScaleUnsound("В процедуре не может быть больше 63 предметов")
    scale = _scale(procedure, new, 0 if last is None else last + 1)
    session.add(scale)
    taken = ScaleExists(f"Шкала предмета «{new.subject}» в процедуре уже есть")
    async with constraint_problems({"uq_scale_procedure_id_subject": taken}):
        await session.flush()
    await _count_revision(session, procedure_id)
    await session.refresh(scale)
    return scale


async def change_scale(
    session: AsyncSession, scale_id: int, patch: ScalePatch, *, expected: int
) -> Scale:
    """Change a scale and have the rollups of its procedure computed again.

    Raises:
        ScaleNotFound: None is visible under this id.
        StaleVersion: It was changed since it was read.
        ScaleUnsound: minimum, top and maximum would be out of order.
    """
    scale = await queries.visible_scale(session, scale_id)
    check(expected, scale.version)
    for name, value in patch.model_dump(exclude_none=True).items():
        setattr(scale, name, value)
    if not scale.minimum <= scale.top <= scale.maximum:
        raise ScaleUnsound(
            "Должно быть: минимум ≤ балл высоких результатов ≤ максимум",
            minimum=str(scale.minimum),
            top=str(scale.top),
            maximum=str(scale.maximum),
        )
    _derive(scale)
    await session.flush()
    await _count_revision(session, scale.procedure_id)
    await enqueue(
        session,
        kind=ROLLUP_JOB,
        region_id=scale.region_id,
        params={"procedure_id": scale.procedure_id},
    )
    await session.refresh(scale)
    return scale


def _scale(procedure: Procedure, new: ScaleIn, position: int) -> Scale:
    scale = Scale(
        region_id=procedure.region_id,
        procedure_id=procedure.id,
        position=position,
        **new.model_dump(),
    )
    _derive(scale)
    return scale


def _derive(scale: Scale) -> None:
    """Write the integer bounds. Source: F1 to F3 (services.indicators.algebra.bounds)."""
    lower = bmin(_exact(scale.minimum), _exact(scale.maximum), _exact(scale.margin_share))
    scale.low_below_milli = ceil_milli(lower)
    scale.mass_from_milli = ceil_milli(bmid(lower, _exact(scale.top)))
    scale.minimum_milli = ceil_milli(_exact(scale.minimum))
    scale.top_milli = ceil_milli(_exact(scale.top))
    scale.maximum_milli = ceil_milli(_exact(scale.maximum))


def _exact(value: Decimal) -> Fraction:
    return Fraction(value)


def _uses(uses: list[PermittedUse]) -> list[dict[str, Any]]:
    return [use.model_dump(mode="json", by_alias=True) for use in uses]


def _default_uses(kind: ProcedureKind) -> list[dict[str, Any]]:
    uses = ["analysis"] if kind is ProcedureKind.VPR else ["analysis", "identification"]
    return [
        {"use": use, "from": None, "to": None, "basis": "по умолчанию Опоры, основание не указано"}
        for use in uses
    ]


async def _lock(session: AsyncSession, procedure_id: int) -> None:
    """Let changes of a procedure's scales go one after the other."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('procedure:' || :id, 0))"),
        {"id": str(procedure_id)},
    )


async def _count_revision(session: AsyncSession, procedure_id: int) -> None:
    """Tell that checks made under earlier scales are to be made again."""
    await session.execute(
        text("UPDATE procedure SET scale_revision = scale_revision + 1 WHERE id = :id"),
        {"id": procedure_id},
    )
