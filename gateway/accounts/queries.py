"""Questions about accounts."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.accounts.schemas import PersonRole
from gateway.accounts.tables import Account
from services.kit.pages import PageAsk, Rows, keyset

__all__ = ["account", "account_by_login", "accounts"]

_SHOWN = (
    Account.id,
    Account.login,
    Account.display_name,
    Account.role,
    Account.region_id,
    Account.municipality_id,
    Account.school_id,
    Account.blocked_at,
    Account.created_at,
    Account.version,
)


async def accounts(session: AsyncSession, *, role: PersonRole | None, ask: PageAsk) -> Rows:
    """Return the accounts within reach, by login."""
    statement = select(*_SHOWN)
    if role is not None:
        statement = statement.where(Account.role == role)
    return await keyset(session, statement, order=(Account.__table__.c.login,), ask=ask)


async def account(session: AsyncSession, account_id: int) -> Account | None:
    """Return an account within reach."""
    return await session.get(Account, account_id)


async def account_by_login(session: AsyncSession, login: str) -> Account | None:
    """Return the account somebody logs in to; asked under the system's reach."""
    found: Account | None = await session.scalar(
        select(Account).where(Account.login == login.strip().lower())
    )
    return found
