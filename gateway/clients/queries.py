"""Questions about machine clients."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, cast, func, or_, select
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.clients.schemas import SecretState
from gateway.clients.tables import ClientSecret, MachineClient
from services.kit.pages import PageAsk, Rows, keyset

__all__ = [
    "client",
    "client_to_let_in",
    "clients",
    "live_secrets",
    "secret",
    "secrets_of",
    "shown",
]


async def clients(session: AsyncSession, *, at: datetime, ask: PageAsk) -> Rows:
    """Return the machine clients within reach, by name."""
    return await keyset(session, _shown(at), order=(MachineClient.__table__.c.client_id,), ask=ask)


async def shown(session: AsyncSession, client_number: int, *, at: datetime) -> Row[Any]:
    """Return a client within reach as the list shows it."""
    return (await session.execute(_shown(at).where(MachineClient.id == client_number))).one()


async def client(session: AsyncSession, client_number: int) -> MachineClient | None:
    """Return a machine client within reach."""
    return await session.get(MachineClient, client_number)


async def client_to_let_in(session: AsyncSession, client_id: str) -> MachineClient | None:
    """Return the client that authenticates, locked against changes; under the system's reach."""
    found: MachineClient | None = await session.scalar(
        select(MachineClient)
        .where(MachineClient.client_id == client_id)
        .with_for_update(key_share=True)
    )
    return found


async def live_secrets(
    session: AsyncSession, client_number: int, *, at: datetime
) -> list[ClientSecret]:
    """Return the secrets a client may use now, the newest first."""
    works = select(ClientSecret).where(ClientSecret.machine_client_id == client_number, _works(at))
    return list(await session.scalars(works.order_by(ClientSecret.id.desc())))


async def secret(
    session: AsyncSession, client_number: int, secret_number: int
) -> ClientSecret | None:
    """Return a secret of this client."""
    found: ClientSecret | None = await session.scalar(
        select(ClientSecret).where(
            ClientSecret.id == secret_number, ClientSecret.machine_client_id == client_number
        )
    )
    return found


async def secrets_of(
    session: AsyncSession, client_number: int, *, at: datetime, ask: PageAsk
) -> Rows:
    """Return what is known of a client's secrets, whatever became of them, the oldest first."""
    state = case(
        (ClientSecret.revoked_at.is_not(None), SecretState.REVOKED),
        (ClientSecret.expires_at.is_(None), SecretState.LIVE),
        (ClientSecret.expires_at > at, SecretState.ENDING),
        else_=SecretState.EXPIRED,
    )
    statement = select(
        ClientSecret.id,
        state.label("state"),
        ClientSecret.created_at,
        ClientSecret.expires_at,
        ClientSecret.revoked_at,
        ClientSecret.last_used_on,
    ).where(ClientSecret.machine_client_id == client_number)
    return await keyset(session, statement, order=(ClientSecret.__table__.c.id,), ask=ask)


def _works(at: datetime) -> ColumnElement[bool]:
    return and_(
        ClientSecret.revoked_at.is_(None),
        or_(ClientSecret.expires_at.is_(None), ClientSecret.expires_at > at),
    )


def _shown(at: datetime) -> Select[*tuple[Any, ...]]:
    columns = MachineClient.__table__.c
    has_secret = (
        select(ClientSecret.id)
        .where(ClientSecret.machine_client_id == columns.id, _works(at))
        .exists()
    )
    return select(
        columns.id,
        columns.client_id,
        columns.title,
        columns.scopes,
        columns.region_id,
        columns.municipality_id,
        columns.school_id,
        has_secret.label("has_secret"),
        func.jsonb_path_query_array(columns.public_keys, cast("$[*].kid", JSONPATH)).label(
            "key_ids"
        ),
        columns.keys_only,
        columns.last_used_on,
        columns.blocked_at,
        columns.created_at,
        columns.version,
    )
