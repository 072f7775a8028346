"""Slowing down the guessing of passwords, by name; all processes count together.

An attempt is counted before the password is looked at, so that guesses sent at once are counted too,
and forgotten when it succeeds. Sessions that already run are not touched: guessing cannot lock a
person out of work. Source: threats, case 12; OWASP ASVS 6.3.1.
"""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.tokens.tables import LoginAttempt

__all__ = ["forget", "seconds_to_wait"]

_FREE_ATTEMPTS = 5
_FORGOTTEN_AFTER = timedelta(minutes=15)
_LONGEST_PAUSE_SECONDS = 300


async def seconds_to_wait(session: AsyncSession, login: str, *, at: datetime) -> int:
    """Count an attempt; return how long its name must wait, 0 when it may go on."""
    name = _hash(login)
    await session.execute(
        insert(LoginAttempt)
        .values(login_hash=name, failures=0, last_at=at, open_at=at)
        .on_conflict_do_nothing()
    )
    attempt = await session.get_one(LoginAttempt, name, with_for_update=True)
    if attempt.open_at > at:
        return int((attempt.open_at - at).total_seconds()) + 1
    if at - attempt.last_at > _FORGOTTEN_AFTER:
        attempt.failures = 0
    attempt.failures += 1
    attempt.last_at = at
    attempt.open_at = at + timedelta(seconds=_pause(attempt.failures))
    await session.flush()
    return 0


async def forget(session: AsyncSession, login: str) -> None:
    """Forget the attempts of a name that has logged in."""
    await session.execute(delete(LoginAttempt).where(LoginAttempt.login_hash == _hash(login)))


def _pause(failures: int) -> int:
    """Return the pause after so many failures, seconds: none for the first few, then doubling."""
    beyond = failures - _FREE_ATTEMPTS
    return 0 if beyond < 0 else min(2 ** min(beyond, 16), _LONGEST_PAUSE_SECONDS)


def _hash(login: str) -> bytes:
    return hashlib.sha256(login.strip().lower().encode()).digest()
