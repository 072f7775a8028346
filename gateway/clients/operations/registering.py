"""Registering and editing machine clients; each change by somebody who holds what the client may do."""

from collections.abc import Iterable
from datetime import datetime

from jose import jwt
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.accounts.territory import Node
from gateway.clients import queries
from gateway.clients.schemas import MachineClientIn, MachineClientPatch
from gateway.clients.tables import MachineClient
from gateway.revocations import operations as revocations
from gateway.roles import MACHINE_SCOPES
from services.kit import etags
from services.kit.principals import Principal, Role
from services.kit.problems import Problem, constraint_problems

__all__ = [
    "ClientIdTaken",
    "ClientNotFound",
    "KeysMissing",
    "ScopeNotHeld",
    "block",
    "change",
    "register",
    "to_change",
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


class KeysMissing(Problem):
    """A client that proves itself by signing only needs a key to be judged by."""

    status = 409
    title = "У клиента нет открытых ключей"


async def visible_client(session: AsyncSession, client_number: int) -> MachineClient:
    """Return the machine client or raise `ClientNotFound`."""
    found = await queries.client(session, client_number)
    if found is None:
        raise ClientNotFound
    return found


async def register(
    session: AsyncSession, new: MachineClientIn, *, node: Node, by: Principal
) -> MachineClient:
    """Add a machine client at its node; it cannot prove itself yet.

    Raises:
        ScopeNotHeld: A scope is not the caller's to grant, or not for machines of this level.
        ClientIdTaken: The name is somebody's.
    """
    client = MachineClient(
        client_id=new.client_id,
        title=new.title,
        scopes=sorted(set(new.scopes)),
        region_id=node.region_id,
        municipality_id=node.municipality_id,
        school_id=node.school_id,
        public_keys=[],
        keys_only=False,
    )
    _require_held(client.scopes, of=client, by=by)
    session.add(client)
    taken = ClientIdTaken("Выберите другое имя.")
    async with constraint_problems({"uq_machine_client_client_id": taken}):
        await session.flush()
    return client


async def change(
    session: AsyncSession,
    client_number: int,
    wish: MachineClientPatch,
    *,
    by: Principal,
    expected: int,
    at: datetime,
) -> MachineClient:
    """Change what the wish names. A scope taken away is gone from tokens already issued, too.

    Raises:
        ClientNotFound: Outside reach.
        StaleVersion: Changed since it was read.
        ScopeNotHeld: A scope that is added is not the caller's to grant.
        KeysMissing: It should sign, but has no key.
    """
    client = await to_change(session, client_number, expected=expected)
    former = (set(client.scopes), client.keys_only)
    if wish.scopes is not None:
        _require_held(set(wish.scopes) - set(client.scopes), of=client, by=by)
        client.scopes = sorted(set(wish.scopes))
    if wish.title is not None:
        client.title = wish.title
    if wish.keys_only is not None:
        if wish.keys_only and not client.public_keys:
            raise KeysMissing("Сначала зарегистрируйте открытый ключ: PUT …/keys.")
        if client.keys_only and not wish.keys_only:
            # Its secrets, forgotten perhaps, work again from here on.
            _require_held(client.scopes, of=client, by=by)
        client.keys_only = wish.keys_only
    await session.flush()
    if former[0] - set(client.scopes) or (client.keys_only and not former[1]):
        await revocations.revoke_subject(session, client.subject, at=at)
    return client


async def block(
    session: AsyncSession, client_number: int, *, expected: int, at: datetime
) -> MachineClient:
    """Give it no more tokens, and kill those it has.

    Raises:
        ClientNotFound: Outside reach.
        StaleVersion: Changed since it was read.
    """
    client = await to_change(session, client_number, expected=expected)
    client.blocked_at = client.blocked_at or at
    await session.flush()
    await revocations.revoke_subject(session, client.subject, at=at)
    return client


async def unblock(
    session: AsyncSession, client_number: int, *, by: Principal, expected: int
) -> MachineClient:
    """Give it tokens again.

    Raises:
        ClientNotFound: Outside reach.
        StaleVersion: Changed since it was read.
        ScopeNotHeld: The client may do more than the caller.
    """
    client = await to_change(session, client_number, expected=expected, empowering=by)
    client.blocked_at = None
    await session.flush()
    return client


async def to_change(
    session: AsyncSession,
    client_number: int,
    *,
    expected: int,
    empowering: Principal | None = None,
) -> MachineClient:
    """Return the client in the state the caller has seen.

    Args:
        session: The request's transaction.
        client_number: The client.
        expected: The version the caller has seen.
        empowering: The caller, when the change gives somebody the client's rights (a secret, a key):
            then nobody gets through a client what he does not hold himself.

    Raises:
        ClientNotFound: Outside reach.
        StaleVersion: Changed since it was read.
        ScopeNotHeld: The client may do more than the caller.
    """
    client = await visible_client(session, client_number)
    etags.check(expected, client.version)
    if empowering is not None:
        _require_held(client.scopes, of=client, by=empowering)
    return client


def _require_held(scopes: Iterable[str], *, of: MachineClient, by: Principal) -> None:
    grantable = MACHINE_SCOPES[of.level] & _held(by)
    beyond = sorted(set(scopes) - grantable)
    if beyond:
        raise ScopeNotHeld(
            f"Уберите: {', '.join(beyond)}.",
            hint="Клиент получает только то, что есть у вас и что машинам этого уровня дают службы",
            scopes=beyond,
        )


def _held(by: Principal) -> frozenset[str]:
    """Return what the caller holds over all services, not only here in the gateway."""
    if by.role is not Role.INTEGRATION:
        return MACHINE_SCOPES[by.reach.level]
    # Verified when the caller was let in; the principal itself keeps the gateway's own scopes only.
    return frozenset(str(jwt.get_unverified_claims(by.token).get("scope", "")).split())
