"""The change feed: one gap-free ordered sequence of what changed, and the follower that reads it.

A serial number alone has gaps while transactions commit out of order. Changes are therefore ordered
by (transaction, number within it), and only those below the oldest running transaction are shown.
The rows are written by a trigger (kit/migrations.py: track), so no code path can forget them.
"""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

import httpx
from fastapi import APIRouter, Query, Request, Security
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit.database import Database, Transactions
from services.kit.draining import is_draining
from services.kit.http import Out, router
from services.kit.logs import log
from services.kit.peers import Peers
from services.kit.principals import Principal, authorise
from services.kit.problems import Problem, problems
from services.kit.reach import Reach

__all__ = ["Change", "Follower", "catch_up", "feed_router", "follow"]

POLL_SECONDS = 0.2
FOLLOW_WAIT_SECONDS = 20
FOLLOW_BATCH = 500


class FeedCursorInvalid(Problem):
    """The cursor is not one that this feed gave out."""

    status = 400
    title = "Курсор ленты недействителен"


class Change(Out):
    """One change of one record."""

    kind: str = Field(description="Что изменилось", examples=["school"])
    op: Literal["upsert", "delete"] = Field(
        description="upsert: новое состояние; delete: записи больше нет для вас",
        examples=["upsert"],
    )
    id: int = Field(description="Номер записи", examples=[698])
    key: dict[str, Any] = Field(
        description="Природный ключ записи; есть и у удалённых", examples=[{"code": "670101"}]
    )
    version: int | None = Field(description="Версия записи, если она ведётся", examples=[3])
    body: dict[str, Any] | None = Field(
        description="Состояние записи целиком; null у delete",
        examples=[{"id": 698, "code": "670101", "name": "СШ № 1", "version": 3}],
    )
    at: datetime = Field(
        description="Когда изменение записано (UTC)", examples=["2026-03-15T08:30:00Z"]
    )


class ChangePage(Out):
    """What changed after the cursor, oldest first."""

    items: list[Change] = Field(description="Изменения по порядку")
    next: str = Field(
        description="Курсор, с которого читать дальше (параметр after)", examples=["NzQxLjI"]
    )
    is_caught_up: bool = Field(description="true: больше изменений сейчас нет", examples=[True])


# Reader and order are one statement: rows of transactions that may still be overtaken stay unseen.
_READ = text(
    """
    SELECT xid::text AS xid, seq, kind, op, entity_id AS id, key, version, body, at
    FROM change
    WHERE (xid, seq) > (CAST(CAST(:xid AS text) AS xid8), :seq)
      AND xid < pg_snapshot_xmin(pg_current_snapshot())
      AND (CAST(:kind AS text) IS NULL OR kind = :kind)
    ORDER BY xid, seq
    LIMIT :limit
    """,
)


def _encode(xid: str, seq: int) -> str:
    return base64.urlsafe_b64encode(f"{xid}.{seq}".encode()).decode().rstrip("=")


def _decode(cursor: str | None) -> tuple[str, int]:
    if not cursor:
        return "0", 0
    try:
        xid, seq = (
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            .decode()
            .split(".")
        )
        position = int(xid), int(seq)
    except (binascii.Error, ValueError) as error:
        raise FeedCursorInvalid(
            "Курсор изменён", hint="Начните чтение ленты без параметра after"
        ) from error
    if not (0 <= position[0] < 2**63 and 0 <= position[1] < 2**63):
        raise FeedCursorInvalid("Курсор изменён", hint="Начните чтение ленты без параметра after")
    return str(position[0]), position[1]


