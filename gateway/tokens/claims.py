"""What an access token says. Source: RFC 9068; the kit's `principals` reads it."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jose import jwt

from gateway.accounts.tables import Account
from gateway.keys.keyring import ALGORITHM, SigningWith

__all__ = ["Holder", "holder_of", "signed"]


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a token speaks for."""

    subject: str
    role: str
    level: str
    region_id: int | None = None
    municipality_id: int | None = None
    school_id: int | None = None
    scopes: tuple[str, ...] | None = None
    session_id: str | None = None


def holder_of(account: Account, session_id: str) -> Holder:
    """Return the person of an account."""
    return Holder(
        subject=f"user:{account.id}",
        role=account.role,
        level=account.role,
        region_id=account.region_id,
        municipality_id=account.municipality_id,
        school_id=account.school_id,
        session_id=session_id,
    )


def signed(
    holder: Holder, *, signing: SigningWith, issuer: str, audience: str, at: datetime, seconds: int
) -> str:
    """Return the access token."""
    now = int(at.timestamp())
    # To the millisecond: what was issued just before a revocation is dead, what comes after lives.
    issued_at = round(at.timestamp(), 3)
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": audience,
        "sub": holder.subject,
        "role": holder.role,
        "level": holder.level,
        "region_id": holder.region_id,
        "municipality_id": holder.municipality_id,
        "school_id": holder.school_id,
        "scope": None if holder.scopes is None else " ".join(holder.scopes),
        "sid": holder.session_id,
        "jti": secrets.token_hex(16),
        "iat": issued_at,
        "nbf": now,
        "exp": now + seconds,
    }
    return jwt.encode(
        {name: value for name, value in claims.items() if value is not None},
        signing.key,
        algorithm=ALGORITHM,
        headers={"typ": "at+jwt", "kid": signing.kid},
    )
