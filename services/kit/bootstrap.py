"""Roles and databases: the same on the embedded PostgreSQL and on any other from version 15 on.

Run by an administrator (superuser, or a role with CREATEROLE and CREATEDB); a second run changes nothing
but the passwords. What it makes:

- reach roles of the whole cluster, without login: `opora_system`, `opora_region`, `opora_municipality`,
  `opora_school`, `opora_curator`. Policies and grants of the tables name these.
- for each service a database `opora_<service>` and three roles. `..._owner` owns database and schema and
  runs migrations. `..._app` is what the service connects as: it may become (SET ROLE) any reach role and
  inherits nothing from them, so a transaction that forgot its reach can read no table at all. `..._reader`
  is for a person looking into the database.
- nobody but its own three roles (and administrators) can connect to a service's database.

The reader reads tables that nobody's territory locates, and of the located ones whatever a policy for the
reader gives: by default no row. It may become no reach role, since reach roles can write. In a database
with secrets in its tables (`PRIVATE`) it reads nothing until a migration grants it something.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import asyncpg
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.reach import Level

__all__ = [
    "PRIVATE",
    "BootstrapError",
    "Passwords",
    "UnsafeRoleError",
    "assert_safe_role",
    "bootstrap",
    "database_of",
    "role_url",
]

PRIVATE = frozenset({"gateway"})
"""Services whose tables hold password hashes and keys: no standing read right for the reader."""

_OLDEST = 15
"""Major version. MERGE, and a `public` schema in which not everybody may create."""

_LOCK = 0x6F706F7261
"""Advisory lock ("opora") of the maintenance database: two bootstraps go one after the other."""

_SCRAM_ITERATIONS = 4096

_Kind = Literal["owner", "app", "reader"]


class BootstrapError(Exception):
    """The cluster cannot be prepared. The text is Russian and meant for the operator."""


class UnsafeRoleError(Exception):
    """The service's database role could step around row security. The text is Russian."""


@dataclass(frozen=True, slots=True)
class Passwords:
    """Passwords of one service's three roles; printable ASCII."""

    owner: str
    app: str
    reader: str

    @classmethod
    def fresh(cls) -> "Passwords":
        """Return random ones."""
        return cls(*(secrets.token_urlsafe(24) for _ in range(3)))


def database_of(service: str) -> str:
    """Return the name of a service's database."""
    return f"opora_{service}"


def role_url(
    admin_url: str, service: str, kind: _Kind, password: str, *, database: str | None = None
) -> str:
    """Return the address of a service's database under one of its roles, for SQLAlchemy with asyncpg."""
    url = make_url(admin_url).set(
        drivername="postgresql+asyncpg",
        username=f"opora_{service}_{kind}",
        password=password,
        database=database or database_of(service),
    )
    return url.render_as_string(hide_password=False)


async def bootstrap(
    admin_url: str,
    services: Mapping[str, Passwords],
    *,
    databases: Mapping[str, str] | None = None,
) -> None:
    """Make roles and databases of the services, or bring existing ones in line.

    Args:
        admin_url: Any database of the cluster, as an administrator.
        services: The services by name, with the passwords their roles shall have.
        databases: Other database names than `opora_<service>`, by service (tests).

    Raises:
        BootstrapError: Server too old, administrator without the rights, or a role that is too powerful.
    """
    names = {service: (databases or {}).get(service, database_of(service)) for service in services}
    async with _connected(make_url(admin_url)) as connection:
        if connection.get_server_version().major < _OLDEST:
            raise BootstrapError(
                f"Нужен PostgreSQL {_OLDEST} или новее, а это {connection.get_server_version().major}."
            )
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        try:
            async with connection.transaction():
                await _make_roles(connection, services)
            for service, database in names.items():
                await _make_database(connection, service, database)
        except asyncpg.InsufficientPrivilegeError as refused:
            raise BootstrapError(
                f"Не хватает прав администратора базы ({refused}). "
                "Нужна роль SUPERUSER или CREATEROLE и CREATEDB."
            ) from refused
    for service, database in names.items():
        async with _connected(make_url(admin_url).set(database=database)) as connection:
            await _arrange_schema(connection, service)


@asynccontextmanager
async def _connected(url: URL) -> AsyncIterator[asyncpg.Connection]:
    query = {"sslmode" if key == "ssl" else key: value for key, value in url.query.items()}
    plain = url.set(drivername="postgresql", query=query)
    try:
        connection = await asyncpg.connect(plain.render_as_string(hide_password=False))
    except (OSError, asyncpg.PostgresError) as error:
        where = plain.set(password=None).render_as_string()
        raise BootstrapError(f"База данных не отвечает ({where}): {error}") from error
    try:
        yield connection
    finally:
        await connection.close()


