"""Questions about regions and municipalities."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit.pages import PageAsk, Rows, keyset
from services.registry.territory.tables import Municipality, Region

__all__ = [
    "Named",
    "municipalities",
    "municipality",
    "municipality_ids_by_code",
    "names_by_code",
    "oktmo_prefixes",
    "region",
    "regions",
    "regions_of_municipalities",
]


async def regions(session: AsyncSession, *, ask: PageAsk) -> Rows:
    """Return the regions within reach, by code."""
    return await keyset(
        session, select(*Region.__table__.columns), order=(Region.__table__.c.code,), ask=ask
    )


async def region(session: AsyncSession, region_id: int) -> Region | None:
    """Return a region; None when it does not exist for the caller."""
    return await session.get(Region, region_id)


async def municipalities(
    session: AsyncSession, *, code: str | None, q: str | None, ask: PageAsk
) -> Rows:
    """Return the municipalities within reach, by code; `q` is sought in names, ё as е."""
    listed: Select[Any] = select(*Municipality.__table__.columns)
    if code is not None:
        listed = listed.where(Municipality.code == code)
    if q is not None:
        sought = q.lower().replace("ё", "е")
        name = func.lower(func.translate(Municipality.name, "ёЁ", "ее"))
        listed = listed.where(or_(name.contains(sought, autoescape=True), Municipality.code == q))
    return await keyset(
        session, listed, order=(Municipality.__table__.c.code, Municipality.__table__.c.id), ask=ask
    )


async def municipality(
    session: AsyncSession, municipality_id: int, *, for_update: bool = False
) -> Municipality | None:
    """Return a municipality, locked when it is going to be changed."""
    asked = select(Municipality).where(Municipality.id == municipality_id)
    return await session.scalar(asked.with_for_update() if for_update else asked)


async def regions_of_municipalities(
    session: AsyncSession, municipality_ids: Collection[int]
) -> Mapping[int, int]:
    """Return the region of each municipality that exists for the caller."""
    rows = await session.execute(
        select(Municipality.id, Municipality.region_id).where(Municipality.id.in_(municipality_ids))
    )
    return {row.id: row.region_id for row in rows}


async def municipality_ids_by_code(session: AsyncSession, region_id: int) -> Mapping[str, int]:
    """Return the municipalities of a region by their code."""
    rows = await session.execute(
        select(Municipality.code, Municipality.id).where(Municipality.region_id == region_id)
    )
    return {row.code: row.id for row in rows}


class Named(NamedTuple):
    """A municipality by its id and name."""

    id: int
    name: str


async def names_by_code(session: AsyncSession, region_id: int) -> Mapping[str, Named]:
    """Return the municipalities of a region with their names, by code."""
    rows = await session.execute(
        select(Municipality.code, Municipality.id, Municipality.name).where(
            Municipality.region_id == region_id
        )
    )
    return {row.code: Named(row.id, row.name) for row in rows}


async def oktmo_prefixes(session: AsyncSession, region_ids: Collection[int]) -> Mapping[int, str]:
    """Return how an ОКТМО of each region has to begin, where that is known."""
    rows = await session.execute(
        select(Region.id, Region.oktmo_prefix).where(
            Region.id.in_(region_ids), Region.oktmo_prefix.is_not(None)
        )
    )
    return {row.id: row.oktmo_prefix for row in rows}
