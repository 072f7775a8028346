"""Public keys by which a machine client's signatures are judged."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.clients.operations.registering import KeysMissing, to_change
from gateway.clients.schemas import PublicKeyIn
from gateway.clients.tables import MachineClient
from gateway.revocations import operations as revocations
from services.kit.principals import Principal

__all__ = ["replace"]


async def replace(
    session: AsyncSession,
    client_number: int,
    keys: Sequence[PublicKeyIn],
    *,
    by: Principal,
    expected: int,
    at: datetime,
) -> MachineClient:
    """Put these keys in the place of the former; a key that goes takes the client's tokens along.

    Raises:
        ClientNotFound: Outside reach.
        StaleVersion: Changed since it was read.
        ScopeNotHeld: The client may do more than the caller.
        KeysMissing: It proves itself by signing only, and would have nothing left to be judged by.
    """
    client = await to_change(
        session, client_number, expected=expected, empowering=by if keys else None
    )
    if client.keys_only and not keys:
        raise KeysMissing("Оставьте хотя бы один ключ.", hint="Или сначала снимите keys_only")
    documents = [key.document() for key in keys]
    lost = [former for former in client.public_keys if former not in documents]
    client.public_keys = documents
    await session.flush()
    if lost:
        await revocations.revoke_subject(session, client.subject, at=at)
    return client
