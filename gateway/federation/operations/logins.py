"""Logins by way of an issuer: a browser is sent away, comes back once, and is known by what it kept."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.federation import queries
from gateway.federation.tables import ExternalLogin
from gateway.seals import Seal
from services.kit.database import Database
from services.kit.reach import Reach
from services.kit.settings import ServiceSettings

__all__ = ["LOGIN_SECONDS", "Away", "Back", "forget_old_logins", "remember", "take_back"]

LOGIN_SECONDS: Final = 600
"""So long may a person be away at the issuer's."""


def _secret() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Away:
    """The secrets of one login: three travel with the browser, the code verifier stays here."""

    state: str = field(default_factory=_secret)
    nonce: str = field(default_factory=_secret)
    code_verifier: str = field(default_factory=_secret)
    login_verifier: str = field(default_factory=_secret)


@dataclass(frozen=True, slots=True)
class Back:
    """What was kept of a login whose browser has come back."""

    redirect_uri: str
    code_verifier: str
    nonce_hash: bytes


async def remember(
    session: AsyncSession,
    away: Away,
    *,
    issuer: str,
    redirect_uri: str,
    seal: Seal,
    at: datetime,
) -> None:
    """Keep what is needed when the browser comes back."""
    session.add(
        ExternalLogin(
            state_hash=_hash(away.state),
            issuer=issuer,
            redirect_uri=redirect_uri,
            verifier_hash=_hash(away.login_verifier),
            nonce_hash=_hash(away.nonce),
            code_verifier_sealed=seal.close(away.code_verifier.encode()),
            expires_at=at + timedelta(seconds=LOGIN_SECONDS),
        )
    )
    await session.flush()


async def take_back(
    session: AsyncSession,
    *,
    state: str,
    login_verifier: str,
    issuer: str,
    seal: Seal,
    at: datetime,
) -> Back | None:
    """Return what was kept, and forget it: a state works once, whatever becomes of the login.

    None when there is no such login of this browser at this issuer, or it took too long. Who has the
    state but not the verifier uses nothing up: the true browser may still come back.
    """
    found = await queries.login_to_take(session, _hash(state))
    if (
        found is None
        or not hmac.compare_digest(found.verifier_hash, _hash(login_verifier))
        or found.issuer != issuer
    ):
        return None
    await session.delete(found)
    await session.flush()
    if found.expires_at <= at:
        return None
    return Back(
        found.redirect_uri, seal.open(found.code_verifier_sealed).decode(), found.nonce_hash
    )


async def forget_old_logins(database: Database, _: ServiceSettings) -> None:
    """Forget the browsers that did not come back in time; a chore."""
    async with database.transaction(Reach.system("gateway")) as session:
        await session.execute(text("DELETE FROM external_login WHERE expires_at < now()"))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
