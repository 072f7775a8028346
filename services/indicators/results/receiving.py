"""Passing an upload through the intake child: bytes in, sanitised batches out, the original nowhere."""

import asyncio
import contextlib
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from services.indicators.results.intake import frames
from services.indicators.results.intake.frames import Frame, Kind

__all__ = ["Received", "Refused", "TooBig", "receive"]

_DRAIN_AFTER_REFUSAL = 64 * 1024 * 1024
"""Bytes still read after a refusal, so that the client is reading its answer and not a reset."""


@dataclass(frozen=True)
class Received:
    """A file that came in whole."""

    sha256: str
    size_bytes: int
    facts: dict[str, Any]
    """Counts and what was recognised, as the child said."""


@dataclass
class Refused(Exception):  # noqa: N818  a fact about the file
    """The child refused the file; the document has code, detail, hint, facts."""

    document: dict[str, Any]


@dataclass
class TooBig(Exception):  # noqa: N818  as above
    """The body passed its limit (bytes) while it was being read."""

    limit: int


Store = Callable[[int, str, bytes], Awaitable[None]]
"""Stores a batch: its number, `rows` or `faults`, the Arrow bytes."""


async def receive(
    body: AsyncIterator[bytes], task: dict[str, Any], store: Store, *, limit: int, seconds: float
) -> Received:
    """Send a body through the child and store its batches as they come.

    Raises:
        Refused: The file as a whole cannot be taken.
        TooBig: The body is larger than the limit.
        TimeoutError: The file took too long.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.indicators.results.intake",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=4 * 1024 * 1024,
        # The child gets none of the service's settings: no database address, no keys of tokens.
        env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "PYTHONPATH": _import_path()},
    )
    try:
        async with asyncio.timeout(seconds):
            return await _exchange(child, body, task, store, limit)
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _import_path() -> str:
    return os.pathsep.join(path for path in sys.path if path)


async def _exchange(
    child: asyncio.subprocess.Process,
    body: AsyncIterator[bytes],
    task: dict[str, Any],
    store: Store,
    limit: int,
) -> Received:
    feeding = asyncio.create_task(_feed(child, body, task, limit))
    try:
        facts = await _take(child, store)
        digest, size = await feeding
    except Refused:
        await _let_client_finish(feeding)
        raise
    except _ChildDied:
        # A child killed by its limits says nothing; a body that was too big says why.
        await feeding
        raise Refused(_DIED) from None
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
    return Received(digest, size, facts)


class _ChildDied(Exception):  # noqa: N818  a fact about the child
    """The child ended without its last frame."""


_DIED = {
    "code": "file-too-heavy",
    "detail": "Чтение файла превысило отведённую память или время.",
    "hint": "Разделите файл на части или загрузите его как CSV.",
    "facts": {},
}


async def _feed(
    child: asyncio.subprocess.Process, body: AsyncIterator[bytes], task: dict[str, Any], limit: int
) -> tuple[str, int]:
    """Write task and body to the child; count and hash the body."""
    try:
        return await _pour(child, body, task, limit)
    except BaseException:
        # Whoever waits for the child's answer must not wait for ever (the client went away).
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        raise


async def _pour(
    child: asyncio.subprocess.Process, body: AsyncIterator[bytes], task: dict[str, Any], limit: int
) -> tuple[str, int]:
    assert child.stdin is not None  # noqa: S101  asked for above
    digest, size = hashlib.sha256(), 0
    listening = True
    child.stdin.write(json.dumps(task).encode() + b"\n")
    async for piece in body:
        size += len(piece)
        if size > limit:
            raise TooBig(limit)
        digest.update(piece)
        if listening:
            try:
                child.stdin.write(piece)
                await child.stdin.drain()
            except (BrokenPipeError, ConnectionResetError):
                listening = False  # it has refused and says why on its other side
        if not listening and size > _DRAIN_AFTER_REFUSAL:
            break
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        child.stdin.close()
        await child.stdin.wait_closed()
    return digest.hexdigest(), size


async def _take(child: asyncio.subprocess.Process, store: Store) -> dict[str, Any]:
    """Store the child's batches until it says that it is done."""
    assert child.stdout is not None  # noqa: S101  asked for above
    seq = -1
    while True:
        frame = await _next(child.stdout)
        match frame.kind:
            case Kind.ROWS:
                seq += 1
                await store(seq, "rows", frame.payload)
            case Kind.FAULTS:
                await store(seq, "faults", frame.payload)
            case Kind.REFUSAL:
                raise Refused(frame.json())
            case Kind.DONE:
                return frame.json()
            case Kind.HEADER:
                continue


async def _next(stream: asyncio.StreamReader) -> Frame:
    try:
        frame = await frames.read(stream)
    except asyncio.IncompleteReadError:
        raise _ChildDied from None
    if frame is None:
        raise _ChildDied
    return frame


async def _let_client_finish(feeding: asyncio.Task[tuple[str, int]]) -> None:
    """Read the rest of a refused body; a client that is still sending would miss its answer."""
    with contextlib.suppress(TooBig, OSError):
        await feeding
