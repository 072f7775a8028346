"""What an id_token has to say before it is believed: who, by whom, for us, now, for this login.

Source: OpenID Connect Core 1.0, 3.1.3.7 and 3.1.3.8; RFC 8725; threat 15.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

from gateway.issuers.issuer import Issued, Issuer
from gateway.signatures import NotVerifiedError, read

__all__ = ["subject_of"]

_LEEWAY_SECONDS: Final = 30
_OLDEST_SECONDS: Final = 600
_MOST_SUBJECT_CHARS: Final = 255


async def subject_of(issued: Issued, issuer: Issuer, *, nonce_hash: bytes, now: int) -> str:
    """Return whom the issuer vouches for.

    Args:
        issued: What the issuer gave for the code.
        issuer: The one who was asked, and nobody else.
        nonce_hash: SHA-256 of the nonce this browser was sent away with.
        now: Seconds of the epoch.

    Raises:
        NotVerifiedError: Forged, another's, for somebody else, of another login, or out of its time.
        IssuerUnavailable: The issuer's keys cannot be read.
    """
    compact = read(issued.id_token)
    await issuer.verify(compact)
    claims = compact.claims
    if claims.get("iss") != issuer.settings.issuer:
        raise NotVerifiedError("another issuer")
    _require_ours(claims, issuer.settings.client_id)
    _require_now(claims, now)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(_sha256(nonce), nonce_hash):
        raise NotVerifiedError("of another login")
    _require_its_access_token(claims, issued.access_token)
    if issuer.settings.acr_values and claims.get("acr") not in issuer.settings.acr_values:
        raise NotVerifiedError("a weaker login than was asked for")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _MOST_SUBJECT_CHARS:
        raise NotVerifiedError("nobody")
    return subject


def _require_ours(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    # Nobody else is trusted with tokens for us: any other audience makes it somebody else's token.
    if audience not in (client_id, [client_id]) or claims.get("azp", client_id) != client_id:
        raise NotVerifiedError("not for us")


def _require_now(claims: Mapping[str, Any], now: int) -> None:
    ends, issued_at = _instant(claims, "exp"), _instant(claims, "iat")
    begins = _instant(claims, "nbf") if "nbf" in claims else issued_at
    if now > ends + _LEEWAY_SECONDS:
        raise NotVerifiedError("over")
    if max(issued_at, begins) > now + _LEEWAY_SECONDS or issued_at < now - _OLDEST_SECONDS:
        raise NotVerifiedError("from another time")


def _instant(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**53:
        raise NotVerifiedError("a time that is none")
    return float(value)


def _require_its_access_token(claims: Mapping[str, Any], access_token: str | None) -> None:
    """Check `at_hash` where there is one: half of the hash that the algorithm goes with."""
    said = claims.get("at_hash")
    if said is None:
        return
    half = hashlib.sha256((access_token or "").encode()).digest()[:16]
    own = base64.urlsafe_b64encode(half).decode().rstrip("=")
    if access_token is None or not isinstance(said, str) or not _is_same(said, own):
        raise NotVerifiedError("beside another access token")


def _is_same(said: str, own: str) -> bool:
    return hmac.compare_digest(said.encode("utf-8", "surrogatepass"), own.encode())


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
