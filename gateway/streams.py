"""The client's side of an exchange: its body as it arrives, and whether it still waits."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from starlette.types import Message, Receive, Scope, Send

from gateway.refusals import BodyStalled, BodyTooLarge
from services.kit.logs import request_id
from services.kit.problems import Problem, render

__all__ = ["ClientGoneError", "IncomingBody", "Pace", "Presence", "refuse", "too_large"]

_WATCH_AFTER_SECONDS: Final = 0.25
"""A request answered sooner is not watched for its client leaving: watching costs a task."""

_LINGER_SECONDS: Final = 1.0
"""How long the rest of a refused body is read and dropped, so that the client gets to read the
refusal instead of a reset connection."""


class ClientGoneError(Exception):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The least a body has to come by, after a while: who drips it holds a connection of a service."""

    grace_seconds: float
    bytes_per_second: int

    def is_missed(self, size: int, waited: float) -> bool:
        """Tell whether so many bytes in so much waiting are too few."""
        return waited > self.grace_seconds and size < waited * self.bytes_per_second


class IncomingBody:
    """The request's body: counted, bounded, never held as a whole."""

    def __init__(
        self, receive: Receive, *, limit: int, idle_seconds: float, pace: Pace | None = None
    ) -> None:
        self._receive = receive
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._pace = pace
        self._size = 0
        self.complete = False
        self.failure: Problem | ClientGoneError | None = None
        """Why reading ended early; the client library only reports that it did."""

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body piece by piece.

        Raises:
            BodyTooLarge: More bytes came than the address takes.
            BodyStalled: Nothing came for `idle_seconds`, or it comes below the least pace.
            ClientGoneError: The client left in the middle.
        """
        loop = asyncio.get_running_loop()
        waited = 0.0
        while not self.complete:
            asked = loop.time()
            try:
                async with asyncio.timeout(self._idle_seconds):
                    message = await self._receive()
            except TimeoutError as error:
                raise self._fail(BodyStalled("Проверьте соединение и повторите запрос.")) from error
            # Only the client's own time counts: a service that takes the body slowly is not its fault.
            waited += loop.time() - asked
            if self._pace is not None and self._pace.is_missed(self._size, waited):
                raise self._fail(BodyStalled("Данные идут слишком медленно: проверьте соединение."))
            if message["type"] == "http.disconnect":
                raise self._fail(ClientGoneError())
            chunk: bytes = message.get("body", b"")
            self._size += len(chunk)
            if self._size > self._limit:
                raise self._fail(too_large(self._limit))
            self.complete = not message.get("more_body", False)
            if chunk:
                yield chunk

    async def linger(self) -> None:
        """Read and drop the rest for a moment."""
        try:
            async with asyncio.timeout(_LINGER_SECONDS):
                while not self.complete:
                    message = await self._receive()
                    self.complete = not message.get("more_body", False)
        except TimeoutError:
            return

    def _fail(self, failure: Problem | ClientGoneError) -> Exception:
        self.failure = failure
        return failure


class Presence:
    """Ends the exchange of the current task when its client leaves.

    Used as a context manager around the exchange; the cancelled task sees `ClientGoneError`.
    """

    def __init__(self, receive: Receive, body: IncomingBody | None) -> None:
        self._receive = receive
        self._body = body
        self._exchange: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._listener: asyncio.Task[None] | None = None
        self._gone = False

    def __enter__(self) -> Self:
        self._exchange = asyncio.current_task()
        self._wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        self.stop()
        if self._gone and kind is asyncio.CancelledError and self._exchange is not None:
            self._exchange.uncancel()
            raise ClientGoneError from error

    def stop(self) -> None:
        """Stop watching: the answer is complete."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._listener is not None:
            self._listener.cancel()
            self._listener = None

    def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_WATCH_AFTER_SECONDS, self._watch)

    def _watch(self) -> None:
        if self._body is not None and not self._body.complete:
            # Whoever reads the body sees a disconnect by itself, and only one may read.
            self._wait()
        else:
            self._listener = asyncio.get_running_loop().create_task(self._listen())

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        if self._exchange is not None:
            self._exchange.cancel()


def too_large(limit: int) -> BodyTooLarge:
    """Tell the limit in the unit a person uses."""
    return BodyTooLarge(
        f"По этому адресу принимается не больше {limit / 1024**2:g} МиБ.",
        hint="Разделите данные на несколько запросов или загрузите их файлом через импорт.",
        limit_bytes=limit,
    )


async def refuse(
    problem: Problem,
    scope: Scope,
    receive: Receive,
    send: Send,
    body: IncomingBody | None = None,
) -> None:
    """Answer with a problem; a body that nobody will read ends the connection.

    Args:
        problem: What is said.
        scope: The request.
        receive: Where the rest of its body comes from.
        send: Where the answer goes.
        body: The body, when reading it has begun.
    """
    response = render(problem)
    response.headers["x-request-id"] = request_id()
    if body is None and _announces_body(scope):
        body = IncomingBody(receive, limit=0, idle_seconds=_LINGER_SECONDS)
    if body is None or body.complete:
        await response(scope, _nothing_to_receive, send)
        return
    response.headers["connection"] = "close"
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        },
    )
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    await body.linger()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _announces_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


async def _nothing_to_receive() -> Message:
    return {"type": "http.disconnect"}
