"""Secrets of machine clients: issued with an overlap, revoked at once."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified

from gateway.clients import queries
from gateway.clients.operations.registering import to_change
from gateway.clients.tables import ClientSecret, MachineClient
from gateway.revocations import operations as revocations
from services.kit.principals import Principal
from services.kit.problems import Problem

__all__ = ["KeysOnly", "SecretNotFound", "TooManySecrets", "issue", "revoke"]

_MOST_LIVE = 5


class SecretNotFound(Problem):
    """The client has no such secret."""

    status = 404
    title = "Секрет не найден"


class TooManySecrets(Problem):
    """Each live secret is one more that may leak; a client needs two while they are exchanged."""

    status = 409
    title = "У клиента слишком много действующих секретов"


class KeysOnly(Problem):
    """The client proves itself by signing; a secret of it would never be accepted."""

    status = 409
    title = "Клиент подтверждает себя только подписью"


async def issue(
    session: AsyncSession,
    client_number: int,
    *,
    overlap: timedelta,
    by: Principal,
    expected: int,
    at: datetime,
) -> tuple[MachineClient, ClientSecret, str]:
    """Give the client a fresh secret; the former ones end after the overlap, if not before.

    Raises:
        ClientNotFound: Outside reach.
        StaleVersion: Changed since it was read: somebody else may just have issued one.
        ScopeNotHeld: The client may do more than the caller.
        KeysOnly: Its secrets are not accepted.
        TooManySecrets: Too many of the former would go on working.
    """
    client = await to_change(session, client_number, expected=expected, empowering=by)
    if client.keys_only:
        raise KeysOnly("Секрет ему не поможет.", hint="Снимите keys_only или добавьте ключ")
    former = await queries.live_secrets(session, client_number, at=at)
    ends = at + overlap
    if overlap and len(former) >= _MOST_LIVE:
        raise TooManySecrets(
            f"Действуют {len(former)}.", hint="Отзовите лишние или укажите overlap_hours: 0"
        )
    for one in former:
        one.expires_at = ends if one.expires_at is None else min(one.expires_at, ends)
    secret = secrets.token_urlsafe(32)
    issued = ClientSecret(
        machine_client_id=client.id,
        region_id=client.region_id,
        municipality_id=client.municipality_id,
        school_id=client.school_id,
        secret_hash=hashlib.sha256(secret.encode()).hexdigest(),
        created_at=at,
    )
    session.add(issued)
    client.secret_hash = issued.secret_hash
    await session.flush()
    if former and not overlap:
        await revocations.revoke_subject(session, client.subject, at=at)
    return client, issued, secret


async def revoke(
    session: AsyncSession,
    client_number: int,
    secret_number: int,
    *,
    expected: int,
    at: datetime,
) -> MachineClient:
    """End a secret at once, with every token the client has: some may have been got with it.

    Raises:
        ClientNotFound: Outside reach.
        SecretNotFound: Not one of this client's.
        StaleVersion: Changed since it was read.
    """
    client = await to_change(session, client_number, expected=expected)
    secret = await queries.secret(session, client_number, secret_number)
    if secret is None:
        raise SecretNotFound
    secret.revoked_at = secret.revoked_at or at
    if client.secret_hash == secret.secret_hash:
        client.secret_hash = None
    # The secrets are part of the state that the client's version counts.
    flag_modified(client, "title")
    await session.flush()
    await revocations.revoke_subject(session, client.subject, at=at)
    return client
