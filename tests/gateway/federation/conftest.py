"""A gateway that two external issuers may let people into, and a person linked to the first."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy.engine import make_url

from gateway.app import SERVICE
from tests.gateway.conftest import KEY_SECRET
from tests.support.callers import region_user
from tests.support.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, an_issuer
from tests.support.running import Running, running

BACK = "https://opora.example/login/back"
REGION = region_user(region_id=1)


@dataclass
class Doors:
    """The gateway and its two issuers."""

    gateway: Running
    esia: Issuer
    other: Issuer
    account: dict[str, Any]

    async def begin(self, name: str = "esia", redirect_uri: str = BACK) -> httpx.Response:
        async with self.gateway.as_(None) as browser:
            return await browser.post(
                f"/api/auth/issuers/{name}/authorization", json={"redirect_uri": redirect_uri}
            )

    async def finish(self, name: str = "esia", **fields: Any) -> httpx.Response:
        async with self.gateway.as_(None) as browser:
            return await browser.post(f"/api/auth/issuers/{name}/login", json=fields)

    async def away(self, name: str = "esia") -> tuple[dict[str, str], str]:
        """Begin, visit the issuer, and return what it sent back and the verifier that was kept."""
        begun = await self.begin(name)
        assert begun.status_code == 200, begun.text
        issuer = self.esia if name == "esia" else self.other
        return await issuer.visit(begun.json()["authorization_url"]), begun.json()["login_verifier"]

    async def log_in(self, name: str = "esia", **fields: Any) -> httpx.Response:
        """Do all of it as an honest browser does."""
        sent_back, verifier = await self.away(name)
        return await self.finish(name, **(sent_back | {"login_verifier": verifier} | fields))

    async def count(self, table: str) -> int:
        url = make_url(self.gateway.urls.admin).set(drivername="postgresql")
        connection = await asyncpg.connect(url.render_as_string(hide_password=False))
        try:
            return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))
        finally:
            await connection.close()

    async def execute(self, statement: str) -> None:
        url = make_url(self.gateway.urls.admin).set(drivername="postgresql")
        connection = await asyncpg.connect(url.render_as_string(hide_password=False))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def issuer_settings(name: str, issuer: Issuer, **values: Any) -> dict[str, Any]:
    """Return what an operator writes about an issuer."""
    return {
        "name": name,
        "title": f"Вход через {name}",
        "issuer": issuer.url,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    } | values


async def link(
    gateway: Running, account_id: int, subject: str, *, issuer: str = "esia", token: str = REGION
) -> httpx.Response:
    """Link an account as its administrator, in the state it is in."""
    path = f"/api/accounts/{account_id}"
    async with gateway.as_(token) as client:
        etag = (await client.get(path)).headers["etag"]
        return await client.put(
            f"{path}/external-identity",
            json={"issuer": issuer, "subject": subject},
            headers={"If-Match": etag},
        )


@pytest.fixture
async def esia() -> AsyncIterator[Issuer]:
    async with an_issuer() as issuer:
        yield issuer


@pytest.fixture
async def other() -> AsyncIterator[Issuer]:
    async with an_issuer() as issuer:
        yield issuer


@pytest.fixture
def esia_settings() -> dict[str, Any]:
    """What a test writes about the first issuer beside the usual."""
    return {}


@pytest.fixture
async def gateway(databases, registry, esia, other, esia_settings) -> AsyncIterator[Running]:
    async with (
        databases.fresh(SERVICE) as urls,
        running(
            SERVICE,
            urls,
            key_secret=KEY_SECRET,
            registry_url=registry[1],
            second_factor_roles=(),
            oidc_issuers=[
                issuer_settings("esia", esia, **esia_settings),
                issuer_settings("other", other),
            ],
            oidc_redirect_uris=[BACK],
        ) as gateway,
    ):
        yield gateway


@pytest.fixture
async def doors(gateway, esia, other, person) -> Doors:
    account = await person(REGION, "ivanova", "municipality", municipality_id=3)
    linked = await link(gateway, account["id"], "person-1")
    assert linked.status_code == 200, linked.text
    return Doors(gateway, esia, other, account)
