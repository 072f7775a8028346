"""Questions about signing keys, asked under the system's reach."""

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.keys.tables import SigningKey
from services.kit.pages import PageAsk, Rows, keyset

__all__ = ["RETIRED_PUBLISHED_MINUTES", "hold_ring", "key", "keys", "published", "standing"]

RETIRED_PUBLISHED_MINUTES = 70
"""Longer than any access token lives (an hour at most, by the settings) with leeway and clocks apart."""

_RING_LOCK = 0x6F706F7261_01
_SHOWN = (
    SigningKey.kid,
    SigningKey.state,
    SigningKey.created_at,
    SigningKey.due_at,
    SigningKey.activated_at,
    SigningKey.retired_at,
    SigningKey.revoked_at,
)


async def hold_ring(session: AsyncSession) -> None:
    """Be the only one who changes keys until the transaction ends."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _RING_LOCK})


async def keys(session: AsyncSession, *, ask: PageAsk) -> Rows:
    """Return every key there ever was, oldest first, without its secret."""
    columns = SigningKey.__table__.c
    return await keyset(session, select(*_SHOWN), order=(columns.created_at, columns.kid), ask=ask)


async def key(session: AsyncSession, kid: str) -> SigningKey | None:
    """Return a key by its id."""
    return await session.get(SigningKey, kid)


async def published(session: AsyncSession) -> list[SigningKey]:
    """Return the keys that verify tokens: the next, the current, the retired whose tokens may live."""
    live = select(SigningKey).where(
        SigningKey.state.in_(("next", "current"))
        | (
            (SigningKey.state == "retired")
            & (
                SigningKey.retired_at
                > text(f"now() - interval '{RETIRED_PUBLISHED_MINUTES} minutes'")
            )
        )
    )
    return list(await session.scalars(live.order_by(SigningKey.created_at)))


async def standing(session: AsyncSession) -> tuple[SigningKey | None, SigningKey | None]:
    """Return the current key and the next; read after the ring is held."""
    found = await session.scalars(
        select(SigningKey)
        .where(SigningKey.state.in_(("next", "current")))
        .order_by(SigningKey.created_at)
    )
    # The oldest next is the one the services know longest.
    by_state: dict[str, SigningKey] = {}
    for one in found:
        by_state.setdefault(one.state, one)
    return by_state.get("current"), by_state.get("next")
