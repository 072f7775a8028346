"""Questions about accounts."""

import hashlib
from datetime import date, datetime

from sqlalchemy import case, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.accounts.schemas import AccountState, PersonRole
from gateway.accounts.tables import Account
from services.kit.pages import PageAsk, Rows, keyset

__all__ = [
    "account",
    "account_by_login",
    "account_to_change",
    "accounts",
    "code_hash",
    "invited_account",
    "note_use",
]

# As `Account.state` says it of one row.
_STATE = case(
    (Account.erased_at.is_not(None), "erased"),
    (Account.blocked_at.is_not(None), "blocked"),
    (Account.password_hash.is_(None), "invited"),
    else_="active",
)

_SHOWN = (
    Account.id,
    Account.login,
    Account.display_name,
    Account.role,
    Account.region_id,
    Account.municipality_id,
    Account.school_id,
    _STATE.label("state"),
    Account.invitation_expires_at,
    Account.second_factor_since,
    Account.last_used_on,
    Account.blocked_at,
    Account.created_at,
    Account.version,
)


async def accounts(
    session: AsyncSession, *, role: PersonRole | None, state: AccountState | None, ask: PageAsk
) -> Rows:
    """Return the accounts within reach, by login."""
    statement = select(*_SHOWN)
    if state is not None:
        statement = statement.where(_STATE.in_((state.value,)))
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


async def account_to_change(session: AsyncSession, account_id: int) -> Account | None:
    """Return an account within reach as it is now, locked against other changes."""
    found: Account | None = await session.scalar(
        select(Account)
        .where(Account.id == account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found


async def invited_account(
    session: AsyncSession, code: str, *, at: datetime, is_locked: bool = False
) -> Account | None:
    """Return whom a code lets in; asked under the system's reach."""
    statement = select(Account).where(
        Account.invitation_hash == code_hash(code),
        Account.invitation_expires_at > at,
        Account.blocked_at.is_(None),
    )
    if is_locked:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found: Account | None = await session.scalar(statement)
    return found


async def note_use(session: AsyncSession, account_id: int, day: date) -> None:
    """Note the day of a use; written once a day and no new version of the account."""
    await session.execute(
        update(Account)
        .where(Account.id == account_id, Account.last_used_on.is_distinct_from(day))
        .values(last_used_on=day)
        .execution_options(synchronize_session=False)
    )


def code_hash(code: str) -> bytes:
    """Return what is kept of an invitation's code."""
    return hashlib.sha256(code.encode()).digest()
