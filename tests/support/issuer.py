"""An OpenID Connect issuer of the tests: a real HTTP server that can be told to misbehave.

Its people have logged in already: `visit` does what the browser does at the authorization endpoint,
over HTTP. What it signs can be changed claim by claim; what it was asked is remembered.
"""

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import httpx
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from tests.support.serving import served

CLIENT_ID = "opora"
CLIENT_SECRET = "secret/of: the gateway & its issuer"

Claims = dict[str, Any]

# Making a key takes longer than a whole login: two issuers at a time have different ones.
_KEYS = itertools.cycle([RSAKey.generate_key(2048), RSAKey.generate_key(2048)])


@dataclass
class Issuer:
    """What the issuer knows, and how it is told to misbehave."""

    url: str = ""
    subject: str = "person-1"
    key: RSAKey | ECKey = field(default_factory=lambda: next(_KEYS))
    algorithm: str = "RS256"
    kid: str | None = "issuer-key"
    key_use: str = "sig"
    change: Callable[[Claims], None] = lambda _: None
    """Changes the claims of an id_token before it is signed."""
    sign: Callable[["Issuer", Claims], str] | None = None
    """Signs instead of the issuer itself."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Said in the discovery document instead of the truth."""
    names_itself: bool = False
    """Adds `iss` to the address it sends a browser back to (RFC 9207)."""
    token_answer: tuple[int, bytes] | None = None
    """Answered by the token endpoint instead."""
    silent_seconds: float = 0.0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    async def visit(self, authorization_url: str) -> dict[str, str]:
        """Go to the issuer as a browser, log in, and return the query it sends the browser back with."""
        async with httpx.AsyncClient() as browser:
            answer = await browser.get(authorization_url)
        assert answer.status_code == 302, answer.text
        return {
            name: values[0]
            for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()
        }

    def times(self, path: str) -> int:
        """How often a path was asked."""
        return sum(asked == path for asked, _ in self.asked)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        query = dict(parse_qsl(scope["query_string"].decode()))
        form = dict(parse_qsl(body.decode()))
        self.asked.append((scope["path"], query | form))
        self.headers.append({k.decode(): v.decode() for k, v in scope["headers"]})
        await asyncio.sleep(self.silent_seconds)
        match scope["path"]:
            case "/.well-known/openid-configuration":
                await _answer(send, 200, self._metadata())
            case "/jwks":
                public = self.key.as_dict(private=False)
                kid = {} if self.kid is None else {"kid": self.kid}
                await _answer(send, 200, {"keys": [public | kid | {"use": self.key_use}]})
            case "/authorize":
                await _redirect(send, self._sent_back(query))
            case "/token":
                status, content = self.token_answer or self._token(form, self.headers[-1])
                await _answer(send, status, content)
            case _:
                await _answer(send, 404, {})

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "authorization_response_iss_parameter_supported": self.names_itself,
        } | self.metadata

    def _sent_back(self, asked: dict[str, str]) -> str:
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked | {"subject": self.subject}
        iss = f"&iss={self.url}" if self.names_itself else ""
        return f"{asked['redirect_uri']}?code={code}&state={asked['state']}{iss}"

    def _token(self, form: dict[str, str], headers: dict[str, str]) -> tuple[int, Any]:
        if not self._knows(form, headers):
            return 401, {"error": "invalid_client"}
        # Taken away: a code is good for one time.
        given = self.codes.pop(form.get("code", ""), None)
        challenge = _b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            given is None
            or given["code_challenge"] != challenge
            or given["redirect_uri"] != form.get("redirect_uri")
        ):
            return 400, {"error": "invalid_grant"}
        access_token = secrets.token_urlsafe()
        now = int(time.time())
        claims: Claims = {
            "iss": self.url,
            "sub": given["subject"],
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": given["nonce"],
            "at_hash": _b64(hashlib.sha256(access_token.encode()).digest()[:16]),
        }
        self.change(claims)
        id_token = (self.sign or signed)(self, claims)
        return 200, {"access_token": access_token, "token_type": "Bearer", "id_token": id_token}

    def _knows(self, form: dict[str, str], headers: dict[str, str]) -> bool:
        if "client_assertion" in form:
            return form["client_id"] == CLIENT_ID
        kind, _, encoded = headers.get("authorization", "").partition(" ")
        if kind != "Basic":
            return False
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
        return (unquote(name), unquote(secret)) == (CLIENT_ID, CLIENT_SECRET)


def signed(issuer: Issuer, claims: Claims, **header: Any) -> str:
    """Sign as the issuer signs."""
    header = {"alg": issuer.algorithm, "typ": "JWT", "kid": issuer.kid} | header
    header = {name: value for name, value in header.items() if value is not None}
    registry = jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
    key = header.pop("key", issuer.key)
    return jws.serialize_compact(header, json.dumps(claims), key, registry=registry)


def unsigned(_: Issuer, claims: Claims) -> str:
    """Leave the signature out, and say so."""
    header = {"alg": "none"}
    return f"{_b64(json.dumps(header).encode())}.{_b64(json.dumps(claims).encode())}."


def signed_by_the_public_key(issuer: Issuer, claims: Claims) -> str:
    """Sign with HS256 and the text of the public key, which everybody has."""
    return hmac_signed(claims, issuer.key.as_pem(private=False), kid=issuer.kid)


def hmac_signed(claims: Claims, secret: bytes, **header: Any) -> str:
    """Sign with HS256 by hand: no sound library takes a public key for a secret."""
    head = _b64(json.dumps({"alg": "HS256", **header}).encode())
    content = f"{head}.{_b64(json.dumps(claims).encode())}"
    return f"{content}.{_b64(hmac.digest(secret, content.encode(), 'sha256'))}"


def signed_by_another_key(issuer: Issuer, claims: Claims) -> str:
    """Sign with a key of one's own under the issuer's name of a key."""
    own = RSAKey.generate_key(2048)
    header = {"alg": "RS256", "kid": issuer.kid}
    return jws.serialize_compact(header, json.dumps(claims), own, ["RS256"])


def bringing_its_own_key(issuer: Issuer, claims: Claims) -> str:
    """Sign with a key of one's own that the header brings along."""
    own = RSAKey.generate_key(2048)
    header = {"alg": "RS256", "jwk": own.as_dict(private=False)}
    registry = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    return jws.serialize_compact(header, json.dumps(claims), own, registry=registry)


@asynccontextmanager
async def an_issuer(**told: Any) -> AsyncIterator[Issuer]:
    """Serve an issuer on a port of its own."""
    issuer = Issuer(**told)
    async with served(issuer, lifespan="off") as url:
        issuer.url = url
        yield issuer


async def _answer(send: Any, status: int, content: Any) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _redirect(send: Any, to: str) -> None:
    headers = [(b"location", to.encode())]
    await send({"type": "http.response.start", "status": 302, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
