"""Questions asked of every table of every service: whose rows are they, and does the database know?"""

import asyncpg
import pytest

from gateway.app import SERVICE as GATEWAY
from gateway.base import Private
from services.indicators.app import SERVICE as INDICATORS
from services.kit.database import Located, Shared
from services.kit.migrations import PLUMBING
from services.kit.reach import Level
from services.monitoring.app import SERVICE as MONITORING
from services.registry.app import SERVICE as REGISTRY
from services.training.app import SERVICE as TRAINING

SERVICES = (GATEWAY, REGISTRY, INDICATORS, MONITORING, TRAINING)
each_service = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)

# Tables of the kit that belong to no place, with what guards them instead.
UNPLACED = {
    "alembic_version": "the number of the schema, read by readiness",
    "feed_cursor": "how far this service has read its neighbour; no data of anybody",
}
OWN_ROWS = {"idempotency_key": "each caller sees the keys of its own subject"}


def mapped(service):
    classes = (mapper.class_ for mapper in service.base.registry.mappers)
    return sorted(classes, key=lambda cls: cls.__tablename__)


@each_service
def test_every_mapped_class_is_located_or_shared(service):
    kinds = (Located, Shared, Private) if service is GATEWAY else (Located, Shared)
    undecided = [
        cls.__name__ for cls in mapped(service) if sum(issubclass(cls, kind) for kind in kinds) != 1
    ]

    assert mapped(service)
    assert undecided == []


@pytest.fixture
async def tables(databases, service):
    """Every table of the migrated database: name, whether row security is forced, its policies."""
    async with databases.fresh(service) as urls:
        connection = await asyncpg.connect(urls.admin.replace("+asyncpg", ""))
        rows = await connection.fetch(
            """
            SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced,
                   c.relispartition AS is_partition,
                   COALESCE(array_agg(r.rolname::text) FILTER (WHERE r.rolname IS NOT NULL), '{}') AS policies
            FROM pg_class c
            LEFT JOIN pg_policy p ON p.polrelid = c.oid
            LEFT JOIN pg_roles r ON r.oid = ANY (p.polroles)
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
            GROUP BY c.oid
            """,
        )
        await connection.close()
    return {row["name"]: row for row in rows}


@each_service
async def test_every_located_table_forces_row_security_with_a_policy_per_level(service, tables):
    located = [cls for cls in mapped(service) if issubclass(cls, Located)]
    for cls in located:
        table = tables[cls.__tablename__]
        assert table["forced"], cls
        # System and region at least; a level without a policy sees nothing.
        assert {"opora_system", "opora_region"} <= set(table["policies"]), cls


@pytest.mark.parametrize("service", [GATEWAY], ids=["gateway"])
async def test_nobody_but_the_gateway_itself_reaches_its_keys_and_sessions(service, databases):
    private = [cls.__tablename__ for cls in mapped(service) if issubclass(cls, Private)]
    async with databases.fresh(service) as urls:
        connection = await asyncpg.connect(urls.admin.replace("+asyncpg", ""))
        granted = await connection.fetch(
            "SELECT DISTINCT grantee FROM information_schema.role_table_grants"
            " WHERE table_name = ANY ($1) AND grantee NOT LIKE 'opora_%_owner'",
            private,
        )
        await connection.close()

    assert private
    assert [row["grantee"] for row in granted] == ["opora_system"]


@each_service
async def test_every_table_is_mapped_or_plumbing_or_explained(service, tables):
    known = {cls.__tablename__ for cls in mapped(service)} | PLUMBING
    unknown = [
        name for name, table in tables.items() if name not in known and not table["is_partition"]
    ]
    open_plumbing = [
        name
        for name in tables
        if name in PLUMBING and not tables[name]["forced"] and name not in UNPLACED
    ]

    assert unknown == []
    assert open_plumbing == []


@each_service
async def test_the_app_role_reads_no_table_before_it_has_taken_a_reach(service, databases):
    async with databases.fresh(service) as urls:
        connection = await asyncpg.connect(urls.app.replace("+asyncpg", ""))
        try:
            readable = await connection.fetch(
                """
                SELECT relname FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                  AND has_table_privilege(current_user, oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
                """,
            )
            memberships = await connection.fetch(
                "SELECT pg_has_role(current_user, 'opora_' || level, 'USAGE') AS inherits"
                " FROM unnest($1::text[]) AS level",
                [str(level) for level in Level],
            )
        finally:
            await connection.close()

    assert [row["relname"] for row in readable] == ["alembic_version"]
    assert not any(row["inherits"] for row in memberships)
