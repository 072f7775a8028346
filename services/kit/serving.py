"""One process that answers HTTP: uvicorn with our limits and without its own logs."""

import asyncio
import json
import sys
import uuid
from http import HTTPStatus
from types import FrameType
from typing import Any, ClassVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.kit.draining import begin_draining
from services.kit.problems import PLAIN

__all__ = ["GRACE_SECONDS", "serve"]

GRACE_SECONDS = 20
"""How long requests under way may take after SIGTERM."""

_HEAD_SECONDS = 10.0
"""A request's head must arrive within this time: a client that drips it holds no connection for ever."""

_HEAD_BYTES = 32 * 1024
_HEAD_FIELDS = 100
"""A head of more bytes or more fields is refused, whether it has ended or not."""

_URL_BYTES = 8 * 1024
"""The longest address we make ourselves, a cursor and every filter, is a fifth of it."""

_MOST_HEADLESS = 1000
"""So many connections may wait for a head; of more, the one that waits the longest is closed."""

_KEEP_ALIVE_SECONDS = 30
"""Longer than any client of ours keeps an idle connection, so that we are never the one who closes first."""


class _HeadRefusedError(Exception):
    """Ends the parsing of a head that goes too far."""


def _refusal(status: int) -> bytes:
    code, title = PLAIN[status]
    body = json.dumps(
        {"type": f"/problems/kit/{code}", "title": title, "status": status, "code": code}
        | {"request_id": uuid.uuid4().hex},
        ensure_ascii=False,
    ).encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        "content-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\n"
        "cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


class _BoundedHead(HttpToolsProtocol):
    """Uvicorn's protocol with a deadline and sizes for the head of a request, which it does not have."""

    _headless: ClassVar[dict["_BoundedHead", None]] = {}
    """Connections that wait for a head, the longest waiting first."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _refused_as = 400

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # A head that has not ended may be one endless field, which no callback tells of.
        if self._deadline is not None and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_BYTES:
                self._refused_as = 431
                self.send_400_response("")

    def send_400_response(self, msg: str) -> None:
        del msg
        self.transport.write(_refusal(self._refused_as))
        self.transport.close()

    def on_message_begin(self) -> None:
        self._head_bytes = 0
        if self._deadline is None:
            self._await_head()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > _URL_BYTES:
            self._refuse(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > _HEAD_FIELDS:
            self._refuse(431)

    def on_headers_complete(self) -> None:
        if sum(len(name) + len(value) for name, value in self.headers) > _HEAD_BYTES:
            self._refuse(431)
        if self.parser.get_http_version() not in ("1.0", "1.1"):
            self._refuse(400)
        self._head_came()
        super().on_headers_complete()

    def _refuse(self, status: int) -> None:
        self._refused_as = status
        raise _HeadRefusedError

    def _await_head(self) -> None:
        self._deadline = self.loop.call_later(_HEAD_SECONDS, self.transport.close)
        self._headless[self] = None
        if len(self._headless) > _MOST_HEADLESS:
            longest = next(iter(self._headless))
            del self._headless[longest]
            longest.transport.close()

    def _head_came(self) -> None:
        self._headless.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Server(uvicorn.Server):
    """Tells long waits that the end was asked for; uvicorn itself only waits for them."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        begin_draining()
        super().handle_exit(sig, frame)


def serve(app: ASGIApp, host: str, port: int) -> None:
    """Answer requests until SIGTERM or SIGINT, then finish those under way.

    Exits with code 3 when the application could not start.
    """
    limits: dict[str, Any] = {
        "timeout_keep_alive": _KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": GRACE_SECONDS,
        "limit_concurrency": 2000,
        "backlog": 2048,
    }
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=_BoundedHead,
        ws="none",
        lifespan="on",
        # The kit logs, with the request id and without personal data.
        log_config=None,
        access_log=False,
        server_header=False,
        # The gateway is a door, not the lock: nothing about the caller is believed from headers.
        proxy_headers=False,
        **limits,
    )
    server = _Server(config)
    server.run()
    if not server.started:
        sys.exit(3)
