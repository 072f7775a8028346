"""Headers that every answer carries, whoever gave it: a service, the gateway, the door itself."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Shield"]

_EVERYWHERE: Final = (
    # An answer is data: nothing in it may run, load, frame or be framed. The documentation page,
    # which is a page, brings a policy of its own.
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000"),
    # Says who may embed an answer without asking; a web app of another origin asks, by CORS.
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


class Shield:
    """Pure ASGI. What the answer already says stays as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_shielded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                said = {name.lower() for name, _ in headers}
                headers += [pair for pair in _EVERYWHERE if pair[0] not in said]
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, send_shielded)
