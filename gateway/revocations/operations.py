"""Killing access tokens, in the transaction of the cause."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.revocations.tables import Revocation
from services.kit import clock

__all__ = ["CHANNEL", "KEPT_MINUTES", "purge", "revoke_session", "revoke_subject"]

CHANNEL = "opora_revocation"
KEPT_MINUTES = 70
"""Longer than any access token lives (an hour at most, by the settings) with leeway and clocks apart."""

_TELL = text("SELECT pg_notify(:channel, '')")


async def revoke_session(session: AsyncSession, sid: uuid.UUID, *, at: datetime) -> None:
    """Kill every access token of a session, whenever it was issued."""
    del at  # a session that ended is given no more tokens: no need to tell earlier from later
    await _record(session, session_id=sid)


async def revoke_subject(session: AsyncSession, subject: str, *, at: datetime) -> None:
    """Kill every access token that this subject (`user:12`, `client:ris-gia`) was issued before now.

    Call it after the change that causes it is flushed: whoever issues a token takes the same row's lock,
    so a token is either issued before and dead, or issued by the new rule.
    """
    # What was issued while we waited for the row is older than now, not than the request.
    before = max(at, clock.now())
    await _record(session, subject=subject, issued_before=before)


async def purge(session: AsyncSession) -> None:
    """Forget the revocations whose tokens have ended by themselves; under the system's reach."""
    over = func.now() - timedelta(minutes=KEPT_MINUTES)
    await session.execute(delete(Revocation).where(Revocation.recorded_at < over))


async def _record(session: AsyncSession, **values: object) -> None:
    # Whoever is the cause, the table is the gateway's own: no caller's reach may write it.
    own = await session.scalar(text("SELECT current_setting('role')"))
    await _become(session, "opora_system")
    await session.execute(insert(Revocation).values(**values))
    await _become(session, str(own))
    await session.execute(_TELL, {"channel": CHANNEL})


async def _become(session: AsyncSession, role: str) -> None:
    await session.execute(text("SELECT set_config('role', :role, true)"), {"role": role})
