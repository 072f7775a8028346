"""Counting attempts, and how long the next one has to wait."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.attempts.tables import LoginAttempt

__all__ = [
    "OF_A_CODE",
    "OF_A_NAME",
    "Patience",
    "forget",
    "forgive",
    "of_a_source",
    "seconds_to_wait",
]


@dataclass(frozen=True, slots=True)
class Patience:
    """How many attempts are free, and how the count heals."""

    free: int
    forgotten_after: timedelta
    """Silence after which nothing is remembered."""
    one_forgiven_every: timedelta | None = None
    """A source that many people share never falls silent: its failures drain away one by one."""
    longest_pause_seconds: int = 300


OF_A_NAME = Patience(free=5, forgotten_after=timedelta(minutes=15))
"""Passwords: whatever is tried against one login, machine client or account."""

OF_A_CODE = Patience(free=5, forgotten_after=timedelta(hours=24), longest_pause_seconds=60 * 60)
"""Codes of six digits: remembered for a day, so that guessing on and on stays below a chance of
one in eight thousand a day (about 40 guesses, three codes in a million are right)."""


def of_a_source(free: int) -> Patience:
    """Return the patience with one source, behind which a whole office may sit."""
    return Patience(
        free=free,
        forgotten_after=timedelta(hours=1),
        one_forgiven_every=timedelta(seconds=20),
    )


async def seconds_to_wait(
    session: AsyncSession, name: str, *, at: datetime, patience: Patience = OF_A_NAME
) -> int:
    """Count an attempt; return how long its name must wait, 0 when it may go on."""
    key = _hash(name)
    await session.execute(
        insert(LoginAttempt)
        .values(login_hash=key, failures=0, last_at=at, open_at=at)
        .on_conflict_do_nothing()
    )
    attempt = await session.get_one(LoginAttempt, key, with_for_update=True, populate_existing=True)
    # Without a pause it opened with the last attempt, which may have begun later than this one and only
    # have come to the lock sooner: right secrets of one source at once are no reason to wait.
    if attempt.open_at > max(at, attempt.last_at):
        return int((attempt.open_at - at).total_seconds()) + 1
    attempt.failures = _remembered(attempt, at, patience) + 1
    attempt.last_at = at
    attempt.open_at = at + timedelta(seconds=_pause(attempt.failures, patience))
    await session.flush()
    return 0


async def forget(session: AsyncSession, name: str) -> None:
    """Forget the attempts of a name that has proved to be itself."""
    await session.execute(delete(LoginAttempt).where(LoginAttempt.login_hash == _hash(name)))


async def forgive(session: AsyncSession, name: str) -> None:
    """Take back one attempt of a source: it was no failure, but those of others still count."""
    await session.execute(
        update(LoginAttempt)
        .where(LoginAttempt.login_hash == _hash(name))
        .values(failures=func.greatest(LoginAttempt.failures - 1, 0), open_at=LoginAttempt.last_at)
    )


def _remembered(attempt: LoginAttempt, at: datetime, patience: Patience) -> int:
    silence = at - attempt.last_at
    if silence > patience.forgotten_after:
        return 0
    if patience.one_forgiven_every is None:
        return attempt.failures
    return max(attempt.failures - int(silence / patience.one_forgiven_every), 0)


def _pause(failures: int, patience: Patience) -> int:
    """Return the pause after so many failures, seconds: none for the first few, then doubling."""
    beyond = failures - patience.free
    return 0 if beyond < 0 else min(2 ** min(beyond, 16), patience.longest_pause_seconds)


def _hash(name: str) -> bytes:
    return hashlib.sha256(name.strip().lower().encode()).digest()
