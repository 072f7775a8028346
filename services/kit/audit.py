"""Who read whom, and what happened: entries of the audit that no trigger could write.

An answer with personal data leaves only after its reading is recorded, in the same transaction. A
feature marks the fields (`PERSONAL`) and the route (`reads`), and says once which persons it shows
(`read`); a route that forgets the mark is refused when it is made, one that forgets to record answers
500. The rest, who, when, by which operation, is known here. docs/decisions/0022.
"""

import json
import re
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol, get_args

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

__all__ = [
    "OWN",
    "PERSONAL",
    "READS_MARK",
    "UnrecordedReadingError",
    "holds_personal_data",
    "read",
    "read_again",
    "readings_of_the_request",
    "reads",
    "record",
    "recorded",
]

PERSONAL_MARK = "x-opora-personal"
READS_MARK = "x-opora-reads"

PERSONAL: dict[str, Any] = {PERSONAL_MARK: True}
"""`json_schema_extra` of a field that says something about a natural person."""

OWN = "self"
"""What a route reads that shows callers their own data only: that is nobody reading somebody."""


def reads(kind: str) -> dict[str, Any]:
    """Return the `openapi_extra` of a route that shows persons of this kind (or `OWN`)."""
    return {READS_MARK: kind}


class UnrecordedReadingError(RuntimeError):
    """Personal data was about to leave without an entry; a mistake of the route."""


class Person(Protocol):
    """A row about a person, at a place."""

    @property
    def id(self) -> int:
        """Number of the record."""

    @property
    def region_id(self) -> int | None:
        """Whose region may read that it was read."""


@dataclass
class _Operation:
    """The operation of the request at hand and what it has recorded."""

    id: str
    filters: Mapping[str, str | None]
    readings: list[dict[str, Any]] = field(default_factory=list)
    has_recorded: bool = False


_OPERATION: ContextVar[_Operation | None] = ContextVar("operation", default=None)

_READING = text(
    """
    SELECT opora_record_reading(:operation, :kind, CAST(:ids AS bigint[]), CAST(:filters AS jsonb),
                                :region_id)
    """,
)
_EVENT = text(
    """
    SELECT opora_record(:kind, :op, :entity_id, CAST(:details AS jsonb),
                        :region_id, :municipality_id, :school_id)
    """,
)


async def read(
    session: AsyncSession, kind: str, persons: Iterable[Person], *, operation: str = ""
) -> None:
    """Record that these persons are about to be shown to the caller of the transaction.

    Nobody found is nothing read: an empty list leaves no entry.

    Args:
        session: The transaction of the request, so that the entry stands before the answer leaves.
        kind: What they are: `account`.
        persons: Rows with `id` and `region_id`.
        operation: What reads them, outside of a request (a job that writes an export).
    """
    current = _OPERATION.get()
    by_region: dict[int | None, list[int]] = {}
    for person in persons:
        by_region.setdefault(person.region_id, []).append(person.id)
    for region_id, ids in by_region.items():
        reading = {
            "operation": current.id if current else operation,
            "kind": kind,
            "ids": ids,
            "filters": dict(current.filters) if current else {},
            "region_id": region_id,
        }
        await _write(session, reading)
        if current:
            current.readings.append(reading)
    if current:
        current.has_recorded = True


async def read_again(session: AsyncSession, readings: list[dict[str, Any]] | None) -> None:
    """Record that a stored answer, which showed these readings, is about to be sent once more."""
    for reading in readings or ():
        await _write(session, reading | {"filters": reading["filters"] | {"replayed": "true"}})
    if current := _OPERATION.get():
        current.has_recorded = True


def readings_of_the_request() -> str | None:
    """Return what the request has recorded, as JSON to keep beside its stored answer."""
    current = _OPERATION.get()
    return json.dumps(current.readings) if current and current.readings else None


async def _write(session: AsyncSession, reading: Mapping[str, Any]) -> None:
    await session.execute(_READING, {**reading, "filters": json.dumps(reading["filters"])})


async def record(
    session: AsyncSession,
    kind: str,
    op: str,
    *,
    entity_id: int | None = None,
    details: Mapping[str, Any] | None = None,
    region_id: int | None = None,
    municipality_id: int | None = None,
    school_id: int | None = None,
) -> None:
    """Record an event that is not the change of one tracked row: a login, the rotation of a key.

    Args:
        session: The transaction in which it happens; its subject is who did it.
        kind: What it happened to: `login`.
        op: What happened, one word: `failure`. Changes of rows are told by their trigger only.
        entity_id: Number of the record concerned, if there is one.
        details: Anything to remember; never a secret and nothing that names a person.
        region_id: Whose region may read of it; None: that of the caller.
        municipality_id: See `region_id`.
        school_id: See `region_id`.
    """
    await session.execute(
        _EVENT,
        {
            "kind": kind,
            "op": op,
            "entity_id": entity_id,
            "details": json.dumps(dict(details or {}), ensure_ascii=False),
            "region_id": region_id,
            "municipality_id": municipality_id,
            "school_id": school_id,
        },
    )


def recorded(
    handler: Callable[[Request], Coroutine[Any, Any, Response]],
    *,
    name: str,
    mark: str | None,
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """Return a route's handler that knows its operation and lets nothing out unrecorded."""

    async def handle(request: Request) -> Response:
        with _within(f"{request.app.state.service}_{name}", request) as current:
            answer = await handler(request)
            if mark not in (None, OWN) and answer.status_code < 400 and not current.has_recorded:
                raise UnrecordedReadingError(current.id)
            return answer

    return handle


@contextmanager
def _within(operation: str, request: Request) -> Iterator[_Operation]:
    current = _Operation(operation, _summary(request))
    token = _OPERATION.set(current)
    try:
        yield current
    finally:
        _OPERATION.reset(token)


_PAGING = {"cursor", "limit", "count"}
_NOBODY = re.compile(r"\d{1,18}|\d{4}-\d{2}-\d{2}|true|false")


def _summary(request: Request) -> dict[str, str | None]:
    """Return the filters asked for; None for a value that could name a person, as words can."""
    return {
        name: value if _NOBODY.fullmatch(value) else None
        for name, value in request.query_params.items()
        if name not in _PAGING
    }


def holds_personal_data(shape: Any) -> bool:
    """Tell whether a response model, or anything in it, has a field that is marked `PERSONAL`."""
    return _holds(shape, set())


def _holds(shape: Any, seen: set[Any]) -> bool:
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        if shape in seen:
            return False
        seen.add(shape)
        return any(
            (isinstance(one.json_schema_extra, dict) and PERSONAL_MARK in one.json_schema_extra)
            or any(_is_marked(data) for data in one.metadata)
            or _holds(one.annotation, seen)
            for one in shape.model_fields.values()
        )
    return any(_is_marked(part) or _holds(part, seen) for part in get_args(shape))


def _is_marked(metadata: Any) -> bool:
    extra = getattr(metadata, "json_schema_extra", None)
    return isinstance(extra, dict) and PERSONAL_MARK in extra
