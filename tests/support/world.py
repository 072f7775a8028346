"""The whole system in one event loop: five real HTTP servers, their workers, real tokens.

What needs real processes (kill -9, restarts) is in tests/system; this is the same code and the same
wire, started in a second.
"""

import asyncio
import contextlib
import socket
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from gateway.app import SERVICE as GATEWAY
from gateway.app import application
from services.indicators.app import SERVICE as INDICATORS
from services.kit.installation import SYSTEM_CLIENTS
from services.kit.jobs import running_worker
from services.kit.service import Service, build
from services.kit.settings import ServiceSettings
from services.monitoring.app import SERVICE as MONITORING
from services.registry.app import SERVICE as REGISTRY
from services.training.app import SERVICE as TRAINING
from tests.support.databases import Databases, DatabaseUrls
from tests.support.serving import served
from tests.support.up import Up

SERVICES = (REGISTRY, INDICATORS, MONITORING, TRAINING)
NO_LIMITS = {
    "caller_per_second": 0,
    "machine_per_second": 0,
    "source_per_second": 0,
    "sign_in_per_second": 0,
}
PASSWORD = "длинный пароль для испытаний"

# Accounts are linked to it; nobody answers there.
EXTERNAL_ISSUER = {
    "name": "esia",
    "title": "Госуслуги",
    "issuer": "https://esia.invalid",
    "client_id": "opora",
    "client_secret": "secret with esia",
}


@dataclass
class World:
    """The running system: where its door is, and who has been let in."""

    gateway_url: str
    urls: dict[str, DatabaseUrls]
    settings: dict[str, ServiceSettings]
    apps: dict[str, Any]
    service_urls: dict[str, str]
    _stack: AsyncExitStack
    root_secret: str = "secret of root"
    _free_codes: Iterator[int] = field(default_factory=lambda: count(900))

    def free_region_code(self) -> str:
        """Give a code of a region that nobody has asked for by itself."""
        return str(next(self._free_codes))

    async def client(self, client_id: str, secret: str) -> "Caller":
        """Log a machine client in."""
        grant = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
        }
        return await self._caller(grant)

    async def root(self) -> "Caller":
        """Return the first administrator, who makes regions."""
        return await self.client("root", self.root_secret)

    async def person(self, by: "Caller", role: str, **node: Any) -> "Caller":
        """Make an account of this role and log it in."""
        login = f"{role}.{uuid.uuid4().hex[:8]}"
        await by.post(
            "/api/accounts",
            {
                "login": login,
                "display_name": "Проверка П. П.",
                "role": role,
                "password": PASSWORD,
                **node,
            },
        )
        return await self.log_in(login)

    async def log_in(self, login: str) -> "Caller":
        """Log in a person of these tests, whose password is that of all."""
        return await self._caller({"grant_type": "password", "login": login, "password": PASSWORD})

    async def _caller(self, grant: dict[str, Any]) -> "Caller":
        http = await self._stack.enter_async_context(
            httpx.AsyncClient(base_url=self.gateway_url, timeout=60),
        )
        caller = Caller(http, grant)
        await caller.log_in()
        return caller


@dataclass
class Caller:
    """Somebody who calls through the gateway."""

    http: httpx.AsyncClient
    grant: dict[str, Any]
    subject: str = ""
    _expires_at: float = 0.0

    @property
    def token(self) -> str:
        """The access token of now."""
        return self.http.headers["Authorization"].removeprefix("Bearer ")

    async def log_in(self) -> None:
        answer = await self.http.post("/api/auth/token", json=self.grant)
        assert answer.status_code == 200, answer.text
        granted = answer.json()
        self.http.headers["Authorization"] = f"Bearer {granted['access_token']}"
        self._expires_at = asyncio.get_running_loop().time() + granted["expires_in"] - 60
        self.subject = (await self.http.get("/api/auth/me")).json()["subject"]

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        if asyncio.get_running_loop().time() > self._expires_at:
            await self.log_in()
        return await self.http.request(method, path, **options)

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.ask("GET", path, params=params)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def post(
        self,
        path: str,
        body: Any = None,
        *,
        status: tuple[int, ...] = (200, 201, 202),
        etag: int | None = None,
    ) -> Any:
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        if etag is not None:
            headers["If-Match"] = f'"{etag}"'
        answer = await self.ask("POST", path, json=body, headers=headers)
        assert answer.status_code in status, f"POST {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def put_file(
        self, path: str, content: bytes, media_type: str = "text/csv", **headers: str
    ) -> Any:
        answer = await self.ask(
            "PUT", path, content=content, headers={"Content-Type": media_type} | headers
        )
        assert answer.status_code in (200, 201, 202), (
            f"PUT {path}: {answer.status_code} {answer.text}"
        )
        return answer.json()

    async def all(self, path: str, **params: Any) -> list[Any]:
        """Return every item of a list, page after page."""
        items: list[Any] = []
        cursor = None
        while True:
            page = await self.get(
                path, limit=500, **params, **({"cursor": cursor} if cursor else {})
            )
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items


