"""Erasing the person of an account."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.accounts import operations as accounts
from gateway.accounts.tables import Account
from gateway.elevation import elevated
from gateway.second_factor import operations as second_factor
from gateway.sessions import operations as sessions
from gateway.sessions.tables import LoginSession
from services.kit.principals import Principal

__all__ = ["erase"]


async def erase(
    session: AsyncSession, account_id: int, *, by: Principal, expected: int, at: datetime
) -> Account:
    """Erase the person, once and for ever. Raises as `accounts.operations.account_to_change`."""
    account = await accounts.account_to_change(session, account_id, by=by, expected=expected)
    # No login begins with such a sign, so nobody's name is taken or given away.
    account.login = f"#{account.id}"
    account.display_name = "Данные стёрты"
    account.password_hash = None
    account.former_password_hash = None
    account.invitation_hash = None
    account.invitation_expires_at = None
    account.second_factor_since = None
    account.last_used_on = None
    account.blocked_at = account.blocked_at or at
    account.erased_at = at
    await session.flush()
    await sessions.end_all(session, account.id, at=at, reason="erased")
    async with elevated(session):
        await second_factor.remove(session, account.id)
        await session.execute(
            update(LoginSession)
            .where(LoginSession.account_id == account.id)
            .values(device=None, source=None)
            .execution_options(synchronize_session=False)
        )
    return account
