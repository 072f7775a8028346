"""Questions about sessions, asked under the system's reach."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, false, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.sessions.tables import LoginSession
from services.kit.pages import PageAsk, Rows, keyset

__all__ = ["running_sessions"]


async def running_sessions(
    session: AsyncSession,
    account_id: int,
    *,
    at: datetime,
    idle: timedelta,
    ask: PageAsk,
    current: uuid.UUID | None = None,
) -> Rows:
    """Return the sessions of an account that can still be continued, the oldest first.

    Args:
        session: The transaction.
        account_id: Whose.
        at: Now.
        idle: How long a session lives without being used.
        ask: The page.
        current: The session of the caller itself.
    """
    last_used: ColumnElement[datetime] = func.coalesce(
        LoginSession.last_used_at, LoginSession.started_at
    )
    statement = select(
        LoginSession.id,
        LoginSession.started_at,
        last_used.label("last_used_at"),
        func.coalesce(LoginSession.device, "Неизвестное устройство").label("device"),
        LoginSession.source,
        func.coalesce(LoginSession.id == current, false()).label("is_current"),
    ).where(
        LoginSession.account_id == account_id,
        LoginSession.ended_at.is_(None),
        LoginSession.ends_at > at,
        last_used > at - idle,
    )
    order = (LoginSession.__table__.c.started_at, LoginSession.__table__.c.id)
    return await keyset(session, statement, order=order, ask=ask)
