"""Asking another service: time-outs, identity, the request id, and its problems brought back."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from services.kit.budgets import HEADER, left_seconds
from services.kit.logs import request_id
from services.kit.principals import MissingScope
from services.kit.problems import Problem
from services.kit.settings import ServiceSettings

__all__ = ["Peer", "PeerProblem", "PeerUnavailable", "Peers"]

CONNECT_SECONDS = 2.0
READ_SECONDS = 10.0
IN_REQUEST_SECONDS = 1.8
"""All tries of one question together, while somebody waits for our own answer."""


class PeerUnavailable(Problem):
    """A neighbour does not answer."""

    status = 503
    title = "Соседний сервис недоступен"
    headers = {"Retry-After": "2"}  # noqa: RUF012


class PeerTimeout(Problem):
    """A neighbour answers too slowly."""

    status = 504
    title = "Соседний сервис не ответил вовремя"


class PeerProblem(Problem):
    """A neighbour refused; its document is in `peer_problem`."""

    status = 502
    title = "Соседний сервис ответил отказом"

    def __init__(self, service: str, status: int, document: Mapping[str, Any]) -> None:
        super().__init__(
            str(document.get("detail") or document.get("title") or ""),
            service=service,
            peer_problem=dict(document),
        )
        self.peer_status = status
        self.peer_code = str(document.get("code", ""))


class Peers:
    """The neighbours of a service by name, with the service's own identity."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
        )
        self._token = ""
        self._expires_at = 0.0
        self._lock = asyncio.Lock()

    def __getitem__(self, service: str) -> "Peer":
        return Peer(service, str(getattr(self._settings, f"{service}_url")), self, token=None)

    def on_behalf(self, service: str, token: str) -> "Peer":
        """Return the neighbour asked with the originating user's token: it decides what to show."""
        url = str(getattr(self._settings, f"{service}_url"))
        return Peer(service, url, self, token=token, seconds=IN_REQUEST_SECONDS)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def own_token(self) -> str:
        """Return the service's own access token, asking for a new one shortly before the end."""
        async with self._lock:
            if time.monotonic() < self._expires_at:
                return self._token
            secret = self._settings.client_secret
            answer = await self.send(
                "gateway",
                "POST",
                self._settings.token_url,
                json={
                    "grant_type": "client_credentials",
                    "client_id": self._settings.client_id,
                    "client_secret": secret.get_secret_value() if secret else None,
                },
            )
            granted = answer.json()
            self._token = str(granted["access_token"])
            self._expires_at = time.monotonic() + int(granted["expires_in"]) - 30
            return self._token

    async def send(self, service: str, method: str, url: str, **options: Any) -> httpx.Response:
        """Send one request and bring refusals back as problems."""
        try:
            answer = await self._client.request(method, url, **options)
        except httpx.ConnectTimeout as error:
            raise PeerUnavailable(f"Сервис {service} не отвечает", service=service) from error
        except httpx.TimeoutException as error:
            raise PeerTimeout(f"Сервис {service} не ответил вовремя", service=service) from error
        except httpx.TransportError as error:
            raise PeerUnavailable(f"Сервис {service} не отвечает", service=service) from error
        if answer.status_code >= 500:
            raise PeerUnavailable(f"Сервис {service} не справился с запросом", service=service)
        if answer.status_code >= 400:
            raise PeerProblem(service, answer.status_code, _document(answer))
        return answer


class Peer:
    """One neighbour. Reads are tried twice; a write carries a key and is not repeated blindly."""

    def __init__(
        self,
        service: str,
        base_url: str,
        peers: Peers,
        token: str | None,
        seconds: float | None = None,
    ) -> None:
        self._service = service
        self._seconds = seconds
        self._base_url = base_url.rstrip("/")
        self._peers = peers
        self._token = token

    async def get(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  handed to httpx
    ) -> Any:
        """Return the JSON answer of a read."""
        options: dict[str, Any] = {"params": params}
        if timeout is not None:
            options["timeout"] = httpx.Timeout(timeout, connect=CONNECT_SECONDS)
        async with self._in_time() as left:
            try:
                return (await self._send("GET", path, left, **options)).json()
            except PeerUnavailable:
                await asyncio.sleep(0.1)
                return (await self._send("GET", path, left, **options)).json()

    async def post(
        self,
        path: str,
        body: Any,
        *,
        key: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  handed to httpx
    ) -> Any:
        """Send a write under an Idempotency-Key; return the JSON answer."""
        options: dict[str, Any] = {"json": body}
        if timeout is not None:
            options["timeout"] = httpx.Timeout(timeout, connect=CONNECT_SECONDS)
        headers = {"Idempotency-Key": key} if key else {}
        async with self._in_time() as left:
            return (await self._send("POST", path, left, headers=headers, **options)).json()

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[float | None]:
        """Bound all tries by our own bound and by what is left of our caller's; yield the seconds."""
        bounds = [bound for bound in (self._seconds, left_seconds()) if bound is not None]
        seconds = max(0.0, min(bounds)) if bounds else None
        try:
            async with asyncio.timeout(seconds):
                yield seconds
        except TimeoutError as error:
            raise PeerTimeout(
                f"Сервис {self._service} не ответил вовремя", service=self._service
            ) from error

    async def _send(
        self,
        method: str,
        path: str,
        left: float | None,
        *,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        token = self._token or await self._peers.own_token()
        identity = {"Authorization": f"Bearer {token}"}
        if current := request_id():
            identity["X-Request-Id"] = current
        if left is not None:
            identity[HEADER] = str(int(left * 1000))
        try:
            return await self._peers.send(
                self._service,
                method,
                self._base_url + path,
                headers=identity | dict(headers or {}),
                **options,
            )
        except PeerProblem as refused:
            # Asked as the caller, so what the caller lacks there is the caller's to be told.
            if self._token is not None and refused.peer_code == "missing-scope":
                raise MissingScope(
                    refused.detail, hint=f"Право нужно в сервисе {self._service}"
                ) from refused
            raise


def _document(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
