"""Access of machine clients: those of a node of the territory, and Opora's own over all regions.

Whatever is wrong with a proof is refused with one answer, and counted by client and source: guesses
of one source close neither the client's other sources nor the source's other clients.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from pydantic import SecretStr
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway import trail
from gateway.attempts import operations as attempts
from gateway.attempts.refusals import TooManyAttempts
from gateway.clients import queries as clients
from gateway.clients.tables import ClientSecret, MachineClient
from gateway.settings import GatewaySettings
from gateway.signatures import Compact, NotVerifiedError
from gateway.tokens.claims import Holder
from gateway.tokens.operations import assertions
from gateway.tokens.refusals import InvalidClient, InvalidScope
from gateway.tokens.schemas import ClientGrant
from services.kit.logs import log
from services.kit.problems import Problem

__all__ = ["let_in"]

_FREE_OF_A_SOURCE: Final = 20
"""Failures of one source over all clients, before it has to wait."""


async def let_in(
    session: AsyncSession,
    grant: ClientGrant,
    *,
    settings: GatewaySettings,
    source: str,
    at: datetime,
) -> Holder | Problem:
    """Return the machine client that the credentials prove, with the scopes it asked for.

    A refusal is returned and not raised, because the caller commits in either case: what was counted
    and what was used up must stay. It is `InvalidClient` (unknown, blocked or not proved; which of
    them is not told), `InvalidScope` (it asks for what it does not have) or `TooManyAttempts`.
    """
    try:
        name, compact = _named(grant)
    except NotVerifiedError as error:
        name, compact = grant.client_id or "", None
        log.info("client_not_proved", reason=str(error))
    ways = {
        f"client:{name}@{source}": attempts.OF_A_NAME,
        f"clients@{source}": attempts.of_a_source(_FREE_OF_A_SOURCE),
    }
    for way, patience in ways.items():
        wait = await attempts.seconds_to_wait(session, way, at=at, patience=patience)
        if wait:
            return TooManyAttempts(wait)
    try:
        holder = await _identified(session, grant, name, compact, settings, at)
    except (InvalidClient, InvalidScope) as refused:
        if isinstance(refused, InvalidScope):
            await _forgive(session, *ways)
        else:
            client = await clients.client_to_let_in(session, name)
            await trail.client_refused(session, client, name, settings.key_secret)
        return refused
    await _forgive(session, *ways)
    return holder


async def _forgive(session: AsyncSession, name: str, source: str) -> None:
    await attempts.forget(session, name)
    await attempts.forgive(session, source)


def _named(grant: ClientGrant) -> tuple[str, Compact | None]:
    if grant.client_assertion is None:
        return grant.client_id or "", None
    return assertions.asserted(grant.client_assertion.get_secret_value(), grant.client_id)


async def _identified(
    session: AsyncSession,
    grant: ClientGrant,
    name: str,
    compact: Compact | None,
    settings: GatewaySettings,
    at: datetime,
) -> Holder:
    if grant.client_secret is not None:
        for own in settings.system_clients:
            if own.client_id == name:
                if not hmac.compare_digest(_digest(grant.client_secret), own.digest()):
                    raise InvalidClient
                return Holder(
                    subject=own.subject,
                    role="integration",
                    level="system",
                    scopes=_narrowed(own.scopes, grant.scope),
                )
    # Locked: whoever takes rights away waits for this token, and then it is among the dead.
    client = await clients.client_to_let_in(session, name)
    if client is None or client.blocked_at is not None:
        raise InvalidClient
    if compact is not None:
        await _prove_by_signature(session, client, compact, settings, at)
    elif grant.client_secret is not None:
        await _prove_by_secret(session, client, _digest(grant.client_secret), at)
    else:
        raise InvalidClient
    scopes = _narrowed(client.scopes, grant.scope)
    await _note_use(session, MachineClient, client, at)
    return Holder(
        subject=client.subject,
        role="integration",
        level=client.level,
        region_id=client.region_id,
        municipality_id=client.municipality_id,
        school_id=client.school_id,
        scopes=scopes,
    )


async def _prove_by_signature(
    session: AsyncSession,
    client: MachineClient,
    compact: Compact,
    settings: GatewaySettings,
    at: datetime,
) -> None:
    audiences = {settings.token_issuer, settings.token_url, *settings.token_endpoints}
    try:
        await assertions.prove(session, client, compact, audiences=audiences, at=at)
    except NotVerifiedError as error:
        log.info("client_not_proved", client=client.client_id, reason=str(error))
        raise InvalidClient from error


async def _prove_by_secret(
    session: AsyncSession, client: MachineClient, digest: str, at: datetime
) -> None:
    if client.keys_only:
        raise InvalidClient
    live = await clients.live_secrets(session, client.id, at=at)
    # All of them are compared, so that the time does not tell which one it was.
    matching = [one for one in live if hmac.compare_digest(digest, one.secret_hash)]
    if matching:
        await _note_use(session, ClientSecret, matching[0], at)
    elif not hmac.compare_digest(digest, client.secret_hash or ""):
        # The client's own column holds what a process of the release before may just have issued.
        raise InvalidClient


async def _note_use(
    session: AsyncSession,
    table: type[MachineClient | ClientSecret],
    used: MachineClient | ClientSecret,
    at: datetime,
) -> None:
    """Note the day, once a day; past the mapped object, so that the version does not count it."""
    today: Any = at.date()
    if used.last_used_on != today:
        await session.execute(
            update(table)
            .where(table.id == used.id)
            .values(last_used_on=today)
            .execution_options(synchronize_session=False)
        )


def _digest(secret: SecretStr) -> str:
    return hashlib.sha256(secret.get_secret_value().encode("utf-8", "surrogatepass")).hexdigest()


def _narrowed(held: Iterable[str], asked: str | None) -> tuple[str, ...]:
    held = tuple(held)
    if asked is None or not asked.strip():
        return held
    beyond = sorted(set(asked.split()) - set(held))
    if beyond:
        raise InvalidScope(f"У клиента нет: {', '.join(beyond)}.")
    return tuple(scope for scope in held if scope in asked.split())