async def _make_roles(connection: asyncpg.Connection, services: Mapping[str, Passwords]) -> None:
    existing = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    reach = [f"opora_{level}" for level in Level]
    for role in reach:
        if role not in existing:
            await connection.execute(f"CREATE ROLE {role} NOLOGIN")
    for service, passwords in services.items():
        logins = {"owner": passwords.owner, "app": passwords.app, "reader": passwords.reader}
        for kind, password in logins.items():
            role = f"opora_{service}_{kind}"
            verb = "ALTER" if role in existing else "CREATE"
            # The server gets a verifier, not the password: statements may be logged there.
            await connection.execute(
                f"{verb} ROLE {role} LOGIN NOINHERIT PASSWORD '{_scram_verifier(password)}'"
            )
        await _join(connection, service, reach)
    await _refuse_powerful(connection, [*reach, *_roles_of(services)])


def _roles_of(services: Mapping[str, Passwords]) -> list[str]:
    return [
        f"opora_{service}_{kind}" for service in services for kind in ("owner", "app", "reader")
    ]


async def _join(connection: asyncpg.Connection, service: str, reach: list[str]) -> None:
    """Let the app role become each reach role, inheriting nothing; let the administrator act as the owner."""
    modern = connection.get_server_version().major >= 16
    # Before 16 the member's NOINHERIT says it; from 16 on every grant says it for itself.
    how = " WITH INHERIT FALSE, SET TRUE" if modern else ""
    await connection.execute(f"GRANT {', '.join(reach)} TO opora_{service}_app{how}")
    if not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        await connection.execute(f"GRANT opora_{service}_owner TO CURRENT_USER")


async def _refuse_powerful(connection: asyncpg.Connection, roles: list[str]) -> None:
    """Refuse roles that existed before with rights that break the isolation. Source: PostgreSQL, CREATE ROLE."""
    powerful = await connection.fetch(
        """
        SELECT rolname FROM pg_roles
        WHERE rolname = ANY ($1)
          AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
        """,
        roles,
    )
    if powerful:
        raise BootstrapError(
            "У ролей лишние права (SUPERUSER, BYPASSRLS, CREATEROLE, CREATEDB или REPLICATION): "
            + ", ".join(row["rolname"] for row in powerful)
            + ". Отнимите их: ALTER ROLE … NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION."
        )


async def _make_database(connection: asyncpg.Connection, service: str, database: str) -> None:
    exists = await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", database)
    if not exists:
        # template0: nothing that somebody put into template1, and the encoding may be chosen.
        await connection.execute(
            f"CREATE DATABASE {database} OWNER opora_{service}_owner TEMPLATE template0 ENCODING 'UTF8'"
        )
    await connection.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    await connection.execute(
        f"GRANT CONNECT ON DATABASE {database} TO opora_{service}_app, opora_{service}_reader"
    )
    # Imports stage rows in temporary tables, under the reach of background work.
    await connection.execute(f"GRANT TEMPORARY ON DATABASE {database} TO opora_system")
    await connection.execute(f"ALTER DATABASE {database} SET timezone TO 'UTC'")


async def _arrange_schema(connection: asyncpg.Connection, service: str) -> None:
    owner, app, reader = (f"opora_{service}_{kind}" for kind in ("owner", "app", "reader"))
    using = ", ".join([app, reader, *(f"opora_{level}" for level in Level)])
    defaults = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public"
    async with connection.transaction():
        await connection.execute(f"ALTER SCHEMA public OWNER TO {owner}")
        await connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        await connection.execute(f"GRANT USAGE ON SCHEMA public TO {using}")
        if service not in PRIVATE:
            await connection.execute(f"{defaults} GRANT SELECT ON TABLES TO {reader}")


def _scram_verifier(password: str) -> str:
    """Return what PostgreSQL stores for a password. Source: RFC 5802, RFC 7677; pg_authid.rolpassword."""
    if not (password.isascii() and password.isprintable()):
        raise BootstrapError("Пароль роли базы может состоять только из печатных знаков ASCII.")
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _SCRAM_ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt_text, stored_text, server_text = (
        base64.b64encode(part).decode("ascii") for part in (salt, stored, server)
    )
    return f"SCRAM-SHA-256${_SCRAM_ITERATIONS}:{salt_text}${stored_text}:{server_text}"


_POWERS = text(
    """
    SELECT session_user AS role,
           EXISTS (SELECT FROM pg_roles r
                   WHERE (r.rolsuper OR r.rolbypassrls)
                     AND pg_has_role(session_user, r.oid, 'MEMBER')) AS steps_around,
           EXISTS (SELECT FROM pg_database d
                   WHERE d.datname = current_database()
                     AND pg_has_role(session_user, d.datdba, 'MEMBER')) AS owns
    """
)


async def assert_safe_role(connection: AsyncConnection) -> None:
    """Refuse to serve under a role for which row security is no lock.

    A superuser and a role with BYPASSRLS ignore policies even where they are forced; the owner can drop
    them. Being a member of such a role is enough, since SET ROLE makes one of the other.

    Raises:
        UnsafeRoleError: With the role and the remedy, in Russian.
    """
    found: Any = (await connection.execute(_POWERS)).one()
    if found.steps_around or found.owns:
        why = (
            "обходит построчную защиту"
            if found.steps_around
            else "владеет базой и может снять защиту"
        )
        raise UnsafeRoleError(
            f"Роль базы «{found.role}» {why}. Служба не запускается: укажите роль opora_…_app "
            "(её создаёт `opora bootstrap`)."
        )
