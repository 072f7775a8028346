"""Tokens that nobody should accept: forged, foreign, malformed, out of time, or meant for another use.

Those that are signed are signed with the system's own key: what is refused is what they say.
"""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jose import jwk, jwt


def encoded(part: Any) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class Forger:
    """Holds the system's own key, which no attacker has, and makes what attackers would."""

    key: Any
    kid: str
    trap: str

    def good(self, **claims: Any) -> dict[str, Any]:
        now = int(time.time())
        regular = {
            "iss": "opora", "aud": "opora", "sub": "user:1", "role": "region", "level": "region",
            "region_id": 1, "iat": now, "nbf": now, "exp": now + 3600, "jti": "0" * 32,
        }  # fmt: skip
        return regular | claims

    def signed(self, body: Any = None, **head: Any) -> str:
        """Sign any bytes or claims; `head` replaces or adds fields of the header (None removes one)."""
        full = {"alg": "RS256", "typ": "at+jwt", "kid": self.kid} | head
        text = encoded({name: value for name, value in full.items() if value is not None})
        return self.sealed(f"{text}.{encoded(self.good() if body is None else body)}")

    def sealed(self, head_and_body: str) -> str:
        return f"{head_and_body}.{encoded(self.key.sign(head_and_body.encode()))}"

    def having(self, **claims: Any) -> str:
        return self.signed(self.good(**claims))

    def without(self, claim: str) -> str:
        return self.signed({name: v for name, v in self.good().items() if name != claim})

    def by_hmac(self, secret: bytes, **head: Any) -> str:
        full = {"alg": "HS256", "typ": "at+jwt", "kid": self.kid} | head
        text = f"{encoded(full)}.{encoded(self.good())}"
        return f"{text}.{encoded(hmac.digest(secret, text.encode(), hashlib.sha256))}"

    def by_stranger(self, algorithm: str, kid: str | None = None) -> str:
        private = (
            rsa.generate_private_key(public_exponent=65537, key_size=2048)
            if algorithm.startswith(("RS", "PS"))
            else ec.generate_private_key(ec.SECP256R1())
        )
        pem = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        head = {"typ": "at+jwt", "kid": kid or self.kid}
        return jwt.encode(self.good(), pem, algorithm=algorithm, headers=head)

    def unsigned(self, algorithm: str, signature: str = "") -> str:
        head = encoded({"alg": algorithm, "typ": "at+jwt", "kid": self.kid})
        return f"{head}.{encoded(self.good())}.{signature}"

    def named_twice(self, claim: str, first: Any, last: Any) -> str:
        body = json.dumps(self.good(**{claim: last}))
        return self.signed(f'{{"{claim}": {json.dumps(first)}, {body[1:]}'.encode())


