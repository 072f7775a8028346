"""Machine clients that prove themselves by signing: `private_key_jwt`.

Source: RFC 7523, 2.2 and 3; OpenID Connect Core 1.0, 9; RFC 8725. An assertion is good for one
request: its `jti` is kept for as long as the assertion could be sent again.
"""

import hashlib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.clients.tables import ClientAssertion, MachineClient
from gateway.signatures import Compact, NotVerifiedError, public_key, read
from services.kit.database import Database
from services.kit.reach import Reach
from services.kit.settings import ServiceSettings

__all__ = ["LONGEST_SECONDS", "asserted", "forget_used_assertions", "prove"]

LONGEST_SECONDS: Final = 300
"""So far ahead may an assertion's end lie."""

_LEEWAY_SECONDS: Final = 30
_MOST_NAME_CHARS: Final = 100
_MOST_JTI_CHARS: Final = 200
_KINDS: Final = (None, "jwt", "client-authentication+jwt")


def asserted(assertion: str, client_id: str | None) -> tuple[str, Compact]:
    """Return which client an assertion claims to be, and the assertion taken apart.

    Raises:
        NotVerifiedError: It is none, or it names two clients.
    """
    compact = read(assertion)
    name = compact.claims.get("sub")
    if (
        not isinstance(name, str)
        or not 0 < len(name) <= _MOST_NAME_CHARS
        or compact.claims.get("iss") != name
        or client_id not in (None, name)
    ):
        raise NotVerifiedError("iss, sub and client_id are not one client")
    return name, compact


async def prove(
    session: AsyncSession,
    client: MachineClient,
    compact: Compact,
    *,
    audiences: Collection[str],
    at: datetime,
) -> None:
    """Hold the assertion against the client's keys, and use it up.

    Raises:
        NotVerifiedError: Not signed by a key of the client, not for us, not now, or used before.
    """
    if compact.kind is not None and compact.kind.lower() not in _KINDS:
        raise NotVerifiedError("another kind of token")
    # The key is found by its name among the client's own, and says the algorithm itself.
    document = next((one for one in client.public_keys if one["kid"] == compact.kid), None)
    if document is None:
        raise NotVerifiedError("none of the client's keys")
    try:
        key = public_key(document, str(document["alg"]))
    except ValueError as error:
        raise NotVerifiedError("the stored key is not readable") from error
    compact.verify(key)
    ends = _checked(compact.claims, audiences, int(at.timestamp()))
    await _use_up(session, client, str(compact.claims["jti"]), ends)


async def forget_used_assertions(database: Database, _: ServiceSettings) -> None:
    """Forget the assertions that are over anyway; a chore."""
    async with database.transaction(Reach.system("gateway")) as session:
        await session.execute(text("DELETE FROM client_assertion WHERE expires_at < now()"))


def _checked(claims: Mapping[str, Any], audiences: Collection[str], now: int) -> int:
    """Return when the assertion ends, as seconds of the epoch."""
    audience = claims.get("aud")
    # Of several audiences another could send the assertion on to us: exactly one, and it is ours.
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if not isinstance(audience, str) or audience not in audiences:
        raise NotVerifiedError("not for this gateway")
    ends = _instant(claims, "exp")
    if ends is None or not now < ends <= now + LONGEST_SECONDS:
        raise NotVerifiedError("over, or good for too long")
    for name in ("iat", "nbf"):
        begins = _instant(claims, name)
        if begins is not None and begins > now + _LEEWAY_SECONDS:
            raise NotVerifiedError("from the future")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _MOST_JTI_CHARS:
        raise NotVerifiedError("no name of its own")
    return ends


def _instant(claims: Mapping[str, Any], name: str) -> int | None:
    """Return an instant in whole seconds; RFC 7519 lets it have a fraction."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**53:
        raise NotVerifiedError("a time that is none")
    return int(value)


async def _use_up(session: AsyncSession, client: MachineClient, jti: str, ends: int) -> None:
    used = await session.execute(
        insert(ClientAssertion)
        .values(
            machine_client_id=client.id,
            jti_hash=hashlib.sha256(jti.encode("utf-8", "surrogatepass")).digest(),
            # A second more: an instant with a fraction was cut down.
            expires_at=datetime.fromtimestamp(ends, UTC) + timedelta(seconds=1),
        )
        .on_conflict_do_nothing()
        .returning(ClientAssertion.machine_client_id)
    )
    if used.first() is None:
        raise NotVerifiedError("used before")
