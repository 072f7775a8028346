"""Engine, sessions and the two kinds of table: located and shared.

A request is one transaction. It begins by taking the caller's reach and is committed before the
answer leaves; features never commit.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, cast

from fastapi import Depends, Request
from sqlalchemy import BigInteger, Identity, Integer, MetaData
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from services.kit.bootstrap import UnsafeRoleError, assert_safe_role
from services.kit.budgets import left_seconds
from services.kit.principals import Principal, authenticate
from services.kit.reach import Depth, Level, Reach, enter
from services.kit.settings import ServiceSettings

__all__ = [
    "Database",
    "Depth",
    "Identified",
    "Level",
    "Located",
    "Session",
    "Shared",
    "Transactions",
    "Versioned",
    "new_metadata",
    "open_database",
    "refuse_unsafe_role",
]

NAMING = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


def new_metadata() -> MetaData:
    """Return the metadata for a service's own declarative base, with our constraint names.

    Each service has a base of its own, so that no table is everybody's.
    """
    return MetaData(naming_convention=NAMING)


class Identified:
    """A table with a plain numeric identity."""

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)


class Versioned:
    """A row that is edited: `version` counts its states and is its strong ETag."""

    version: Mapped[int] = mapped_column(Integer, nullable=False, server_default="1")

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}


class Located:
    """A row that belongs to a place. `__reach__` says how precisely; row security is forced on it.

    A table may carry its own id where a column of its place would repeat it (a region's region_id
    is its id): it then sets `__place__` to the column names that the migration passes to `secure`.
    `__closed_to__` names the levels that see no row, however deep it lies; `secure` is told the same.
    """

    __reach__: ClassVar[Depth]
    __closed_to__: ClassVar[frozenset[Level]] = frozenset()


class Shared:
    """A row that belongs to no place (a published scale): everybody reads it."""


@dataclass(frozen=True)
class Database:
    """The pool of one process and the way transactions are opened on it."""

    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    statement_timeout_ms: int

    @asynccontextmanager
    async def transaction(self, reach: Reach) -> AsyncIterator[AsyncSession]:
        """Open a transaction with this reach; commit at the end, roll back on any exception."""
        async with self.sessions() as session:
            await self._enter(session, reach)
            try:
                yield session
            except BaseException:
                await session.rollback()
                raise
            await session.commit()

    async def _enter(self, session: AsyncSession, reach: Reach) -> None:
        # The first statement finds out that a pooled connection died (the server was restarted).
        # Nothing has happened yet, so asking again on a fresh connection is safe and enough.
        for attempt in range(3):
            try:
                await enter(session, reach, statement_timeout_ms=self._timeout_ms())
            except DBAPIError as error:
                await session.rollback()
                if not error.connection_invalidated or attempt == 2:
                    raise
            else:
                return

    def _timeout_ms(self) -> int:
        """Return how long a statement may run: never longer than the caller waits for it."""
        left = left_seconds()
        if left is None or not self.statement_timeout_ms:
            return self.statement_timeout_ms
        return max(1, min(self.statement_timeout_ms, int(left * 1000)))


def open_database(settings: ServiceSettings) -> Database:
    """Make the pool; connections are opened when first needed."""
    engine = create_async_engine(
        settings.database_url.get_secret_value(),
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=settings.pool_timeout_seconds,
        # An error's text goes to the log; what was asked with may be about people.
        hide_parameters=True,
        connect_args={"server_settings": {"timezone": "UTC", "jit": "off"}, "timeout": 5},
    )
    sessions = async_sessionmaker(engine, expire_on_commit=False, autoflush=False)
    return Database(engine, sessions, settings.statement_timeout_ms)


async def refuse_unsafe_role(database: Database) -> None:
    """Stop the start of a process whose database role could look past row level security."""
    try:
        async with database.engine.connect() as connection:
            await assert_safe_role(connection)
    except UnsafeRoleError as unsafe:
        raise SystemExit(str(unsafe)) from None
    except (DBAPIError, InterfaceError, OSError, PoolTimeout, TimeoutError):
        return  # not reachable yet: readiness says so, and every request meets the same role


async def open_session(
    request: Request,
    caller: Annotated[Principal, Depends(authenticate)],
) -> AsyncIterator[AsyncSession]:
    """Open the request's transaction with the caller's reach."""
    database = cast("Database", request.app.state.database)
    async with database.transaction(caller.reach) as session:
        yield session


def open_transactions(
    request: Request,
    caller: Annotated[Principal, Depends(authenticate)],
) -> Callable[[], AbstractAsyncContextManager[AsyncSession]]:
    """Give a handler that must not hold one long transaction the way to open short ones."""
    database = cast("Database", request.app.state.database)
    return lambda: database.transaction(caller.reach)


# scope="function" commits before the response leaves: with FastAPI's default the client would read
# 200 while the commit fails afterwards.
Session = Annotated[AsyncSession, Depends(open_session, scope="function")]

Transactions = Annotated[
    Callable[[], AbstractAsyncContextManager[AsyncSession]], Depends(open_transactions)
]
