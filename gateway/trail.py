"""What the gateway's audit tells of logins and keys: events that are the change of no tracked row.

Attempts that are told to wait leave nothing, so guessing cannot fill the audit. What names a person
is not kept, because an audit is not erased: a known account is its number, an unknown name a keyed
mark, by which repeated tries are recognised and nothing else.
"""

import hmac
import uuid
from typing import Protocol

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit import audit

__all__ = [
    "client_refused",
    "key_changed",
    "login_began",
    "login_failed",
    "refresh_token_came_back",
    "sessions_ended",
]

LOGIN = "login"
CLIENT_LOGIN = "client_login"
SIGNING_KEY = "signing_key"


class Placed(Protocol):
    """An account or a machine client."""

    @property
    def id(self) -> int:
        """Its number."""

    @property
    def region_id(self) -> int | None:
        """Whose region may read of it."""

    @property
    def municipality_id(self) -> int | None:
        """Where in the region."""

    @property
    def school_id(self) -> int | None:
        """Where in the municipality."""


async def login_began(session: AsyncSession, account: Placed, session_id: uuid.UUID) -> None:
    """Tell that a person logged in."""
    await _of(session, LOGIN, account, "success", session_id)


async def refresh_token_came_back(
    session: AsyncSession, account: Placed, session_id: uuid.UUID
) -> None:
    """Tell that a used refresh token was offered again: somebody copied it."""
    await _of(session, LOGIN, account, "reuse", session_id)


async def login_failed(
    session: AsyncSession, account: Placed | None, name: str, secret: SecretStr | None
) -> None:
    """Tell that a login was refused, of an account or of a name that nobody has."""
    if account is None:
        await audit.record(session, LOGIN, "failure", details={"name_mark": _mark(name, secret)})
    else:
        await _of(session, LOGIN, account, "failure", None)


async def sessions_ended(session: AsyncSession, account_id: int, reason: str, count: int) -> None:
    """Tell that sessions of a person were ended, and why."""
    await audit.record(
        session, LOGIN, "end", entity_id=account_id, details={"reason": reason, "sessions": count}
    )


async def key_changed(session: AsyncSession, kid: str, op: str) -> None:
    """Tell what became of a key that signs access tokens; the subject of the audit is who did it."""
    await audit.record(session, SIGNING_KEY, op, details={"kid": kid})


async def client_refused(
    session: AsyncSession, client: Placed | None, name: str, secret: SecretStr | None
) -> None:
    """Tell that a machine client, or a name that none has, did not prove to be what it said."""
    if client is None:
        await audit.record(
            session, CLIENT_LOGIN, "failure", details={"name_mark": _mark(name, secret)}
        )
    else:
        await _of(session, CLIENT_LOGIN, client, "failure", None)


async def _of(
    session: AsyncSession, kind: str, whom: Placed, op: str, session_id: uuid.UUID | None
) -> None:
    await audit.record(
        session,
        kind,
        op,
        entity_id=whom.id,
        details=None if session_id is None else {"session": str(session_id)},
        region_id=whom.region_id,
        municipality_id=whom.municipality_id,
        school_id=whom.school_id,
    )


def _mark(name: str, secret: SecretStr | None) -> str:
    key = b"audit of names" + (secret.get_secret_value() if secret else "").encode()
    return hmac.new(key, name.strip().lower().encode(), "sha256").hexdigest()[:16]
