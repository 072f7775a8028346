"""Reading procedures and scales of the caller's region."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.procedures.tables import Procedure, Scale
from services.kit.pages import PageAsk, Rows, keyset
from services.kit.problems import Problem

__all__ = ["ProcedureNotFound", "ScaleNotFound", "procedures", "scales", "visible_procedure"]


class ProcedureNotFound(Problem):
    """There is no such procedure in the caller's region."""

    status = 404
    title = "Процедура не найдена"


class ScaleNotFound(Problem):
    """There is no such scale in the caller's region."""

    status = 404
    title = "Шкала не найдена"


async def procedures(
    session: AsyncSession, *, year: int | None, kind: str | None, grade: int | None, ask: PageAsk
) -> Rows:
    """List procedures, oldest first."""
    found = select(*Procedure.__table__.columns)
    if year is not None:
        found = found.where(Procedure.year == year)
    if kind is not None:
        found = found.where(Procedure.kind == kind)
    if grade is not None:
        found = found.where(Procedure.grade == grade)
    return await keyset(session, found, order=(Procedure.id,), ask=ask)


async def visible_procedure(session: AsyncSession, procedure_id: int) -> Procedure:
    """Read one procedure.

    Raises:
        ProcedureNotFound: None is visible under this id.
    """
    found = await session.get(Procedure, procedure_id)
    if found is None:
        raise ProcedureNotFound(f"Процедура {procedure_id} не найдена")
    return found


async def scales(session: AsyncSession, procedure_id: int) -> list[Scale]:
    """Read the scales of a procedure by position."""
    found = select(Scale).where(Scale.procedure_id == procedure_id).order_by(Scale.position)
    return list(await session.scalars(found))


async def visible_scale(session: AsyncSession, scale_id: int) -> Scale:
    """Read one scale.

    Raises:
        ScaleNotFound: None is visible under this id.
    """
    found = await session.get(Scale, scale_id)
    if found is None:
        raise ScaleNotFound(f"Шкала {scale_id} не найдена")
    return found
