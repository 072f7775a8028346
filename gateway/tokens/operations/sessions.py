"""People's sessions: begun by a password, continued by refresh tokens used once each."""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from gateway import trail
from gateway.accounts import queries as accounts
from gateway.accounts.tables import Account
from gateway.revocations import operations as revocations
from gateway.seals import Seal
from gateway.sessions.devices import Seen
from gateway.tokens import queries
from gateway.tokens.claims import Holder, holder_of
from gateway.tokens.tables import LoginSession, RefreshToken
from services.kit.logs import log

__all__ = ["RETRY_SECONDS", "Lifetimes", "Opened", "begin", "end", "go_on"]

RETRY_SECONDS = 10
"""A client whose answer was lost may ask again for so long. Source: FAPI 2.0, 5.3.2.1 note."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a session lives."""

    idle: timedelta
    whole: timedelta


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that goes on: for whom, and the refresh token that continues it next."""

    holder: Holder
    refresh_token: str


async def begin(
    session: AsyncSession,
    account: Account,
    *,
    at: datetime,
    lifetimes: Lifetimes,
    seen: Seen | None = None,
) -> Opened | None:
    """Begin a session of a person who has just proved to be the account's.

    Returns None when the account is no longer what was proved: while the proof was judged it was
    blocked, or its password was changed. The lock on it makes whoever does that now end this session too.
    """
    current = await accounts.account_to_change(session, account.id)
    if (
        current is None
        or current.blocked_at is not None
        or current.password_hash != account.password_hash
    ):
        return None
    started = LoginSession(
        id=uuid.uuid4(),
        account_id=account.id,
        started_at=at,
        ends_at=at + lifetimes.whole,
        last_used_at=at,
        device=None if seen is None else seen.device,
        source=None if seen is None else seen.source,
    )
    session.add(started)
    await session.flush()
    await accounts.note_use(session, account.id, at.date())
    await trail.login_began(session, current, started.id)
    token = await _issue(session, started, at=at, lifetimes=lifetimes)
    return Opened(holder_of(current, str(started.id)), token)


async def go_on(
    session: AsyncSession,
    offered: str,
    *,
    at: datetime,
    lifetimes: Lifetimes,
    seal: Seal,
    seen: Seen | None = None,
) -> Opened | None:
    """Exchange a refresh token for its successor; None when it does not hold.

    The caller commits in either case: a token that comes back after it was used ends its session,
    and that must stay. The row lock on the session makes one branch of simultaneous requests.
    """
    token_hash = _hash(offered)
    family = await queries.session_to_change(session, token_hash)
    if family is None:
        return None
    token = await queries.refresh_token(session, token_hash)
    account = await session.get(Account, family.account_id)
    if token is None or account is None or not _holds(family, token, account, at):
        return None
    if token.used_at is None:
        successor = await _issue(session, family, at=at, lifetimes=lifetimes)
        token.used_at = at
        token.successor_hash = _hash(successor)
        token.successor_sealed = seal.close(successor.encode())
        family.last_used_at = at
        if seen is not None:
            family.device, family.source = seen.device, seen.source
        await session.flush()
        await accounts.note_use(session, account.id, at.date())
        return Opened(holder_of(account, str(family.id)), successor)
    if (
        token.successor_sealed is not None
        and at - token.used_at <= timedelta(seconds=RETRY_SECONDS)
        and await queries.is_unused(session, token.successor_hash, family.id)
    ):
        return Opened(
            holder_of(account, str(family.id)), seal.open(token.successor_sealed).decode()
        )
    family.ended_at = at
    family.end_reason = "reuse"
    await session.flush()
    # The thief may hold an access token of this family too.
    await revocations.revoke_session(session, family.id, at=at)
    await trail.refresh_token_came_back(session, account, family.id)
    log.warning("refresh token came back", subject=f"user:{account.id}", session=str(family.id))
    return None


async def end(session: AsyncSession, offered: str, *, at: datetime) -> None:
    """End the session of a refresh token, whichever of its tokens it is; unknown ones are ignored."""
    family = await queries.session_to_change(session, _hash(offered))
    if family is not None and family.ended_at is None:
        family.ended_at = at
        family.end_reason = "revoked"
        await session.flush()
        await revocations.revoke_session(session, family.id, at=at)
        await trail.sessions_ended(session, family.account_id, "revoked", 1)


def _holds(family: LoginSession, token: RefreshToken, account: Account, at: datetime) -> bool:
    return (
        family.ended_at is None
        and family.ends_at > at
        and token.expires_at > at
        and account.blocked_at is None
    )


async def _issue(
    session: AsyncSession, family: LoginSession, *, at: datetime, lifetimes: Lifetimes
) -> str:
    token = secrets.token_urlsafe(32)
    session.add(
        RefreshToken(
            token_hash=_hash(token),
            session_id=family.id,
            expires_at=min(at + lifetimes.idle, family.ends_at),
        )
    )
    await session.flush()
    return token


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
