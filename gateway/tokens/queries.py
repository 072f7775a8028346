"""Questions about sessions and refresh tokens, asked under the system's reach."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.tokens.tables import LoginSession, RefreshToken

__all__ = ["is_unused", "refresh_token", "session_to_change"]


async def session_to_change(session: AsyncSession, token_hash: bytes) -> LoginSession | None:
    """Return the session a refresh token belongs to, locked: its tokens are used one at a time."""
    owner = select(RefreshToken.session_id).where(RefreshToken.token_hash == token_hash)
    found: LoginSession | None = await session.scalar(
        select(LoginSession).where(LoginSession.id == owner.scalar_subquery()).with_for_update()
    )
    return found


async def refresh_token(session: AsyncSession, token_hash: bytes) -> RefreshToken | None:
    """Return a refresh token by its hash; read after its session is locked."""
    return await session.get(RefreshToken, token_hash)


async def is_unused(session: AsyncSession, token_hash: bytes | None, of: uuid.UUID) -> bool:
    """Tell whether a token of the session exists and nobody has used it yet."""
    if token_hash is None:
        return False
    unused = select(RefreshToken.token_hash).where(
        RefreshToken.token_hash == token_hash,
        RefreshToken.session_id == of,
        RefreshToken.used_at.is_(None),
    )
    return await session.scalar(unused) is not None
