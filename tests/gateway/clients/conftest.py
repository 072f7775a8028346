"""A machine client through the API: made, given secrets and keys, logged in."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.kit.reach import Reach
from tests.support.callers import machine, region_user
from tests.support.running import Running, problem

PATH = "/api/accounts/machine-clients"
REGION = region_user(region_id=1)


@dataclass
class Client:
    """A registered client, and the administrator who looks after it."""

    gateway: Running
    id: int
    client_id: str
    token: str = REGION

    async def ask(
        self, method: str, path: str = "", body: Any = None, **options: Any
    ) -> httpx.Response:
        """Change it in the state it is in."""
        async with self.gateway.as_(options.pop("token", self.token)) as http:
            etag = (await http.get(f"{PATH}/{self.id}")).headers.get("etag", '"1"')
            return await http.request(
                method, f"{PATH}/{self.id}{path}", json=body, headers={"If-Match": etag}, **options
            )

    async def shown(self) -> dict[str, Any]:
        async with self.gateway.as_(self.token) as http:
            return (await http.get(f"{PATH}/{self.id}")).json()

    async def secret(self, **wish: Any) -> dict[str, Any]:
        """Issue a secret."""
        answer = await self.ask("POST", "/secret", wish or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def secrets(self) -> list[dict[str, Any]]:
        async with self.gateway.as_(self.token) as http:
            answer = await http.get(f"{PATH}/{self.id}/secrets")
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    async def log_in(self, secret: str | None = None, **fields: Any) -> httpx.Response:
        proof = {} if secret is None else {"client_id": self.client_id, "client_secret": secret}
        async with self.gateway.as_(None) as http:
            return await http.post(
                "/api/auth/token", json={"grant_type": "client_credentials"} | proof | fields
            )

    async def forget_attempts(self) -> None:
        """Forget every failed attempt, as time would."""
        async with self.gateway.database.transaction(Reach.system()) as session:
            await session.execute(text("DELETE FROM login_attempt"))

    def earlier_token(self, *scopes: str) -> str:
        """Return a token that it was issued a moment ago."""
        return machine(
            scopes=list(scopes), region_id=1, client_id=self.client_id, iat=time.time() - 0.5
        )


@pytest.fixture
def register(gateway):
    """Register a client through the API."""

    async def make(client_id: str = "journal", token: str = REGION, **fields: Any) -> Client:
        async with gateway.as_(token) as http:
            made = await http.post(
                PATH,
                json={
                    "client_id": client_id,
                    "title": "Электронный журнал",
                    "scopes": ["imports:read", "imports:write"],
                }
                | fields,
            )
        assert made.status_code == 201, made.text
        return Client(gateway, made.json()["id"], client_id, token)

    return make


async def seconds_until_dead(gateway: Running, token: str) -> float:
    """Return how long a token is still taken."""
    began = time.monotonic()
    async with gateway.as_(token) as http:
        while (answer := await http.get("/api/auth/me")).status_code == 200:
            assert time.monotonic() - began < 5, "never refused"
            await asyncio.sleep(0.01)
    problem(answer, 401, "token-revoked")
    return time.monotonic() - began


async def stays_alive(gateway: Running, token: str, seconds: float = 0.8) -> bool:
    """Tell whether a token is taken for at least so long: the control of the above."""
    began = time.monotonic()
    async with gateway.as_(token) as http:
        while time.monotonic() - began < seconds:
            if (await http.get("/api/auth/me")).status_code != 200:
                return False
            await asyncio.sleep(0.05)
    return True
