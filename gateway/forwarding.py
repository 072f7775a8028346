"""Pass a request on to its service and the answer back, as streams, byte for byte.

Written as bare ASGI over aiohttp's client because it stands in the way of every request: a FastAPI
route over one httpx client forwards some hundreds of requests a second, this some thousands.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from starlette.types import ASGIApp, Receive, Scope, Send
from yarl import URL

from gateway import headers
from gateway.refusals import ServiceBrokeOff, ServiceTimedOut, ServiceUnavailable, TunnelRefused
from gateway.routing import Destination, destination_of
from gateway.streams import ClientGoneError, IncomingBody, Pace, Presence, refuse, too_large
from services.kit import budgets
from services.kit.logs import begin_request, log
from services.kit.problems import Problem

__all__ = ["Forwarder", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a forwarded request may cost."""

    body_bytes: int = 2 * 1024**2
    upload_bytes: int = 1024**3
    connect_seconds: float = 1.5
    answer_seconds: float = 60.0
    body_idle_seconds: float = 30.0
    body_grace_seconds: float = 30.0
    body_bytes_per_second: int = 500
    connections_per_service: int = 256
    # Less than a service keeps an idle connection (5 s in uvicorn), so that a request is seldom
    # written into a connection which the service is just closing.
    keepalive_seconds: float = 4.0


class Forwarder:
    """The ASGI application in front of the gateway's own.

    Paths of the services go to the services, every other path to `own`. One connection pool per
    service: a service that hangs cannot take the connections of the others.
    """

    def __init__(
        self,
        own: ASGIApp,
        urls: Mapping[str, str],
        limits: Limits | None = None,
    ) -> None:
        self._own = own
        self._bases = {service: url.rstrip("/") for service, url in urls.items()}
        self._limits = limits or Limits()
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._pace = Pace(self._limits.body_grace_seconds, self._limits.body_bytes_per_second)
        self._budget = (budgets.HEADER, str(int(self._limits.answer_seconds * 1000)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI connection."""
        if scope["type"] == "http":
            destination = destination_of(scope["raw_path"])
            if destination is not None:
                await self._forward(destination, scope, receive, send)
                return
        try:
            await self._own(scope, receive, send)
        finally:
            if scope["type"] == "lifespan":
                await self.close()

    async def close(self) -> None:
        """Give back the connections to the services."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    async def _forward(
        self,
        destination: Destination,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Forward one request, or say why not."""
        request_id = scope.get("opora.request_id") or begin_request(
            headers.offered_request_id(scope)
        )
        answer = _Answer(send)
        body: IncomingBody | None = None
        try:
            if scope["method"] == "CONNECT":
                raise TunnelRefused
            onward = [*headers.onward(scope, request_id), self._budget]
            length = headers.declared_length(scope)
            if length != 0:
                limit = self._body_limit(destination, scope)
                body = IncomingBody(
                    receive,
                    limit=limit,
                    idle_seconds=self._limits.body_idle_seconds,
                    pace=self._pace,
                )
                if length is not None and length > limit:
                    raise too_large(limit)
            with Presence(receive, body) as presence:
                # A body may take its time; a request without one has all its time for the answer.
                async with asyncio.timeout(self._limits.answer_seconds if body is None else None):
                    response = await self._session(destination.service).request(
                        scope["method"],
                        self._url(destination, scope),
                        headers=onward,
                        data=None if body is None else body.chunks(),
                        allow_redirects=False,
                    )
                try:
                    await answer.pass_back(response, request_id, body, presence)
                finally:
                    response.close()
        except (Problem, ClientGoneError, aiohttp.ClientError, TimeoutError) as failure:
            # A failing body reaches us wrapped by the client library; its own reason counts.
            reason = body.failure if body is not None and body.failure is not None else failure
            if isinstance(reason, ClientGoneError):
                return
            problem = _problem_of(reason, destination)
            log.warning("not forwarded", peer=destination.service, code=problem.code())
            if not answer.started:
                await refuse(problem, scope, receive, send, body)
            # Otherwise the answer stays incomplete and our server cuts the connection: half an
            # answer must not pass for a whole one.

    def _body_limit(self, destination: Destination, scope: Scope) -> int:
        is_upload = scope["raw_path"].startswith(destination.uploads)
        return self._limits.upload_bytes if is_upload else self._limits.body_bytes

    def _url(self, destination: Destination, scope: Scope) -> URL:
        target = scope["raw_path"].decode("ascii")
        if query := scope["query_string"]:
            target = f"{target}?{query.decode('latin-1')}"
        return URL(self._bases[destination.service] + target, encoded=True)

    def _session(self, service: str) -> aiohttp.ClientSession:
        session = self._sessions.get(service)
        if session is None:
            limits = self._limits
            session = self._sessions[service] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=limits.connections_per_service,
                    keepalive_timeout=limits.keepalive_seconds,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
                timeout=aiohttp.ClientTimeout(
                    total=None,
                    connect=limits.connect_seconds,
                    sock_read=limits.answer_seconds,
                ),
            )
        return session


class _Answer:
    """What goes back to the client."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def pass_back(
        self,
        response: aiohttp.ClientResponse,
        request_id: str,
        body: IncomingBody | None,
        presence: Presence,
    ) -> None:
        """Stream the service's answer as it comes."""
        passed = headers.passed_back(response.raw_headers, request_id)
        if body is not None and not body.complete:
            # An early answer: the rest of the request is of no use on this connection.
            passed.append((b"connection", b"close"))
        self.started = True
        await self._send(
            {"type": "http.response.start", "status": response.status, "headers": passed},
        )
        content = response.content
        last = False
        while not last:
            chunk = await content.readany()
            last = content.at_eof()
            if last:
                presence.stop()
                if body is not None and not body.complete:
                    response.close()
                    await body.linger()
            await self._send({"type": "http.response.body", "body": chunk, "more_body": not last})


def _problem_of(failure: Exception, destination: Destination) -> Problem:
    """Say in the client's terms what went wrong between the gateway and the service."""
    members = {"service": destination.service}
    match failure:
        case Problem():
            return failure
        case aiohttp.ConnectionTimeoutError() | aiohttp.ClientConnectorError():
            return ServiceUnavailable(
                "Не удалось соединиться со службой, которая отвечает на этот запрос.",
                hint="Повторите запрос через несколько секунд.",
                **members,
            )
        case TimeoutError():
            return ServiceTimedOut(
                "Служба приняла запрос, но не ответила за отведённое время.",
                hint="Проверьте, выполнено ли действие, прежде чем повторять его.",
                **members,
            )
        case _:
            return ServiceBrokeOff(
                "Служба приняла запрос, но ответа от неё не получено.",
                hint="Проверьте, выполнено ли действие, прежде чем повторять его.",
                **members,
            )
