"""The chain of hashes over a service's audit: linking what was committed, and proving it whole.

An entry is linked by a chore about a second after its transaction, never inside it: a chain has one
end, and writers would queue for it. A link is sha256(hash of the link before + digest), the digest
sha256 of the entry's canonical text; the first link follows 32 zero bytes. Whoever holds the database
could rewrite the whole chain, so its head is told outside: in the log every day, by the API, and at
each verification. docs/decisions/0022 says how an outsider verifies.
"""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit.audit_schema import CANONICAL
from services.kit.chores import Chore
from services.kit.database import Database
from services.kit.logs import log
from services.kit.reach import Reach
from services.kit.settings import ServiceSettings
from services.kit.words import Word

__all__ = [
    "CHORES",
    "GENESIS",
    "BrokenAt",
    "ChainBreak",
    "Head",
    "Verdict",
    "export",
    "forget",
    "head",
    "seal",
    "verify",
]

GENESIS = bytes(32)
SEAL_SECONDS = 1.0
SEAL_BATCH = 1000
DAY_SECONDS = 24 * 3600.0
PAGE = 5000


@dataclass(frozen=True)
class Head:
    """The end of the chain. Kept by somebody else, it shows that nothing before it was rewritten."""

    position: int
    hash: bytes
    sealed_at: datetime | None


class ChainBreak(Word):
    """What is wrong at the first place where the chain does not hold."""

    CHANGED = "changed", "запись не та, что была сцеплена"
    REMOVED = "removed", "звено на месте, а записи нет"
    INSERTED = "inserted", "запись не сцеплена и не ждёт сцепления"
    REORDERED = "reordered", "звено не следует из предыдущего: что-то переставлено или выпало"
    GAP = "gap", "звена не хватает"
    TRUNCATED = "truncated", "цепочка короче сохранённой вершины"
    REWRITTEN = "rewritten", "на месте сохранённой вершины другой хеш"


@dataclass(frozen=True)
class BrokenAt:
    """The first place where the chain does not hold."""

    what: ChainBreak
    position: int | None
    entry_id: int | None


@dataclass(frozen=True)
class Verdict:
    """What a verification found."""

    checked_from: int
    checked_to: int
    head: Head
    broken: BrokenAt | None = field(default=None)

    @property
    def is_complete(self) -> bool:
        """Whether the end of the chain was reached."""
        return self.checked_to >= self.head.position


_SEAL = text("SELECT opora_seal(:batch)")
_HEAD = text("SELECT position, hash, sealed_at FROM audit_link ORDER BY position DESC LIMIT 1")
_BEFORE = text("SELECT hash FROM audit_link WHERE position = :position")

# Written out, not asked of a function in the database: who tampers could change that as well.
_LINKS = text(
    f"""
    SELECT l.position, l.entry_id, l.digest, l.hash,
           {CANONICAL} AS canonical
    FROM (
        SELECT * FROM audit_link WHERE position > :after ORDER BY position LIMIT :limit
    ) AS l
    LEFT JOIN audit_entry AS e ON e.id = l.entry_id
    LEFT JOIN read_entry AS r ON r.id = l.entry_id
    ORDER BY l.position
    """,
)
_FORGOTTEN = text(
    """
    SELECT COALESCE(max((e.after ->> 'position')::bigint), 0) FROM audit_entry AS e
    JOIN audit_link AS l ON l.entry_id = e.id
    WHERE e.kind = 'audit' AND e.op = 'forget'
    """,
)
_FORGET = text("SELECT opora_forget(:days)")
_UNLINKED = text(
    """
    SELECT min(id) FROM (SELECT id FROM audit_entry UNION ALL SELECT id FROM read_entry) AS entry
    WHERE NOT EXISTS (SELECT FROM audit_link WHERE entry_id = entry.id)
      AND NOT EXISTS (SELECT FROM audit_pending WHERE audit_pending.id = entry.id)
    """,
)


async def seal(database: Database, settings: ServiceSettings) -> None:  # noqa: ARG001  a chore
    """Link everything that was committed and is not linked yet."""
    while True:
        # A transaction for each batch: a death in between leaves whole batches.
        async with database.transaction(Reach.system("sealer")) as session:
            linked = await session.scalar(_SEAL, {"batch": SEAL_BATCH})
        if not linked or linked < SEAL_BATCH:
            return


async def head(session: AsyncSession) -> Head:
    """Return the end of the chain; position 0 when nothing is linked yet."""
    last = (await session.execute(_HEAD)).first()
    return (
        Head(0, GENESIS, None) if last is None else Head(last.position, last.hash, last.sealed_at)
    )


