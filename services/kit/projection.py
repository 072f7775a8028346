"""A projection: the rows of a neighbour's feed kept in tables of one's own, column by column."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, inspect
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase

from services.kit.feed import Apply, Change

__all__ = ["keeping"]


def keeping(tables: Mapping[str, type[DeclarativeBase]]) -> dict[str, Apply]:
    """Return what a `Follower` applies: each kind of record is kept in its table.

    A table names the columns it wants as the neighbour does; other columns are not kept. Its primary
    key is the neighbour's id. Applying a change twice changes nothing.
    """

    async def apply(session: AsyncSession, change: Change) -> None:
        kept = tables[change.kind]
        columns = inspect(kept).columns
        if change.body is None:
            await session.execute(delete(kept).where(columns["id"] == change.id))
            return
        row = {
            column.key: _value(column.type.python_type, change.body.get(column.key))
            for column in columns
        }
        await session.execute(
            insert(kept).values(row).on_conflict_do_update(index_elements=["id"], set_=row),
        )

    return dict.fromkeys(tables, apply)


def _value(kind: Any, value: Any) -> Any:
    # Dates and instants travel as ISO text in JSON.
    return (
        kind.fromisoformat(value)
        if isinstance(value, str) and hasattr(kind, "fromisoformat")
        else value
    )
