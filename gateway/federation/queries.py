"""Questions about external identities and logins under way."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.accounts.tables import Account
from gateway.federation.tables import ExternalIdentity, ExternalLogin

__all__ = ["account_of", "identity_of", "login_to_take"]


async def identity_of(session: AsyncSession, account_id: int) -> ExternalIdentity | None:
    """Return the link of an account within reach."""
    found: ExternalIdentity | None = await session.scalar(
        select(ExternalIdentity).where(ExternalIdentity.account_id == account_id)
    )
    return found


async def account_of(session: AsyncSession, issuer: str, subject: str) -> Account | None:
    """Return the account that an issuer's subject is linked to; under the system's reach.

    Args:
        session: The transaction.
        issuer: The issuer's identifier: a subject says nothing without the one who gave it.
        subject: The person there.
    """
    found: Account | None = await session.scalar(
        select(Account)
        .join(ExternalIdentity, ExternalIdentity.account_id == Account.id)
        .where(ExternalIdentity.issuer == issuer, ExternalIdentity.subject == subject)
    )
    return found


async def login_to_take(session: AsyncSession, state_hash: bytes) -> ExternalLogin | None:
    """Return a login under way, locked: of two returns with one state the second finds nothing."""
    return await session.get(ExternalLogin, state_hash, with_for_update=True)