async def verify(
    session: AsyncSession,
    *,
    after: int = 0,
    limit: int | None = None,
    kept: tuple[int, bytes] | None = None,
) -> Verdict:
    """Prove the chain, or name the first place where it does not hold.

    Args:
        session: A transaction with the system's reach: the whole chain is in nobody else's sight.
        after: Position of the last link that is taken as proven; 0: from the beginning.
        limit: How many links to check at most; None: to the end.
        kept: Position and hash of a head that was noted elsewhere.
    """
    end = await head(session)
    checked_to, broken = await _follow(session, after, limit)
    if broken is None and checked_to >= end.position:
        broken = await _inserted(session)
    if broken is None and kept is not None:
        broken = await _departed(session, end, *kept)
    verdict = Verdict(after, checked_to, end, broken)
    log.info(
        "audit_verified",
        checked_from=after,
        checked_to=checked_to,
        position=end.position,
        hash=end.hash.hex(),
        broken=broken.what.value if broken else None,
        broken_position=broken.position if broken else None,
    )
    return verdict


async def _follow(
    session: AsyncSession, after: int, limit: int | None
) -> tuple[int, BrokenAt | None]:
    """Follow the links; return the last that holds, and what is wrong with the next."""
    before = GENESIS
    if after:
        found: bytes | None = await session.scalar(_BEFORE, {"position": after})
        if found is None:
            return after, BrokenAt(ChainBreak.GAP, after, None)
        before = found
    position = after
    forgotten: int = await session.scalar(_FORGOTTEN) or 0
    async for link in _links(session, after, limit):
        broken = _judge(link, position, before, forgotten)
        if broken is not None:
            return position, broken
        position, before = link.position, link.hash
    return position, None


def _judge(link: Any, position: int, before: bytes, forgotten: int) -> BrokenAt | None:
    if link.position != position + 1:
        what = ChainBreak.GAP
    elif hashlib.sha256(before + link.digest).digest() != link.hash:
        what = ChainBreak.REORDERED
    elif link.canonical is None and link.position <= forgotten:
        return None  # its time was over, and an entry of the chain says so
    elif link.canonical is None:
        what = ChainBreak.REMOVED
    elif hashlib.sha256(link.canonical.encode()).digest() != link.digest:
        what = ChainBreak.CHANGED
    else:
        return None
    return BrokenAt(what, position + 1, None if what is ChainBreak.GAP else link.entry_id)


async def _links(session: AsyncSession, after: int, limit: int | None) -> AsyncIterator[Any]:
    """Yield the links after a position with the canonical text of their entries."""
    left = limit
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        page = (await session.execute(_LINKS, {"after": after, "limit": size})).all()
        for link in page:
            yield link
        if len(page) < size:
            return
        after = page[-1].position
        left = None if left is None else left - size


async def _inserted(session: AsyncSession) -> BrokenAt | None:
    found = await session.scalar(_UNLINKED)
    return None if found is None else BrokenAt(ChainBreak.INSERTED, None, found)


async def _departed(
    session: AsyncSession, end: Head, position: int, expected: bytes
) -> BrokenAt | None:
    if position > end.position:
        return BrokenAt(ChainBreak.TRUNCATED, end.position + 1, None)
    present = GENESIS if position == 0 else await session.scalar(_BEFORE, {"position": position})
    return None if present == expected else BrokenAt(ChainBreak.REWRITTEN, position, None)


async def export(session: AsyncSession, *, after: int = 0) -> AsyncIterator[dict[str, Any]]:
    """Yield each link with its entry's canonical text, as an outsider needs them to verify."""
    async for link in _links(session, after, None):
        yield {
            "position": link.position,
            "entry_id": link.entry_id,
            "canonical": link.canonical,
            "digest": link.digest.hex(),
            "hash": link.hash.hex(),
        }


async def tell_head(database: Database, settings: ServiceSettings) -> None:  # noqa: ARG001  a chore
    """Write the head to the log, which is kept elsewhere than the database."""
    async with database.transaction(Reach.system("sealer")) as session:
        end = await head(session)
    log.info("audit_head", position=end.position, hash=end.hash.hex())


async def forget(database: Database, settings: ServiceSettings) -> None:
    """Remove the entries whose time is over, when the settings give them one; their links stay."""
    if settings.audit_keep_days is None:
        return
    async with database.transaction(Reach.system("sealer")) as session:
        removed = await session.scalar(_FORGET, {"days": settings.audit_keep_days})
    log.info("audit_forgotten", entries=removed)


CHORES = (
    Chore("seal-audit", SEAL_SECONDS, seal),
    Chore("tell-audit-head", DAY_SECONDS, tell_head),
    Chore("forget-audit", DAY_SECONDS, forget),
)
"""What the worker of every service does for its audit."""
