"""Signatures that others made: machine clients' assertions and external issuers' id_tokens.

The algorithm and the key are ours to choose before anything is verified: a header may name which of
the known keys signed, and nothing else. Our own access tokens are read by the kit. Source: RFC 7515,
RFC 7518, RFC 8725; threats 1 to 3 and 15.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

__all__ = ["ALGORITHMS", "Compact", "NotVerifiedError", "PublicKey", "public_key", "read"]

ALGORITHMS: Final = ("RS256", "PS256", "ES256")
"""What is accepted from others: asymmetric all of them, so no public key can pass for a secret."""

_FAMILIES: Final = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC"}
_FEWEST_RSA_BITS: Final = 2048
_MOST_RSA_BITS: Final = 8192
_SMALLEST_EXPONENT: Final = 65537
_MOST_CHARS: Final = 16_384
# Each of them would let the sender choose the key it is judged by, or change what is signed.
_NEVER: Final = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64"})


class NotVerifiedError(Exception):
    """It is not a signed set of claims of that key. Says why, for the log only."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key with the one algorithm it verifies."""

    kid: str | None
    algorithm: str
    key: RSAKey | ECKey


@dataclass(frozen=True, slots=True)
class Compact:
    """A compact signature, taken apart; `claims` are only what somebody says until `verify`."""

    text: str
    algorithm: str
    kid: str | None
    kind: str | None
    claims: Mapping[str, Any]

    def verify(self, by: PublicKey) -> None:
        """Verify the signature with this key and its algorithm.

        Raises:
            NotVerifiedError: Another algorithm, another key, or changed content.
        """
        if self.algorithm != by.algorithm:
            raise NotVerifiedError("another algorithm than the key's")
        # Headers we do not know say nothing; those that matter were refused while reading.
        registry = JWSRegistry(algorithms=[by.algorithm], strict_check_header=False)
        try:
            jws.deserialize_compact(self.text, by.key, [by.algorithm], registry=registry)
        except (JoseError, ValueError, TypeError) as error:
            raise NotVerifiedError("the signature does not hold") from error


def read(text: str) -> Compact:
    """Take a compact signature apart, without believing it.

    Raises:
        NotVerifiedError: Not one, not over claims, or its header names a key of its own.
    """
    if len(text) > _MOST_CHARS:
        raise NotVerifiedError("too long")
    try:
        parts = jws.extract_compact(text.encode("ascii"))
        # A header that is a list has the member "alg" too, as far as the library asks.
        header = dict(parts.headers())
        claims = json.loads(parts.payload, object_pairs_hook=_once)
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise NotVerifiedError("not a compact signature") from error
    if not isinstance(claims, dict) or _NEVER & header.keys():
        raise NotVerifiedError("not a set of claims, or a key in the header")
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ")
    if (
        algorithm not in ALGORITHMS
        or not isinstance(kid, str | None)
        or not isinstance(kind, str | None)
    ):
        raise NotVerifiedError("not one of the algorithms, or a malformed header")
    return Compact(text, str(algorithm), kid, kind, claims)


def public_key(document: Mapping[str, Any], algorithm: str) -> PublicKey:
    """Return the public key of a JSON Web Key, to be used with this algorithm.

    Raises:
        ValueError: It is no key of the algorithm's family, or too weak.
    """
    family = _FAMILIES.get(algorithm)
    if family is None or document.get("kty") != family:
        raise ValueError("the algorithm and the kind of key do not fit")
    kid = document.get("kid")
    members = ("n", "e") if family == "RSA" else ("crv", "x", "y")
    # Only the public members: what else the document says about the key is not ours to follow.
    public = {"kty": family} | {name: str(document.get(name)) for name in members}
    try:
        # Before the library reads it, which warns of a weak key instead of refusing it.
        is_strong = _is_strong(public)
        # Reading a point checks that it lies on the curve.
        key = (RSAKey if family == "RSA" else ECKey).import_key({**public}) if is_strong else None
    except (JoseError, ValueError, TypeError, AttributeError) as error:
        raise ValueError("not a readable public key") from error
    if key is None:
        raise ValueError("the key is too weak")
    return PublicKey(kid if isinstance(kid, str) else None, algorithm, key)


def _is_strong(public: Mapping[str, str]) -> bool:
    if public["kty"] == "EC":
        return public["crv"] == "P-256"
    bits = _number(public["n"]).bit_length()
    return _FEWEST_RSA_BITS <= bits <= _MOST_RSA_BITS and _number(public["e"]) >= _SMALLEST_EXPONENT


def _number(member: str) -> int:
    """Return the number that a member of a key holds, base64url of its bytes."""
    padded = member + "=" * (-len(member) % 4)
    return int.from_bytes(base64.b64decode(padded, altchars=b"-_", validate=True))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a claim that is said twice: two readers could believe different ones."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found
