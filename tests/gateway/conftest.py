"""The gateway on a database of its own, with a registry that answers for two municipalities."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from jose import jwt

from gateway.app import SERVICE
from tests.support.callers import bearer, signed
from tests.support.running import Running, running
from tests.support.serving import served

KEY_SECRET = "a secret of the tests that is long enough"
SYSTEM_CLIENTS = [
    {
        "client_id": "root",
        "secret": "root-secret",
        "scopes": ["regions:write", "accounts:write", "accounts:read"],
        "subject": "root",
    },
    {
        "client_id": "service:indicators",
        # SHA-256 of "indicators-secret"
        "secret_hash": "8630d91019374d0b5794e2a17a350f807556afb393dfbc6b20cd0341258220cb",
        "scopes": ["changes:read"],
        "subject": "service:indicators",
    },
]

SCHOOLS = {
    11: {"id": 11, "region_id": 1, "municipality_id": 3},
    12: {"id": 12, "region_id": 1, "municipality_id": 4},
}
MUNICIPALITIES = {3: {"id": 3, "region_id": 1}, 4: {"id": 4, "region_id": 1}}


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a token by its caller: the token itself is another one in every process of a test run."""
    if argname != "token" or not isinstance(val, str):
        return None
    claims = jwt.get_unverified_claims(val)
    return f"{claims['level']}-{claims.get('region_id', 'all')}"


class Registry:
    """Answers as the registry does, for whoever's reach the token says, and remembers who asked."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    async def __call__(self, scope: Any, _: Any, send: Any) -> None:
        token = dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ")
        self.tokens.append(token)
        claims = jwt.get_unverified_claims(token)
        kind, number = scope["path"].removeprefix("/api/registry/v1/").split("/")
        known = {"schools": SCHOOLS, "municipalities": MUNICIPALITIES}[kind]
        found = known.get(int(number))
        if found is not None and not _within(found, claims, kind):
            found = None
        body = json.dumps(found or {"code": "not-found"}).encode()
        await send(
            {"type": "http.response.start", "status": 200 if found else 404, "headers": []},
        )
        await send({"type": "http.response.body", "body": body})


def _within(found: dict[str, int], claims: dict[str, Any], kind: str) -> bool:
    municipality = found["id"] if kind == "municipalities" else found["municipality_id"]
    return found["region_id"] == claims.get("region_id") and claims.get("municipality_id") in (
        None,
        municipality,
    )


@pytest.fixture(scope="session")
async def registry() -> AsyncIterator[tuple[Registry, str]]:
    registry = Registry()
    async with served(registry, lifespan="off") as url:
        yield registry, url


@pytest.fixture
async def gateway(databases, registry) -> AsyncIterator[Running]:
    async with (
        databases.fresh(SERVICE) as urls,
        running(
            SERVICE,
            urls,
            key_secret=KEY_SECRET,
            system_clients=SYSTEM_CLIENTS,
            registry_url=registry[1],
            # The tests of the second factor demand it themselves.
            second_factor_roles=(),
            # One connection must be enough for whatever a request does.
            pool_size=10,
        ) as gateway,
    ):
        yield gateway


@pytest.fixture
def person(gateway):
    """Make an account through the API; return what it answered."""

    async def make(token: str, login: str, role: str, **node: int) -> dict[str, Any]:
        answer = await gateway.as_(token).post(
            "/api/accounts",
            json={
                "login": login,
                "display_name": login.title(),
                "role": role,
                "password": f"{login} ходит по тонкому льду",
                **node,
            },
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    return make


@asynccontextmanager
async def logged_in(gateway: Running, login: str) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client that calls with a token the gateway itself has issued."""
    answer = await gateway.as_(None).post(
        "/api/auth/token",
        json={
            "grant_type": "password",
            "login": login,
            "password": f"{login} ходит по тонкому льду",
        },
    )
    async with gateway.as_(None) as client:
        client.headers |= bearer(answer.json()["access_token"])
        yield client


async def log_in(
    gateway: Running, login: str, password: str | None = None, **fields: Any
) -> httpx.Response:
    """Ask for a person's tokens; `headers` may say which device."""
    headers = fields.pop("headers", {})
    async with gateway.as_(None) as client:
        return await client.post(
            "/api/auth/token",
            json={
                "grant_type": "password",
                "login": login,
                "password": password or f"{login} ходит по тонкому льду",
                **fields,
            },
            headers=headers,
        )


async def refresh(gateway: Running, tokens: dict[str, Any]) -> httpx.Response:
    """Go on with a session."""
    async with gateway.as_(None) as client:
        return await client.post(
            "/api/auth/token",
            json={"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]},
        )


def as_person(gateway: Running, tokens: dict[str, Any]) -> httpx.AsyncClient:
    """Return a client that calls as the gateway's own token says, session and all.

    The claims are the gateway's; the signature is of the key that the application under test trusts.
    """
    return gateway.as_(signed(jwt.get_unverified_claims(tokens["access_token"])))


async def is_dead(gateway: Running, tokens: dict[str, Any], *, within: float = 1.0) -> bool:
    """Tell whether the access token is refused within so many seconds, and the refresh token too."""
    async with as_person(gateway, tokens) as client:
        loop = asyncio.get_running_loop()
        ends = loop.time() + within
        while (answer := await client.get("/api/auth/me")).status_code == 200:
            if loop.time() > ends:
                return False
            await asyncio.sleep(0.02)
    assert answer.json()["code"] == "token-revoked", answer.text
    return (await refresh(gateway, tokens)).status_code == 400
