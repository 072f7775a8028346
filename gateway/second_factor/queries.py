"""Questions about second factors, asked under the system's reach."""

import hashlib
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.second_factor.tables import RecoveryCode, SecondFactor

__all__ = ["factor", "factor_of_ticket", "factor_to_change", "recovery_codes_left", "ticket_hash"]


async def factor(session: AsyncSession, account_id: int) -> SecondFactor | None:
    """Return a person's factor, set up or in force."""
    return await session.get(SecondFactor, account_id)


async def factor_to_change(session: AsyncSession, account_id: int) -> SecondFactor | None:
    """Return it as it is now, locked: a code is accepted once, however many bring it."""
    found: SecondFactor | None = await session.scalar(
        select(SecondFactor)
        .where(SecondFactor.account_id == account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found


async def factor_of_ticket(
    session: AsyncSession, ticket: str, *, at: datetime
) -> SecondFactor | None:
    """Return the factor that a ticket lets its holder set up."""
    found: SecondFactor | None = await session.scalar(
        select(SecondFactor).where(
            SecondFactor.ticket_hash == ticket_hash(ticket),
            SecondFactor.ticket_expires_at > at,
            SecondFactor.confirmed_at.is_(None),
        )
    )
    return found


async def recovery_codes_left(session: AsyncSession, account_id: int) -> int:
    """Return how many recovery codes nobody has used yet."""
    asked = select(func.count()).where(
        RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None)
    )
    return await session.scalar(asked) or 0


def ticket_hash(ticket: str) -> bytes:
    """Return what is kept of a ticket; SHA-256 is enough, it is 256 random bits."""
    return hashlib.sha256(ticket.encode()).digest()
