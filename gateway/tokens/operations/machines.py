"""Access of machine clients: those of a region, and Opora's own over all regions."""

import hashlib
import hmac
from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.clients import queries as clients
from gateway.settings import SystemClient
from gateway.tokens.claims import Holder
from gateway.tokens.refusals import InvalidClient, InvalidScope
from gateway.tokens.schemas import ClientGrant

__all__ = ["identify"]


async def identify(
    session: AsyncSession, grant: ClientGrant, *, system_clients: Iterable[SystemClient]
) -> Holder:
    """Return the machine client that the credentials prove, with the scopes it asked for.

    Raises:
        InvalidClient: Unknown, blocked, or a wrong secret; which of them is not told.
        InvalidScope: It asks for a scope it does not have.
    """
    digest = hashlib.sha256(grant.client_secret.get_secret_value().encode()).hexdigest()
    for own in system_clients:
        if own.client_id == grant.client_id:
            if not hmac.compare_digest(digest, own.digest()):
                raise InvalidClient
            return Holder(
                subject=own.subject,
                role="integration",
                level="system",
                scopes=_narrowed(own.scopes, grant.scope),
            )
    client = await clients.client_by_name(session, grant.client_id)
    stored = "" if client is None else client.secret_hash or ""
    if not hmac.compare_digest(digest, stored) or client is None or client.blocked_at is not None:
        raise InvalidClient
    return Holder(
        subject=f"client:{client.client_id}",
        role="integration",
        level="region",
        region_id=client.region_id,
        scopes=_narrowed(client.scopes, grant.scope),
    )


def _narrowed(held: Iterable[str], asked: str | None) -> tuple[str, ...]:
    held = tuple(held)
    if asked is None or not asked.strip():
        return held
    beyond = sorted(set(asked.split()) - set(held))
    if beyond:
        raise InvalidScope(f"У клиента нет: {', '.join(beyond)}.")
    return tuple(scope for scope in held if scope in asked.split())
