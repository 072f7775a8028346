"""Questions about curators' grants."""

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import Select, case, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit.pages import PageAsk, Rows, keyset
from services.registry.curatorship.tables import CuratorGrant

__all__ = ["grant", "grants", "in_force"]


async def grants(
    session: AsyncSession,
    *,
    curator: str | None,
    school_id: int | None,
    active_on: date | None,
    ask: PageAsk,
) -> Rows:
    """Return grants within reach in the order they were made; `active_on` keeps those in force."""
    columns = CuratorGrant.__table__.c
    listed: Select[Any] = select(
        *columns, case((columns.revoked_at.is_(None), 1), else_=2).label("version")
    )
    if curator is not None:
        listed = listed.where(columns.curator == curator)
    if school_id is not None:
        listed = listed.where(columns.school_id == school_id)
    if active_on is not None:
        listed = listed.where(
            columns.revoked_at.is_(None),
            columns.valid_from <= active_on,
            or_(columns.valid_to.is_(None), columns.valid_to > active_on),
        )
    return await keyset(session, listed, order=(columns.id,), ask=ask)


async def grant(
    session: AsyncSession, grant_id: int, *, for_update: bool = False
) -> CuratorGrant | None:
    """Return a grant, locked when it is going to be revoked."""
    asked = select(CuratorGrant).where(CuratorGrant.id == grant_id)
    return await session.scalar(asked.with_for_update() if for_update else asked)


async def in_force(
    session: AsyncSession, school_ids: Collection[int]
) -> dict[tuple[str, int, date, date | None], CuratorGrant]:
    """Return the grants of these schools that nobody has revoked, by curator, school and days."""
    found = await session.scalars(
        select(CuratorGrant)
        .where(CuratorGrant.school_id.in_(school_ids), CuratorGrant.revoked_at.is_(None))
        .order_by(CuratorGrant.id)
    )
    return {(one.curator, one.school_id, one.valid_from, one.valid_to): one for one in found}
