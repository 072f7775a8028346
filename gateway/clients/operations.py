"""Changes of machine clients."""

import hashlib
import secrets
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.clients import queries
from gateway.clients.schemas import MachineClientIn
from gateway.clients.tables import MachineClient
from gateway.roles import GRANTED_BY_SETTINGS_ONLY
from services.kit import etags
from services.kit.principals import Principal, Role
from services.kit.problems import Problem, constraint_problems

__all__ = [
    "ClientIdTaken",
    "ClientNotFound",
    "ScopeNotHeld",
    "WithoutRegion",
    "block",
    "issue_secret",
    "register",
    "unblock",
    "visible_client",
]


class ClientNotFound(Problem):
    """The machine client does not exist for the caller."""

    status = 404
    title = "Машинный клиент не найден"


class ClientIdTaken(Problem):
    """A machine client has the name, possibly in another region."""

    status = 409
    title = "Имя машинного клиента уже занято"


class ScopeNotHeld(Problem):
    """Nobody grants what he does not hold."""

    status = 403
    title = "Нельзя дать право, которого нет у вас"


class WithoutRegion(Problem):
    """A machine client belongs to a region, and the caller has none."""

    status = 403
    title = "Машинных клиентов создаёт регион"


async def visible_client(session: AsyncSession, client_number: int) -> MachineClient:
    """Return the machine client or raise `ClientNotFound`."""
    found = await queries.client(session, client_number)
    if found is None:
        raise ClientNotFound
    return found


async def register(session: AsyncSession, new: MachineClientIn, *, by: Principal) -> MachineClient:
    """Add a machine client to the caller's region; it has no secret yet.

    A person's scopes in the services are theirs to know; they hold every token against their own
    table, so a scope too many in it gives nothing. What a machine grants must be among its own.

    Raises:
        WithoutRegion: The caller stands above the regions.
        ScopeNotHeld: A scope is not the caller's to grant.
        ClientIdTaken: The name is somebody's.
    """
    if by.reach.region_id is None:
        raise WithoutRegion("Войдите как пользователь региона.")
    beyond = set(new.scopes) & GRANTED_BY_SETTINGS_ONLY
    if by.role is Role.INTEGRATION:
        beyond |= set(new.scopes) - by.scopes
    if beyond:
        raise ScopeNotHeld(f"Уберите: {', '.join(sorted(beyond))}.", scopes=sorted(beyond))
    client = MachineClient(
        client_id=new.client_id,
        title=new.title,
        scopes=sorted(set(new.scopes)),
        region_id=by.reach.region_id,
    )
    session.add(client)
    taken = ClientIdTaken("Выберите другое имя.")
    async with constraint_problems({"uq_machine_client_client_id": taken}):
        await session.flush()
    await session.refresh(client)
    return client


async def issue_secret(
    session: AsyncSession, client_number: int, *, expected: int
) -> tuple[MachineClient, str]:
    """Give the client a fresh secret; the former one stops working.

    Raises:
        ClientNotFound: Outside reach.
        StaleVersion: Changed since it was read: somebody else may just have issued one.
    """
    client = await visible_client(session, client_number)
    etags.check(expected, client.version)
    secret = secrets.token_urlsafe(32)
    client.secret_hash = hashlib.sha256(secret.encode()).hexdigest()
    await session.flush()
    return client, secret


async def block(
    session: AsyncSession, client_number: int, *, expected: int, at: datetime
) -> MachineClient:
    """Give it no more tokens. Raises as `issue_secret`."""
    client = await visible_client(session, client_number)
    etags.check(expected, client.version)
    client.blocked_at = client.blocked_at or at
    await session.flush()
    return client


async def unblock(session: AsyncSession, client_number: int, *, expected: int) -> MachineClient:
    """Give it tokens again. Raises as `issue_secret`."""
    client = await visible_client(session, client_number)
    etags.check(expected, client.version)
    client.blocked_at = None
    await session.flush()
    return client
