"""Callers of the tests: real tokens, signed with the tests' own key, through the true auth path.

`region_user(region_id=1)` and its siblings return the token itself; `bearer(token)` the header.
A service under test is built with `jwks=TEST_JWKS` in its settings.
"""

import json
import time
import uuid
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jwt

ISSUER = "opora"
AUDIENCE = "opora"
TEST_KID = "test-key"

_private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE_PEM = _private.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()
PUBLIC_PEM = (
    _private.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
# A Key object: signing from PEM text costs a hundred times more (34 ms).
_signing_key = jwk.construct(PRIVATE_PEM, "RS256")
TEST_KEYS: dict[str, Any] = {
    "keys": [
        {**jwk.construct(PUBLIC_PEM, "RS256").to_dict(), "kid": TEST_KID, "use": "sig"},
    ],
}
TEST_JWKS = json.dumps(TEST_KEYS)

anonymous: None = None
"""A caller without a token."""


def token_for(
    *,
    subject: str,
    role: str,
    level: str | None = None,
    region_id: int | None = None,
    municipality_id: int | None = None,
    school_id: int | None = None,
    scopes: tuple[str, ...] | list[str] = (),
    # Tests make tokens when they are collected; the last of them runs much later.
    lifetime_seconds: int = 24 * 3600,
    **claims: Any,
) -> str:
    """Sign an access token; `claims` are added or replace the regular ones (None removes one)."""
    now = int(time.time())
    regular: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "role": role,
        "level": level or role,
        "region_id": region_id,
        "municipality_id": municipality_id,
        "school_id": school_id,
        "scope": " ".join(scopes) or None,
        "iat": now,
        "nbf": now,
        "exp": now + lifetime_seconds,
        "jti": uuid.uuid4().hex,
    }
    kept = {name: value for name, value in (regular | claims).items() if value is not None}
    return signed(kept)


def signed(claims: dict[str, Any], **headers: Any) -> str:
    """Sign any claims as the gateway would; `headers` are added to or replace the regular ones."""
    header = {"typ": "at+jwt", "kid": TEST_KID} | headers
    return jwt.encode(claims, _signing_key, algorithm="RS256", headers=header)


def bearer(token: str | None) -> dict[str, str]:
    """Return the request headers of a caller."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def region_user(*, region_id: int, user_id: int = 1, **claims: Any) -> str:
    return token_for(subject=f"user:{user_id}", role="region", region_id=region_id, **claims)


def municipality_user(
    *, region_id: int, municipality_id: int, user_id: int = 2, **claims: Any
) -> str:
    return token_for(
        subject=f"user:{user_id}",
        role="municipality",
        region_id=region_id,
        municipality_id=municipality_id,
        **claims,
    )


def school_user(
    *, region_id: int, municipality_id: int, school_id: int, user_id: int = 3, **claims: Any
) -> str:
    return token_for(
        subject=f"user:{user_id}",
        role="school",
        region_id=region_id,
        municipality_id=municipality_id,
        school_id=school_id,
        **claims,
    )


def curator(*, region_id: int, user_id: int = 4, **claims: Any) -> str:
    """A curator; which schools it sees is said by its grants, not by the token."""
    return token_for(subject=f"user:{user_id}", role="curator", region_id=region_id, **claims)


def machine(
    *,
    scopes: tuple[str, ...] | list[str],
    region_id: int | None = None,
    municipality_id: int | None = None,
    school_id: int | None = None,
    level: str = "region",
    client_id: str = "ris-gia",
    **claims: Any,
) -> str:
    """A machine client of a region, municipality or school."""
    return token_for(
        subject=f"client:{client_id}",
        role="integration",
        level=level,
        region_id=region_id,
        municipality_id=municipality_id,
        school_id=school_id,
        scopes=scopes,
        **claims,
    )


def service(name: str, *, scopes: tuple[str, ...] | list[str]) -> str:
    """One of Opora's own services, which sees every region."""
    return token_for(subject=f"service:{name}", role="integration", level="system", scopes=scopes)