def forgeries(by: Forger, public: dict[str, Any]) -> dict[str, str]:
    """Return the tokens by what is wrong with them; at none of them a door may open."""
    good = by.signed()
    head, body, signature = good.split(".")
    pem = jwk.construct(public, "RS256").to_pem()
    der = base64.b64decode("".join(pem.decode().strip().splitlines()[1:-1]))
    now = int(time.time())
    return {
        # No signature, or one that anybody could make. Threats, cases 1 and 2.
        "alg none, no signature": by.unsigned("none"),
        "alg None": by.unsigned("None"),
        "alg nOnE with a good signature": by.unsigned("nOnE", signature),
        "alg NONE": by.unsigned("NONE"),
        "alg empty": by.unsigned(""),
        "alg RS256 without signature": by.unsigned("RS256"),
        "alg a list": by.signed(alg=["RS256"]),
        "alg missing": by.signed(alg=None),
        "alg RS512": by.signed(alg="RS512"),
        "alg PS256": by.signed(alg="PS256"),
        "no dots": good.replace(".", ""),
        "one dot": f"{head}.{body}",
        "three dots": f"{good}.x",
        "four dots": f"{good}.a.b",
        "only dots": "..",
        "HS256 by the public PEM": by.by_hmac(pem),
        "HS256 by the public PEM, stripped": by.by_hmac(pem.strip()),
        "HS256 by the public DER": by.by_hmac(der),
        "HS256 by the JWK": by.by_hmac(json.dumps(public).encode()),
        "HS256 by the modulus": by.by_hmac(public["n"].encode()),
        "HS256 by nothing": by.by_hmac(b""),
        "HS512 named, HS256 made": by.by_hmac(pem, alg="HS512"),
        "a stranger's RSA key under our kid": by.by_stranger("RS256"),
        "a stranger's RSA key under its own kid": by.by_stranger("RS256", "stranger"),
        "a stranger's EC key under our kid": by.by_stranger("ES256"),
        # Changed or respelled after signing.
        "body changed": f"{head}.{encoded(by.good(region_id=2))}.{signature}",
        "head changed": f"{encoded({'alg': 'RS256', 'typ': 'at+jwt', 'kid': by.kid, 'x': 1})}.{body}.{signature}",
        "signature of another token": f"{head}.{encoded(by.good(jti='other'))}.{signature}",
        "signature cut": f"{head}.{body}.{signature[:-4]}",
        "signature with a star inside": f"{head}.{body}.{signature[:9]}*{signature[9:]}",
        "signature padded": f"{head}.{body}.{signature}==",
        "unused bits of the signature set": f"{head}.{body}.{_respelled(signature)}",
        # Where to find the key. Case 3.
        "kid unknown": by.signed(kid="unknown"),
        "kid missing": by.signed(kid=None),
        "kid empty": by.signed(kid=""),
        "kid a path": by.signed(kid="../../../../dev/null"),
        "kid SQL": by.signed(kid="' OR 1=1 --"),
        "kid a URL": by.signed(kid=f"{by.trap}/kid"),
        "kid an object": by.signed(kid={"a": 1}),
        "kid a number": by.signed(kid=1),
        "kid with NUL": by.signed(kid=f"{by.kid}\0"),
        "kid of 6 KB": by.signed(kid="k" * 6_000),
        "jku": by.signed(jku=f"{by.trap}/jku"),
        "x5u": by.signed(x5u=f"{by.trap}/x5u"),
        "jku and an unknown kid": by.signed(kid="theirs", jku=f"{by.trap}/jku"),
        "jwk": by.signed(jwk=public),
        "x5c": by.signed(x5c=["MIIB"]),
        "crit": by.signed(crit=["exp"]),
        # Time. Case 4; 31 seconds are one too many.
        "expired 31 s ago": by.having(exp=now - 31),
        "expired a year ago": by.having(exp=now - 365 * 86_400),
        "exp missing": by.without("exp"),
        "exp null": by.having(exp=None),
        "exp text": by.having(exp=str(now + 600)),
        "exp a fraction": by.having(exp=now + 600.5),
        "exp 1e308": by.having(exp=1e308),
        "exp of 400 digits": by.having(exp=10**400),
        "exp true": by.having(exp=True),
        "exp negative": by.having(exp=-1),
        "exp infinite": by.signed(json.dumps(by.good(exp=float("inf"))).encode()),
        "nbf in an hour": by.having(nbf=now + 3600),
        "nbf text": by.having(nbf="soon"),
        "iat missing": by.without("iat"),
        "iat in an hour": by.having(iat=now + 3600),
        "iat text": by.having(iat="now"),
        # For whom and by whom. Case 5.
        "aud of another": by.having(aud="other"),
        "aud missing": by.without("aud"),
        "aud a list without us": by.having(aud=["other", "another"]),
        "iss of another": by.having(iss="other"),
        "iss missing": by.without("iss"),
        "iss with a slash": by.having(iss="opora/"),
        "jti missing": by.without("jti"),
        "sub missing": by.without("sub"),
        "sub empty": by.having(sub=""),
        "sub a number": by.having(sub=1),
        "typ JWT": by.signed(typ="JWT"),
        "typ missing": by.signed(typ=None),
        "typ of an ID token": by.signed(typ="id+jwt"),
        "typ of a refresh token": by.signed(typ="rt+jwt"),
        "typ with a suffix": by.signed(typ="at+jwt;v=1"),
        "typ an object": by.signed(typ={"at": "jwt"}),
        # What it claims to be. Case 6.
        "role unknown": by.having(role="admin"),
        "role missing": by.without("role"),
        "role a list": by.having(role=["region"]),
        "level above the role": by.having(level="system"),
        "level missing": by.without("level"),
        "level unknown": by.having(level="country"),
        "a machine that calls itself a person": by.having(role="integration"),
        "a person that calls itself a machine": by.having(sub="client:ris-gia"),
        "a person that calls itself a service": by.having(sub="service:registry"),
        "region missing": by.without("region_id"),
        "region text": by.having(region_id="1"),
        "region true": by.having(region_id=True),
        "region a fraction": by.having(region_id=1.0),
        "region negative": by.having(region_id=-1),
        "region zero": by.having(region_id=0),
        "region beyond any number": by.having(region_id=2**63),
        "region a list": by.having(region_id=[1, 2]),
        "a school without its municipality": by.having(role="school", level="school", school_id=1),
        "scope a list": by.having(scope=["accounts:write"]),
        "sid a number": by.having(sid=7),
        # How it is written. Case 7.
        "role named twice": by.named_twice("role", "school", "region"),
        "region named twice": by.named_twice("region_id", 2, 1),
        "head names alg twice": _head_twice(by),
        "body a list": by.signed([1, 2]),
        "body a text": by.signed("token"),
        "body null": by.signed(b"null"),
        "body not JSON": by.signed(b"{"),
        "body not UTF-8": by.signed(b'{"sub": "\xff"}'),
        "body very deep": by.signed(b"[" * 5000),
        "head very deep": by.sealed(f"{encoded(b'[' * 5000)}.{body}"),
        "head a list": by.sealed(f"{encoded([])}.{body}"),
        "too long by one claim": by.having(note="x" * 8192),
    }  # fmt: skip


