"""Compress answers on their way out, piece by piece as they come.

Done at the door, once for all services. Not compressed are: answers with a strong ETag (the tag
names one sequence of bytes, and `If-Match` compares it), what is encoded or packed already, small
answers, and everything under /api/auth/, where a secret and what a caller sends would share one
compressed text.
"""

import asyncio
import zlib
from functools import lru_cache
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Compression", "accepts_gzip"]

_LEAST_BYTES: Final = 1024
_LEVEL: Final = 4
"""Of 9: two thirds of the time of the usual 6 for some per cent more bytes."""

_IN_THREAD_BYTES: Final = 32 * 1024
"""A larger piece is compressed in a thread: it would hold up all other requests for milliseconds."""

_PIECE_BYTES: Final = 256 * 1024

_TYPES: Final = frozenset(
    {
        b"application/json",
        b"application/problem+json",
        b"application/javascript",
        b"application/xml",
        b"image/svg+xml",
        b"text/css",
        b"text/csv",
        b"text/html",
        b"text/javascript",
        b"text/plain",
    }
)


@lru_cache(maxsize=256)
def accepts_gzip(accepted: bytes) -> bool:
    """Tell whether an `Accept-Encoding` allows gzip (RFC 9110, 12.5.3)."""
    qualities = {}
    for part in accepted.decode("latin-1").lower().split(","):
        coding, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        try:
            qualities[coding] = float(quality)
        except ValueError:
            qualities[coding] = 0.0
    return qualities.get("gzip", qualities.get("*", 0.0)) > 0


class Compression:
    """Pure ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["raw_path"].startswith(b"/api/auth/"):
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Answer(scope, send).send)


class _Answer:
    """One answer: decided on when it starts, compressed when its first piece is known."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._start: Message | None = None
        self._packer: zlib._Compress | None = None

    async def send(self, message: Message) -> None:
        """Take one message of the application."""
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif self._start is not None:
            await self._go_on_first(message)
        elif self._packer is not None:
            await self._pack(self._packer, message)
        else:
            await self._send(message)

    async def _begin(self, start: Message) -> None:
        headers = dict(start["headers"])
        if not _is_compressible(start["status"], headers):
            await self._send(start)
            return
        # Also when this answer goes out as it is: a cache has to know that another may not.
        start["headers"] = _varying(start["headers"])
        length = headers.get(b"content-length")
        is_small = length is not None and int(length) < _LEAST_BYTES
        if is_small or self._scope["method"] == "HEAD" or not self._is_accepted():
            await self._send(start)
            return
        # Nothing is known of the length yet: the first piece tells.
        self._start = start

    async def _go_on_first(self, message: Message) -> None:
        start, self._start = self._start, None
        assert start is not None  # noqa: S101  asked by `send`
        if not message.get("more_body", False) and len(message.get("body", b"")) < _LEAST_BYTES:
            await self._send(start)
            await self._send(message)
            return
        headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
        start["headers"] = [*headers, (b"content-encoding", b"gzip")]
        self._packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        await self._send(start)
        await self._pack(self._packer, message)

    async def _pack(self, packer: "zlib._Compress", message: Message) -> None:
        body, more = message.get("body", b""), message.get("more_body", False)
        for begin in range(0, len(body), _PIECE_BYTES):
            piece = body[begin : begin + _PIECE_BYTES]
            if len(piece) > _IN_THREAD_BYTES:
                packed = await asyncio.to_thread(packer.compress, piece)
            else:
                packed = packer.compress(piece)
            if packed:
                await self._send(_piece(packed))
        # Whoever waits for the parts of a stream gets each part when it was sent.
        rest = packer.flush(zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH)
        await self._send({"type": "http.response.body", "body": rest, "more_body": more})

    def _is_accepted(self) -> bool:
        accepted = [value for name, value in self._scope["headers"] if name == b"accept-encoding"]
        return bool(accepted) and accepts_gzip(b",".join(accepted))


def _piece(packed: bytes) -> Message:
    return {"type": "http.response.body", "body": packed, "more_body": True}


def _is_compressible(status: int, headers: dict[bytes, bytes]) -> bool:
    etag = headers.get(b"etag", b"")
    return (
        status not in (204, 206, 304)
        and b"content-encoding" not in headers
        and headers.get(b"content-type", b"").partition(b";")[0].strip().lower() in _TYPES
        and (not etag or etag.startswith(b"W/"))
        and b"no-transform" not in headers.get(b"cache-control", b"")
    )


def _varying(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    said = b", ".join(value for name, value in headers if name == b"vary")
    if b"accept-encoding" in said.lower() or said == b"*":
        return headers
    others = [pair for pair in headers if pair[0] != b"vary"]
    return [*others, (b"vary", said + b", Accept-Encoding" if said else b"Accept-Encoding")]
