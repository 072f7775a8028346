"""One process that answers HTTP: uvicorn with our limits and without its own logs."""

import asyncio
import sys
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.kit.draining import begin_draining

__all__ = ["GRACE_SECONDS", "serve"]

GRACE_SECONDS = 20
"""How long requests under way may take after SIGTERM."""

_HEAD_SECONDS = 10.0
"""A request's head must arrive within this time: a client that drips it holds no connection for ever."""

_HEAD_BYTES = 64 * 1024
"""A head that is still incomplete after so many bytes is refused."""

_KEEP_ALIVE_SECONDS = 30
"""Longer than any client of ours keeps an idle connection, so that we are never the one who closes first."""

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class _BoundedHead(HttpToolsProtocol):
    """Uvicorn's protocol with a deadline and a size for the head of a request, which it does not have."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._deadline is None or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > _HEAD_BYTES:
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        self._head_bytes = 0
        if self._deadline is None:
            self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_came()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._deadline = self.loop.call_later(_HEAD_SECONDS, self.transport.close)

    def _head_came(self) -> None:
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