# The servers refuse these heads before any token is read from them: 400, 401 or 431, never in.
def malformed_headers(good: str, kid_of_a_megabyte: str) -> dict[str, list[tuple[bytes, bytes]]]:
    """Return `Authorization` headers that are no bearer token, or not one only."""
    bearer = b"Bearer " + good.encode()
    return {
        "a scheme of its own": [(b"Authorization", b"Token " + good.encode())],
        "no scheme": [(b"Authorization", good.encode())],
        "nothing after the scheme": [(b"Authorization", b"Bearer")],
        "the token twice in one header": [(b"Authorization", bearer + b", " + bearer)],
        "two headers": [(b"Authorization", bearer), (b"Authorization", bearer)],
        "a good and a bad header": [
            (b"Authorization", bearer),
            (b"Authorization", b"Bearer x.y.z"),
        ],
        "not ASCII": [(b"Authorization", b"Bearer \xd0\xbf" + good.encode())],
        "a full-width letter": [(b"Authorization", b"Bearer \xef\xbd\x85" + good[1:].encode())],
        "in X-Authorization": [(b"X-Authorization", bearer)],
        "in a cookie": [(b"Cookie", b"Authorization=" + bearer)],
        "a kid of a megabyte": [(b"Authorization", b"Bearer " + kid_of_a_megabyte.encode())],
    }


def _respelled(signature: str) -> str:
    """Return the same bytes spelled with another last character."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 256 bytes leave two bits of the last character unused.
    return signature[:-1] + alphabet[alphabet.index(signature[-1]) ^ 1]


def _head_twice(by: Forger) -> str:
    head = f'{{"alg": "none", "alg": "RS256", "typ": "at+jwt", "kid": "{by.kid}"}}'.encode()
    return by.sealed(f"{encoded(head)}.{encoded(by.good())}")
