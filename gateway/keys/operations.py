"""Changing the ring of keys: keeping it whole, rotating, revoking."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from gateway import trail
from gateway.keys import queries
from gateway.keys.making import make
from gateway.keys.tables import SigningKey
from gateway.seals import Seal
from services.kit.logs import log
from services.kit.problems import Problem

__all__ = ["KeyNotFound", "Rhythm", "ensure_ring", "keep_ring", "revoke", "rotate"]


class KeyNotFound(Problem):
    """There is no key of this id."""

    status = 404
    title = "Ключ не найден"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How long a key signs, and how long it is published before."""

    age: timedelta
    lead: timedelta


async def keep_ring(session: AsyncSession, *, seal: Seal, rhythm: Rhythm, at: datetime) -> None:
    """See that one key signs and another is published to follow; let it follow when it is time.

    A key takes over only after every service has had the time to learn of it.
    """
    current, following = await ensure_ring(session, seal=seal, at=at)
    due = following.due_at or (current.activated_at or current.created_at) + rhythm.age
    if at >= max(due, following.created_at + rhythm.lead):
        _retire(current, at)
        await session.flush()
        await _promote(session, following, at)
        await _added(session, seal, "next", at)


async def ensure_ring(
    session: AsyncSession, *, seal: Seal, at: datetime
) -> tuple[SigningKey, SigningKey]:
    """Return the current key and the next, making those that are missing."""
    await queries.hold_ring(session)
    current, following = await queries.standing(session)
    if current is None:
        current = await _added(session, seal, "current", at)
    if following is None:
        following = await _added(session, seal, "next", at)
    return current, following


async def rotate(session: AsyncSession, *, seal: Seal, rhythm: Rhythm, at: datetime) -> SigningKey:
    """Let the next key follow as soon as it has been published long enough; return it.

    That is now, when it was published in time, or at its `due_at`.
    """
    _, following = await ensure_ring(session, seal=seal, at=at)
    following.due_at = min(following.due_at or at, max(at, following.created_at + rhythm.lead))
    await session.flush()
    await keep_ring(session, seal=seal, rhythm=rhythm, at=at)
    return following


async def revoke(
    session: AsyncSession, kid: str, *, seal: Seal, at: datetime, by: str
) -> SigningKey:
    """Let a key verify nothing any more, from the next look at the key set on.

    A current key is followed at once by the next, which every service knows already; whoever has a
    token of the revoked key gets a new one with his refresh token.

    Raises:
        KeyNotFound: There is none of this id.
    """
    await queries.hold_ring(session)
    lost = await queries.key(session, kid)
    if lost is None:
        raise KeyNotFound(hint="Список ключей: GET /api/auth/keys")
    if lost.state == "revoked":
        return lost
    was = lost.state
    lost.state, lost.revoked_at, lost.private_sealed, lost.due_at = "revoked", at, b"", None
    await session.flush()
    log.warning("signing_key_revoked", kid=kid, was=was, by=by)
    await trail.key_changed(session, kid, "revoked")
    if was == "current":
        _, following = await queries.standing(session)
        if following is not None:
            await _promote(session, following, at)
    await ensure_ring(session, seal=seal, at=at)
    return lost


def _retire(key: SigningKey, at: datetime) -> None:
    # Nothing is signed with it again, so nobody shall be able to.
    key.state, key.retired_at, key.private_sealed = "retired", at, b""


async def _promote(session: AsyncSession, key: SigningKey, at: datetime) -> None:
    key.state, key.activated_at, key.due_at = "current", at, None
    await session.flush()
    log.info("signing_key_current", kid=key.kid)
    await trail.key_changed(session, key.kid, "current")


async def _added(session: AsyncSession, seal: Seal, state: str, at: datetime) -> SigningKey:
    made = await make(seal, state=state, at=at)
    session.add(made)
    await session.flush()
    return made
