"""What every route is made of: its router, its models, its place in logs and metrics."""

import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry, Counter, Histogram
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kit.audit import (
    READS_MARK,
    UnrecordedReadingError,
    holds_personal_data,
    recorded,
)
from services.kit.budgets import HEADER, begin_budget
from services.kit.deprecation import announcing
from services.kit.etags import IF_NONE_MATCH, NOT_MODIFIED, conditional
from services.kit.idempotency import around
from services.kit.inputs import as_declared
from services.kit.logs import begin_request, log

__all__ = ["EdgeMiddleware", "In", "Out", "Route", "allow_body", "router"]

BODY_LIMIT = "opora.body_limit"


class In(BaseModel):
    """What a caller sends. An unknown field is refused: silently dropping it would lose data."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
    )

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Hold every field to the JSON type that the contract declares: `true` is not 1."""
        schema: CoreSchema = as_declared(handler(source), cls)
        return schema


class Out(BaseModel):
    """What a caller receives; built from rows by attribute."""

    model_config: ClassVar[ConfigDict] = ConfigDict(from_attributes=True, frozen=True)


class Route(APIRoute):
    """A route that keeps answers under an Idempotency-Key and lets out no unrecorded reading.

    See kit/idempotency.py and kit/audit.py.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        """Make the route.

        Raises:
            UnrecordedReadingError: Its answer holds personal data and it does not say whose.
        """
        path = str(options.get("path", args[0] if args else ""))
        self._reads_one = path.endswith("}") and set(options.get("methods") or {"GET"}) == {"GET"}
        if self._reads_one:
            options = options | _conditional(options)
        super().__init__(*args, **options)
        if READS_MARK not in (self.openapi_extra or {}) and holds_personal_data(
            self.response_model
        ):
            raise UnrecordedReadingError(
                f"{self.name} answers with personal data: say openapi_extra=audit.reads(kind)"
                " and record the reading with audit.read",
            )

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler; the request's transaction is still open inside the wrapper."""
        said = self.openapi_extra or {}
        handler = recorded(
            around(super().get_route_handler()), name=self.name, mark=said.get(READS_MARK)
        )
        handler = announcing(handler, said)
        return conditional(handler) if self._reads_one else handler


def _conditional(options: dict[str, Any]) -> dict[str, Any]:
    """Declare what reading one record takes and answers beside what its operation says."""
    extra = options.get("openapi_extra") or {}
    parameters = extra.get("parameters", [])
    # A router that is included makes its routes a second time.
    if IF_NONE_MATCH not in parameters:
        parameters = [*parameters, IF_NONE_MATCH]
    return {
        "openapi_extra": extra | {"parameters": parameters},
        "responses": {304: NOT_MODIFIED} | (options.get("responses") or {}),
    }


def router(*, prefix: str, tags: list[str]) -> APIRouter:
    """Return the router of a feature."""
    return APIRouter(prefix=prefix, tags=list(tags), route_class=Route)


@dataclass
class _BodyLimit:
    """How much of the body has come and how much may; counted while it streams in."""

    allowed: int
    declared: int
    received: int = 0

    def check(self) -> None:
        if max(self.declared, self.received) > self.allowed:
            raise HTTPException(413)


def allow_body(request: Request, max_bytes: int) -> None:
    """Let this request (an upload that is streamed, not held) have a larger body than others."""
    request.scope[BODY_LIMIT].allowed = max_bytes


class EdgeMiddleware:
    """Gives each request its id, measures it, writes its one log line, limits its body.

    Pure ASGI: a BaseHTTPMiddleware would cost half the throughput.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        registry: CollectorRegistry,
        access_log: bool,
        max_body_bytes: int,
        prefix: str,
    ) -> None:
        self._app = app
        self._prefix = prefix.encode()
        self._access_log = access_log
        self._max_body_bytes = max_body_bytes
        self._seconds = Histogram(
            "opora_http_request_seconds",
            "Time to answer",
            ["method", "route"],
            registry=registry,
        )
        self._answers = Counter(
            "opora_http_answers",
            "Answers by status",
            ["method", "route", "status"],
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        raw_path = scope.get("raw_path")
        if raw_path is not None and not raw_path.startswith(self._prefix):
            # The gateway routes by the bytes: a prefix spelled in another way (%72egistry) is no
            # path of ours there, so it is none here.
            scope["path"] = raw_path.decode("latin-1")
        started = time.perf_counter()
        status = 500
        headers = Headers(scope=scope)
        current = begin_request(scope.get("opora.request_id") or headers.get("x-request-id"))
        budget = headers.get(HEADER)
        has_body = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
        # A body may take long to come; the wait that is bounded is the one after it.
        begin_budget(None if has_body else budget)
        length = headers.get("content-length", "")
        limit = _BodyLimit(self._max_body_bytes, int(length) if length.isdecimal() else 0)
        scope[BODY_LIMIT] = limit

        async def receive_limited() -> Message:
            limit.check()
            message = await receive()
            limit.received += len(message.get("body", b""))
            limit.check()
            if has_body and not message.get("more_body", False):
                begin_budget(budget)
            return message

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = current
                headers["x-content-type-options"] = "nosniff"
                headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive_limited, send_marked)
        finally:
            self._account(scope, status, time.perf_counter() - started)

    def _account(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        self._seconds.labels(scope["method"], route).observe(seconds)
        self._answers.labels(scope["method"], route, status).inc()
        if self._access_log and not route.startswith(("/health", "/metrics")):
            # The route's template, not the path: identifiers of people do not belong in a log.
            log.info(
                "request",
                method=scope["method"],
                route=route,
                status=status,
                ms=round(seconds * 1e3, 1),
            )
