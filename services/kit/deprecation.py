"""Announcing that an operation will go: in the contract, and in every answer it still gives.

Sources: RFC 9745 (Deprecation), RFC 8594 (Sunset).
"""

from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any

from fastapi import Request, Response

__all__ = ["announcing", "deprecated"]

DEPRECATED_SINCE, SUNSET = "x-deprecated-since", "x-sunset"


def deprecated(*, since: date, sunset: date, instead: str) -> dict[str, Any]:
    """Return what a route says of itself: `@routes.get("", ..., **deprecated(since=..., ...))`.

    Args:
        since: The day of the release that announced it.
        sunset: The first day on which the operation may be gone, two releases later at the earliest.
        instead: The operation to call instead, for example `GET /api/registry/v1/schools`.

    Raises:
        ValueError: It would go before it was announced.
    """
    if sunset <= since:
        message = f"an operation cannot go on {sunset} when it is announced on {since}"
        raise ValueError(message)
    return {
        "deprecated": True,
        "openapi_extra": {
            DEPRECATED_SINCE: since.isoformat(),
            SUNSET: sunset.isoformat(),
            "x-instead": instead,
        },
    }


def announcing(
    handler: Callable[[Request], Coroutine[Any, Any, Response]], said: Mapping[str, Any]
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """Return the handler with the announcement on its answers; the same handler when there is none.

    Args:
        handler: What answers.
        said: What the route adds to the contract.
    """
    if SUNSET not in said:
        return handler
    headers = {
        "Deprecation": f"@{int(_midnight(said[DEPRECATED_SINCE]).timestamp())}",
        "Sunset": format_datetime(_midnight(said[SUNSET]), usegmt=True),
    }

    async def handle(request: Request) -> Response:
        answer = await handler(request)
        answer.headers.update(headers)
        return answer

    return handle


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), UTC)
