"""Ending sessions, with everything that was issued in them."""

import uuid
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway import trail
from gateway.elevation import elevated
from gateway.revocations import operations as revocations
from gateway.sessions.tables import LoginSession
from services.kit.problems import Problem

__all__ = ["SessionNotFound", "end_all", "end_one"]


class SessionNotFound(Problem):
    """The account has no such session, or it has ended."""

    status = 404
    title = "Сеанс не найден"


async def end_one(
    session: AsyncSession, session_id: uuid.UUID, *, of: int, at: datetime, reason: str
) -> None:
    """End a session of an account.

    Raises:
        SessionNotFound: It is not the account's, or has ended.
    """
    async with elevated(session):
        ended = await session.scalar(
            update(LoginSession)
            .where(
                LoginSession.id == session_id,
                LoginSession.account_id == of,
                LoginSession.ended_at.is_(None),
            )
            .values(ended_at=at, end_reason=reason)
            .returning(LoginSession.id)
            .execution_options(synchronize_session=False)
        )
        if ended is None:
            raise SessionNotFound
        await revocations.revoke_session(session, session_id, at=at)
    await trail.sessions_ended(session, of, reason, 1)


async def end_all(
    session: AsyncSession,
    account_id: int,
    *,
    at: datetime,
    reason: str,
    but: uuid.UUID | None = None,
) -> None:
    """End every session of an account, but one.

    Each session's tokens are revoked by the session and not by the subject: the person may log in
    again within the same second, and that token must hold. Call it after the row of the account was
    written: a login that is just beginning waits for that lock and then sees the change.
    """
    others = (
        update(LoginSession)
        .where(LoginSession.account_id == account_id, LoginSession.ended_at.is_(None))
        .values(ended_at=at, end_reason=reason)
        .returning(LoginSession.id)
        .execution_options(synchronize_session=False)
    )
    if but is not None:
        others = others.where(LoginSession.id != but)
    async with elevated(session):
        all_ended = (await session.scalars(others)).all()
        for ended in all_ended:
            await revocations.revoke_session(session, ended, at=at)
    if all_ended:
        await trail.sessions_ended(session, account_id, reason, len(all_ended))
