"""Roles and databases, asked of real servers: the newest and an older one."""

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from services.kit.bootstrap import (
    BootstrapError,
    Passwords,
    UnsafeRoleError,
    assert_safe_role,
    bootstrap,
    role_url,
)
from services.kit.embedded import Embedded

SERVICES = {"registry": Passwords.fresh(), "gateway": Passwords.fresh()}


@pytest.fixture(scope="module", params=[18, 16])
def server(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp(f"bootstrap-{request.param}")
    with Embedded(directory, durable=False, major=request.param).running() as embedded:
        yield embedded


@pytest.fixture(scope="module")
async def prepared(server):
    await bootstrap(server.admin_url(), SERVICES)
    return server


async def _connect(server, service, kind, database=None):
    url = role_url(
        server.admin_url(),
        service,
        kind,
        getattr(SERVICES[service], kind),
        database=database,
    )
    return await asyncpg.connect(url.replace("+asyncpg", ""))


@pytest.fixture
async def located_table(prepared):
    """A table as a migration of the owner makes it, with a policy of one reach role."""
    owner = await _connect(prepared, "registry", "owner")
    await owner.execute(
        """
        DROP TABLE IF EXISTS place;
        CREATE TABLE place (region_id bigint NOT NULL);
        ALTER TABLE place ENABLE ROW LEVEL SECURITY;
        ALTER TABLE place FORCE ROW LEVEL SECURITY;
        CREATE POLICY place_owner ON place TO CURRENT_USER USING (true);
        CREATE POLICY place_region ON place TO opora_region
            USING (region_id = NULLIF(current_setting('opora.region_id', true), '')::bigint);
        GRANT SELECT, INSERT, UPDATE, DELETE ON place TO opora_region;
        INSERT INTO place VALUES (1), (2), (2);
        """
    )
    await owner.close()


async def test_a_second_run_changes_nothing(prepared):
    async def everything():
        connection = await asyncpg.connect(prepared.admin_url())
        rows = await connection.fetch(
            """
            SELECT r.rolname, r.rolcanlogin, r.rolinherit, array_agg(g.rolname ORDER BY g.rolname) AS becomes
            FROM pg_roles r LEFT JOIN pg_auth_members m ON m.member = r.oid LEFT JOIN pg_roles g ON g.oid = m.roleid
            WHERE r.rolname LIKE 'opora%' GROUP BY 1, 2, 3 ORDER BY 1
            """
        )
        databases = await connection.fetch(
            "SELECT datname, datdba::regrole::text, datacl::text[] FROM pg_database ORDER BY 1"
        )
        await connection.close()
        return rows, databases

    before = await everything()
    await bootstrap(prepared.admin_url(), SERVICES)

    assert await everything() == before


async def test_the_app_role_without_a_reach_can_read_no_table(prepared, located_table):
    app = await _connect(prepared, "registry", "app")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.fetch("SELECT * FROM place")
    await app.close()


async def test_under_a_reach_the_app_role_sees_that_reach_and_cannot_leave_it(
    prepared, located_table
):
    app = await _connect(prepared, "registry", "app")
    async with app.transaction():
        await app.execute(
            "SELECT set_config('opora.region_id', '2', true), set_config('role', 'opora_region', true)"
        )
        assert await app.fetchval("SELECT count(*) FROM place") == 2
        for escape in (
            "SET row_security = off; SELECT * FROM place",
            "ALTER TABLE place DISABLE ROW LEVEL SECURITY",
            "CREATE TABLE mine (a int)",
            "INSERT INTO place VALUES (1)",
            "SET ROLE opora_registry_owner",
            "SET SESSION AUTHORIZATION postgres",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with app.transaction():
                    await app.execute(escape)
    await app.close()


@pytest.mark.parametrize("kind", ["owner", "app", "reader"])
async def test_no_role_of_one_service_can_connect_to_another(prepared, kind):
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="CONNECT"):
        await _connect(prepared, "registry", kind, database="opora_gateway")


async def test_the_reader_reads_shared_tables_and_no_located_row_and_writes_nothing(
    prepared, located_table
):
    owner = await _connect(prepared, "registry", "owner")
    await owner.execute("CREATE TABLE IF NOT EXISTS scale AS SELECT 5 AS top")
    await owner.close()

    reader = await _connect(prepared, "registry", "reader")
    assert await reader.fetchval("SELECT top FROM scale") == 5
    assert await reader.fetch("SELECT * FROM place") == []
    for forbidden in ("DELETE FROM scale", "SET ROLE opora_region", "CREATE TABLE mine (a int)"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(forbidden)
    await reader.close()


async def test_the_reader_of_a_database_with_secrets_reads_nothing_by_itself(prepared):
    owner = await _connect(prepared, "gateway", "owner")
    await owner.execute("CREATE TABLE IF NOT EXISTS signing_key AS SELECT 'secret' AS pem")
    await owner.close()

    reader = await _connect(prepared, "gateway", "reader")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.fetch("SELECT * FROM signing_key")
    await reader.close()


async def test_background_work_may_stage_rows_in_a_temporary_table(prepared):
    app = await _connect(prepared, "registry", "app")
    async with app.transaction():
        await app.execute("SET LOCAL ROLE opora_system")
        await app.execute("CREATE TEMPORARY TABLE staged (a int) ON COMMIT DROP")
    await app.close()


async def test_a_new_password_replaces_the_old_one(prepared):
    changed = {"registry": Passwords(owner="new owner", app="new-app'", reader="new-reader")}
    await bootstrap(prepared.admin_url(), changed)
    try:
        url = role_url(prepared.admin_url(), "registry", "app", "new-app'")
        await (await asyncpg.connect(url.replace("+asyncpg", ""))).close()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await _connect(prepared, "registry", "app")
    finally:
        await bootstrap(prepared.admin_url(), SERVICES)


async def test_an_administrator_without_superuser_can_prepare_a_cluster(server):
    connection = await asyncpg.connect(server.admin_url())
    await connection.execute("CREATE ROLE hosted LOGIN CREATEROLE CREATEDB PASSWORD 'hosted'")
    # A cluster of its own would cost a second: other names, other roles.
    services = {"training": Passwords.fresh()}
    for level in ("system", "region", "municipality", "school", "curator"):
        await connection.execute(
            f"DO $$BEGIN CREATE ROLE opora_{level}; EXCEPTION WHEN duplicate_object THEN END$$"
        )
        await connection.execute(f"GRANT opora_{level} TO hosted WITH ADMIN OPTION")
    await connection.close()
    from sqlalchemy import make_url

    hosted = make_url(server.admin_url()).set(username="hosted", password="hosted")

    for _run in range(2):
        await bootstrap(hosted.render_as_string(hide_password=False), services)

    url = role_url(server.admin_url(), "training", "owner", services["training"].owner)
    owner = await asyncpg.connect(url.replace("+asyncpg", ""))
    await owner.execute(
        "CREATE TABLE IF NOT EXISTS course (a int); GRANT SELECT ON course TO opora_region"
    )
    await owner.close()


async def test_a_role_that_steps_around_row_security_is_refused_with_its_name(prepared):
    connection = await asyncpg.connect(prepared.admin_url())
    await connection.execute("ALTER ROLE opora_registry_app BYPASSRLS")
    try:
        with pytest.raises(BootstrapError, match="opora_registry_app"):
            await bootstrap(prepared.admin_url(), SERVICES)
    finally:
        await connection.execute("ALTER ROLE opora_registry_app NOBYPASSRLS")
        await connection.close()


async def _safe(url):
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            await assert_safe_role(connection)
    finally:
        await engine.dispose()


async def test_a_service_accepts_its_app_role_and_refuses_owner_and_superuser(prepared):
    await _safe(role_url(prepared.admin_url(), "registry", "app", SERVICES["registry"].app))

    with pytest.raises(UnsafeRoleError, match="владеет базой"):
        await _safe(role_url(prepared.admin_url(), "registry", "owner", SERVICES["registry"].owner))
    with pytest.raises(UnsafeRoleError, match="обходит построчную защиту"):
        await _safe(
            prepared.admin_url("opora_registry").replace("postgresql:", "postgresql+asyncpg:")
        )


async def test_a_service_refuses_a_role_that_may_become_a_superuser(prepared):
    connection = await asyncpg.connect(prepared.admin_url())
    await connection.execute(
        "CREATE ROLE hidden_power SUPERUSER; GRANT hidden_power TO opora_registry_app"
    )
    try:
        with pytest.raises(UnsafeRoleError):
            await _safe(role_url(prepared.admin_url(), "registry", "app", SERVICES["registry"].app))
    finally:
        await connection.execute("DROP ROLE hidden_power")
        await connection.close()


async def test_an_unreachable_server_is_told_without_the_password():
    with pytest.raises(BootstrapError, match="не отвечает") as told:
        await bootstrap("postgresql://admin:topsecret@127.0.0.1:1/postgres", SERVICES)

    assert "topsecret" not in str(told.value)