async def until(
    question: Callable[[], Awaitable[Any]],
    *,
    seconds: float = 30,
    what: str = "it to happen",
) -> Any:
    """Ask again and again until the answer is true; return it."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        answer = await question()
        if answer:
            return answer
        assert asyncio.get_running_loop().time() < deadline, (
            f"waited {seconds} s for {what}: {answer}"
        )
        await asyncio.sleep(0.05)


@asynccontextmanager
async def world_of(up: Up) -> AsyncIterator[World]:
    """Speak with the real processes of `opora up` in the same way."""
    async with AsyncExitStack() as stack:
        yield World(up.gateway_url, {}, {}, {}, dict(up.state["urls"]), stack, up.root_secret())


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@asynccontextmanager
async def world(databases: Databases, **values: Any) -> AsyncIterator[World]:
    """Start everything; `values` go into the settings of every service."""
    async with AsyncExitStack() as stack:
        everyone: tuple[Service, ...] = (GATEWAY, *SERVICES)
        ports = dict(
            zip((service.name for service in everyone), _free_ports(len(everyone)), strict=True)
        )
        addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        urls = {
            service.name: await stack.enter_async_context(databases.fresh(service))
            for service in everyone
        }
        common = {
            "jwks_url": f"{addresses['gateway']}/api/auth/jwks",
            "token_url": f"{addresses['gateway']}/api/auth/token",
            **{f"{service.name}_url": addresses[service.name] for service in SERVICES},
            "cursor_secret": "test",
            "access_log": False,
            "log_level": "WARNING",
        } | values
        settings: dict[str, ServiceSettings] = {}
        apps: dict[str, Any] = {}
        for service in everyone:
            particular: dict[str, Any] = {
                "client_id": f"service:{service.name}",
                "client_secret": f"secret of service:{service.name}",
            }
            if service is GATEWAY:
                particular = {
                    "key_secret": "a secret of the tests, long enough",
                    "second_factor_roles": (),
                    "system_clients": _system_clients(),
                    "oidc_issuers": [EXTERNAL_ISSUER],
                    # Everybody here comes from one address; the limits have tests of their own.
                    **{name: value for name, value in NO_LIMITS.items() if name not in values},
                }
            if service is INDICATORS:
                particular |= {"pseudonym_key": "a key of the tests, long enough for it"}
            settings[service.name] = service.settings(
                database_url=urls[service.name].app,
                owner_database_url=urls[service.name].owner,
                **common,
                **particular,
            )
            own = build(service, settings[service.name])
            apps[service.name] = own
            app = application(settings[service.name], own) if service is GATEWAY else own
            await stack.enter_async_context(served(app, port=ports[service.name], lifespan="on"))
        for service in everyone:
            if service.has_work:
                await stack.enter_async_context(running_worker(service, settings[service.name]))
        yield World(addresses["gateway"], urls, settings, apps, addresses, stack)


def _system_clients() -> list[dict[str, Any]]:
    return [
        {"client_id": name, "secret": f"secret of {name}", "scopes": list(scopes), "subject": name}
        for name, scopes in SYSTEM_CLIENTS.items()
    ]