def feed_router() -> APIRouter:
    """Return the route of the service's own feed."""
    routes = router(prefix="/changes", tags=["changes"])

    @routes.get(
        "",
        summary="Лента изменений",
        response_model=ChangePage,
        responses=problems(FeedCursorInvalid),
    )
    async def changes(
        caller: Annotated[Principal, Security(authorise, scopes=["changes:read"])],  # noqa: ARG001  the check is the use
        request: Request,
        transactions: Transactions,
        after: Annotated[
            str | None,
            Query(
                max_length=100,
                description="Курсор next прошлого чтения; без него с начала",
                examples=["NzQxLjI"],
            ),
        ] = None,
        wait: Annotated[
            int,
            Query(
                ge=0,
                le=30,
                description="Сколько секунд ждать нового, если его нет",
                examples=[20],
            ),
        ] = 0,
        limit: Annotated[
            int, Query(ge=1, le=1000, description="Изменений за раз", examples=[500])
        ] = 500,
        kind: Annotated[
            str | None,
            Query(max_length=60, description="Только записи этого вида", examples=["school"]),
        ] = None,
    ) -> ChangePage:
        """Изменения видимых вам записей по порядку, без пропусков, каждое хотя бы один раз.

        Читайте с `after`, равным `next` прошлого ответа. Запись, ушедшая из вашего охвата,
        приходит как `delete` с природным ключом.
        """
        xid, seq = _decode(after)
        deadline = asyncio.get_running_loop().time() + wait
        while True:
            # A transaction for each look: a waiting reader holds neither a snapshot nor a connection.
            async with transactions() as session:
                rows = (
                    await session.execute(
                        _READ, {"xid": xid, "seq": seq, "kind": kind, "limit": limit}
                    )
                ).all()
            waits = asyncio.get_running_loop().time() < deadline and not is_draining()
            if rows or not waits or await request.is_disconnected():
                break
            await asyncio.sleep(POLL_SECONDS)
        last = _encode(rows[-1].xid, rows[-1].seq) if rows else _encode(xid, seq)
        items = [Change.model_validate(row) for row in rows]
        return ChangePage(items=items, next=last, is_caught_up=len(rows) < limit)

    return routes


Apply = Callable[[AsyncSession, Change], Awaitable[None]]


@dataclass(frozen=True)
class Follower:
    """Which feed a service follows, and what it does with each kind of change.

    A service that begins to follow a kind of change after it has read the feed for long gives that kind
    a follower of its own: with a ``name`` it keeps its own place in the feed and begins at the start.
    """

    peer: str
    apply: Mapping[str, Apply] = field(repr=False)
    name: str | None = None

    @property
    def place(self) -> str:
        """What names the follower's place in the feed."""
        return f"{self.peer}/{self.name}" if self.name else self.peer


async def follow(database: Database, peers: Peers, follower: Follower) -> None:
    """Read the peer's feed for ever; changes and the new cursor are one transaction."""
    pause = 0.2
    while True:
        try:
            await _follow_once(database, peers, follower)
        except (Problem, DBAPIError, InterfaceError, OSError, httpx.HTTPError) as error:
            # The peer or the database is away: the projection grows old, the service works on.
            log.info("feed_waits", peer=follower.peer, reason=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)
        except Exception as error:  # noqa: BLE001  one bad change must not end the worker
            log.error("feed_stuck", peer=follower.peer, exc_info=error)
            await asyncio.sleep(5)
        else:
            pause = 0.2


async def catch_up(database: Database, peers: Peers, follower: Follower) -> bool:
    """Apply what the peer has told up to now, so that work begun now sees it.

    Returns False when the peer cannot be asked: the projection is then as old as it is.
    """
    try:
        while not await _follow_once(database, peers, follower, wait_seconds=0):
            pass
    except (Problem, httpx.HTTPError) as error:
        log.info("feed_not_caught_up", peer=follower.peer, reason=type(error).__name__)
        return False
    return True


async def _follow_once(
    database: Database, peers: Peers, follower: Follower, *, wait_seconds: int = FOLLOW_WAIT_SECONDS
) -> bool:
    """Read and apply one page; return whether there was nothing more behind it."""
    async with database.transaction(Reach.system()) as session:
        position = await session.scalar(
            text("SELECT position FROM feed_cursor WHERE peer = :peer"),
            {"peer": follower.place},
        )
    page = await peers[follower.peer].get(
        f"/api/{follower.peer}/v1/changes",
        params={"wait": wait_seconds, "limit": FOLLOW_BATCH}
        | ({"after": position} if position else {}),
        timeout=wait_seconds + 10,
    )
    received = ChangePage.model_validate(page)
    if received.next == position:
        return received.is_caught_up
    async with database.transaction(Reach.system()) as session:
        # Two workers may have read the same page: only the first moves the cursor and applies it.
        moved = await session.execute(
            text(
                """
                INSERT INTO feed_cursor (peer, position) VALUES (:peer, :next)
                ON CONFLICT (peer) DO UPDATE SET position = :next, moved_at = now()
                WHERE feed_cursor.position IS NOT DISTINCT FROM CAST(:position AS text)
                RETURNING peer
                """,
            ),
            {"peer": follower.place, "next": received.next, "position": position},
        )
        if moved.first() is None:
            return False
        for change in received.items:
            apply = follower.apply.get(change.kind)
            if apply is not None:
                await apply(session, change)
    return received.is_caught_up
