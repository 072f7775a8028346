"""The migrations and the mapped classes say the same."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from services.kit.migrations import is_compared
from tests.sweeps.test_tables import each_service


@each_service
async def test_upgrading_an_empty_database_leaves_no_difference(service, databases):
    async with databases.fresh(service) as urls:
        engine = create_async_engine(urls.owner)
        async with engine.connect() as connection:
            difference = await connection.run_sync(
                lambda sync: compare_metadata(
                    MigrationContext.configure(
                        sync,
                        opts={"include_name": is_compared, "compare_type": True},
                    ),
                    service.base.metadata,
                ),
            )
        await engine.dispose()

    assert difference == []
