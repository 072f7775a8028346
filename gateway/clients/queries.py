"""Questions about machine clients."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.clients.tables import MachineClient
from services.kit.pages import PageAsk, Rows, keyset

__all__ = ["client", "client_by_name", "clients"]


async def clients(session: AsyncSession, *, ask: PageAsk) -> Rows:
    """Return the machine clients within reach, by name."""
    columns = MachineClient.__table__.c
    shown = select(
        columns.id,
        columns.client_id,
        columns.title,
        columns.scopes,
        columns.region_id,
        columns.secret_hash.is_not(None).label("has_secret"),
        columns.blocked_at,
        columns.created_at,
        columns.version,
    )
    return await keyset(session, shown, order=(columns.client_id,), ask=ask)


async def client(session: AsyncSession, client_number: int) -> MachineClient | None:
    """Return a machine client within reach."""
    return await session.get(MachineClient, client_number)


async def client_by_name(session: AsyncSession, client_id: str) -> MachineClient | None:
    """Return the client that authenticates; asked under the system's reach."""
    found: MachineClient | None = await session.scalar(
        select(MachineClient).where(MachineClient.client_id == client_id)
    )
    return found
