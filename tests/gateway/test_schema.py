"""The migrations and the mapped classes say the same; secrets are the system's alone."""

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.app import SERVICE
from gateway.base import Base, Private
from services.kit.migrations import PLUMBING
from services.kit.reach import Level

PRIVATE = sorted(
    mapper.local_table.name
    for mapper in Base.registry.mappers
    if issubclass(mapper.class_, Private)
)


def _mapped(name: str | None, kind: str, _: object) -> bool:
    # The kit's own tables are made by statements, and hold types that SQLAlchemy does not know.
    return not (kind == "table" and name in PLUMBING)


async def test_an_upgraded_database_is_what_the_code_describes(databases):
    async with databases.fresh(SERVICE) as urls:
        engine = create_async_engine(urls.owner)
        async with engine.connect() as connection:
            differences = await connection.run_sync(
                lambda sync: compare_metadata(
                    MigrationContext.configure(sync, opts={"include_name": _mapped}),
                    SERVICE.base.metadata,
                )
            )
        await engine.dispose()

    assert differences == []


def test_keys_sessions_and_attempts_are_private():
    assert {"login_attempt", "login_session", "refresh_token", "signing_key"} <= set(PRIVATE)


@pytest.mark.parametrize("level", [level for level in Level if level is not Level.SYSTEM])
@pytest.mark.parametrize("table", PRIVATE)
async def test_no_reach_of_a_caller_can_touch_a_private_table(gateway, table, level):
    url = make_url(gateway.urls.app).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        await connection.execute(f"SET ROLE opora_{level}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"SELECT 1 FROM {table}")
    finally:
        await connection.close()
