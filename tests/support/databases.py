"""Databases of the tests: migrated once for a session, then copied for whoever needs a fresh one."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from sqlalchemy.engine import make_url

from services.kit.bootstrap import Passwords, bootstrap, database_of, role_url
from services.kit.embedded import Embedded
from services.kit.migrations import upgrade
from services.kit.service import Service

_numbers = itertools.count(1)


@dataclass(frozen=True)
class DatabaseUrls:
    """Addresses of one database under its roles."""

    app: str
    owner: str
    admin: str


class Databases:
    """The server of a test session and the migrated templates on it."""

    def __init__(self, server: Embedded) -> None:
        self._server = server
        self._passwords: dict[str, Passwords] = {}

    async def template(self, service: Service) -> None:
        """Migrate the service's database, once."""
        if service.name in self._passwords:
            return
        passwords = Passwords.fresh()
        await bootstrap(self._server.admin_url(), {service.name: passwords})
        self._passwords[service.name] = passwords
        owner = role_url(self._server.admin_url(), service.name, "owner", passwords.owner)
        await upgrade(service, owner)

    @asynccontextmanager
    async def fresh(self, service: Service) -> AsyncIterator[DatabaseUrls]:
        """Yield a database of its own with the service's newest schema and no rows."""
        await self.template(service)
        passwords = self._passwords[service.name]
        name = f"test_{service.name}_{next(_numbers)}"
        await self._administer(
            f"CREATE DATABASE {name} TEMPLATE {database_of(service.name)}"
            f" OWNER opora_{service.name}_owner STRATEGY file_copy",
            f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC",
            f"GRANT CONNECT ON DATABASE {name} TO opora_{service.name}_app,"
            f" opora_{service.name}_owner, opora_{service.name}_reader",
        )
        admin = self._server.admin_url()
        try:
            yield DatabaseUrls(
                role_url(admin, service.name, "app", passwords.app, database=name),
                role_url(admin, service.name, "owner", passwords.owner, database=name),
                self._server.admin_url(name),
            )
        finally:
            await self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    async def _administer(self, *statements: str) -> None:
        url = make_url(self._server.admin_url()).set(drivername="postgresql")
        connection = await asyncpg.connect(url.render_as_string(hide_password=False))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()
