"""Keyset pages: the cursor says where to go on, is opaque, and belongs to one caller and one query."""

import base64
import binascii
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar, cast

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Row, Select, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from services.kit.principals import Principal, authenticate
from services.kit.problems import Problem

__all__ = ["Page", "PageAsk", "Rows", "keyset", "seal", "unseal"]

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
EXAMPLE_CURSOR = "eyJrIjpbNTBdfQ"

T = TypeVar("T")


class CursorInvalid(Problem):
    """The cursor was edited, or belongs to another caller or another query."""

    status = 400
    title = "Курсор страницы недействителен"


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    model_config = ConfigDict(from_attributes=True)

    items: list[T] = Field(description="Элементы страницы по порядку")
    next: str | None = Field(
        description="Курсор следующей страницы; null на последней",
        examples=[EXAMPLE_CURSOR],
    )
    total: int | None = Field(
        default=None,
        description="Сколько всего элементов видно вам; только при count=true",
        examples=[348],
    )


@dataclass(frozen=True)
class _Ask:
    limit: int
    after: list[Any] | None
    count: bool
    sealer: Callable[[list[Any]], str]


@dataclass(frozen=True)
class Rows:
    """The rows of one page, ready for `Page`."""

    items: Sequence[Row[Any]]
    next: str | None
    total: int | None


def _page_ask(
    request: Request,
    caller: Annotated[Principal, Depends(authenticate)],
    limit: Annotated[
        int, Query(ge=1, le=MAX_LIMIT, description="Элементов на странице", examples=[50])
    ] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None,
        Query(
            max_length=2000,
            description="Курсор из поля next предыдущей страницы; фильтры при листании те же",
            examples=[EXAMPLE_CURSOR],
        ),
    ] = None,
    count: Annotated[
        bool, Query(description="Посчитать, сколько всего (total)", examples=[True])
    ] = False,
) -> _Ask:
    secret = cast("bytes", request.app.state.cursor_secret)
    filters = sorted(
        (k, v)
        for k, v in request.query_params.multi_items()
        if k not in {"cursor", "limit", "count"}
    )
    context = json.dumps([caller.subject, request.url.path, filters])
    return _Ask(
        limit,
        unseal(secret, context, cursor) if cursor else None,
        count,
        lambda values: seal(secret, context, values),
    )


PageAsk = Annotated[_Ask, Depends(_page_ask)]


def seal(secret: bytes, context: str, values: list[Any]) -> str:
    """Return an opaque cursor of these values that only this context opens."""
    payload = json.dumps(values, default=_plain, separators=(",", ":")).encode()
    mark = hmac.digest(secret, context.encode() + b"\0" + payload, "sha256")[:16]
    return base64.urlsafe_b64encode(mark + payload).decode().rstrip("=")


def unseal(secret: bytes, context: str, cursor: str) -> list[Any]:
    """Return the values of a cursor.

    Raises:
        CursorInvalid: It was edited or sealed for another context.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid() from error
    mark, payload = raw[:16], raw[16:]
    wanted = hmac.digest(secret, context.encode() + b"\0" + payload, hashlib.sha256)[:16]
    # Re-sealing also refuses a second spelling of the same bytes (loose base64 tail bits).
    if (
        not hmac.compare_digest(mark, wanted)
        or base64.urlsafe_b64encode(raw).decode().rstrip("=") != cursor
    ):
        raise _invalid()
    return cast("list[Any]", json.loads(payload))


def _invalid() -> CursorInvalid:
    return CursorInvalid(
        "Курсор изменён либо выдан другому пользователю или для другого запроса",
        hint="Начните список с первой страницы без параметра cursor и не меняйте фильтры при листании",
    )


def _plain(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)


async def keyset(
    session: AsyncSession,
    statement: Select[*tuple[Any, ...]],
    *,
    order: Sequence[ColumnElement[Any] | InstrumentedAttribute[Any]],
    ask: _Ask,
) -> Rows:
    """Return one page of the statement in the given order.

    Args:
        session: The request's transaction.
        statement: What to list, without order or limit; the order columns must be selected by it.
        order: Columns that together are unique and never null; the page goes on from their values.
        ask: What the caller asked for.
    """
    total = None
    if ask.count:
        total = await session.scalar(
            select(func.count()).select_from(statement.order_by(None).subquery())
        )
    columns = [column.expression for column in order]
    page = statement
    if ask.after is not None:
        if len(ask.after) != len(order):
            raise _invalid()
        bounds = [
            literal(_typed(column, value), column.type)
            for column, value in zip(columns, ask.after, strict=True)
        ]
        page = page.where(tuple_(*columns) > tuple_(*bounds))
    # The order's values travel with each row under names of their own, whatever the row selects.
    marks = [column.label(f"_order_{position}") for position, column in enumerate(columns)]
    rows = (
        await session.execute(page.add_columns(*marks).order_by(*columns).limit(ask.limit + 1))
    ).all()
    items = rows[: ask.limit]
    following = None
    if len(rows) > ask.limit:
        last = items[-1]._mapping  # noqa: SLF001  the public name of a row's mapping
        following = ask.sealer([last[f"_order_{position}"] for position in range(len(order))])
    return Rows(items, following, total)


def _typed(column: ColumnElement[Any], value: Any) -> Any:
    kind = column.type.python_type
    if kind is date:
        return date.fromisoformat(value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    if kind is uuid.UUID:
        return uuid.UUID(value)
    return value
