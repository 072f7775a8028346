"""From a bearer token to the caller: who it is, how far it sees, what it may ask for.

Every service verifies tokens itself, with one pinned algorithm and keys only from the gateway's key
set or from the settings; no header but Authorization says who somebody is.
"""

import asyncio
import base64
import json
import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Protocol, cast

import httpx
from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer, SecurityScopes
from jose import JWTError, jwk, jwt
from jose.backends.base import Key

from services.kit.logs import log
from services.kit.problems import Problem
from services.kit.reach import Level, Reach
from services.kit.settings import ServiceSettings

__all__ = [
    "KeysUnavailable",
    "Principal",
    "Role",
    "TokenVerifier",
    "Unauthorized",
    "Verifier",
    "authenticate",
    "authorise",
]

ALGORITHM = "RS256"
LEEWAY_SECONDS = 30
REFETCH_SECONDS = 30
CACHE_SIZE = 4096
MAX_TOKEN_CHARS = 8192

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LAST_SECOND = 2**40
"""Some ten thousand years; a larger number is no time, and no float either."""


class Role(StrEnum):
    """What a caller is. The four roles of people, and machines."""

    REGION = "region"
    MUNICIPALITY = "municipality"
    SCHOOL = "school"
    CURATOR = "curator"
    INTEGRATION = "integration"


class Unauthorized(Problem):
    """There is no token, or it is not one of ours, or its time is over."""

    status = 401
    title = "Нужен действительный токен доступа"
    headers = {"WWW-Authenticate": 'Bearer realm="opora", error="invalid_token"'}  # noqa: RUF012


class MissingScope(Problem):
    """The caller is known but may not use this operation."""

    status = 403
    title = "Недостаточно прав для этого действия"


class KeysUnavailable(Problem):
    """The public keys could not be fetched, so no token can be judged."""

    status = 503
    title = "Проверка токенов временно недоступна"
    headers = {"Retry-After": "2"}  # noqa: RUF012


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request."""

    subject: str
    role: Role
    reach: Reach
    scopes: frozenset[str]
    token: str = field(repr=False)
    issued_at: float = 0.0  # seconds since 1970
    session_id: str | None = None  # of a person's login; a machine has none


class Verifier(Protocol):
    """Whoever tells a token's caller: `TokenVerifier`, or the gateway, which also knows the revoked."""

    async def principal(self, token: str) -> Principal:
        """Return the caller this token names, or raise `Unauthorized`."""


@dataclass(slots=True)
class _Verified:
    principal: Principal
    expires_at: float
    key: Key


class TokenVerifier:
    """Judges access tokens of one service; keeps the keys and a small cache of judged tokens.

    The keys are read anew all the time, so that a key that was revoked is dead here within a minute,
    and with it every token that was judged by it. When they cannot be read, the former hold on.
    """

    def __init__(self, settings: ServiceSettings, roles: Mapping[Role, frozenset[str]]) -> None:
        self._settings = settings
        self._roles = roles
        self._keys: dict[str, Key] = _keys(json.loads(settings.jwks)) if settings.jwks else {}
        self._fetch = settings.jwks is None
        self._fetched_at = -float("inf")
        self._lock = asyncio.Lock()
        self._judged: OrderedDict[str, _Verified] = OrderedDict()

    async def principal(self, token: str) -> Principal:
        """Return the caller this token names.

        Raises:
            Unauthorized: The token is malformed, foreign, forged or out of its time.
            KeysUnavailable: No key set could be fetched yet.
        """
        known = self._judged.get(token)
        if known is not None and known.expires_at > time.time():
            return known.principal
        if len(token) > MAX_TOKEN_CHARS:
            raise Unauthorized
        claims, key = await self._claims(token)
        principal = self._from_claims(claims, token)
        self._judged[token] = _Verified(principal, float(claims["exp"]), key)
        while len(self._judged) > CACHE_SIZE:
            self._judged.popitem(last=False)
        return principal

    async def keep_fresh(self) -> None:
        """Read the keys anew all the time, until cancelled; keys from the settings stay as they are."""
        while self._fetch:
            async with self._lock:
                await self._read()
            await asyncio.sleep(self._settings.keys_refresh_seconds if self._keys else 0.5)

    async def _claims(self, token: str) -> tuple[dict[str, Any], Key]:
        try:
            header, said = _read(token)
        except (ValueError, RecursionError) as error:
            raise Unauthorized from error
        kid = header.get("kid")
        # `jku`, `x5u`, `jwk` and `crit` would let the token choose its own judge.
        if (
            header.get("alg") != ALGORITHM
            or str(header.get("typ", "")).lower() != "at+jwt"
            or not isinstance(kid, str)
            or {"jku", "x5u", "jwk", "x5c", "crit"} & header.keys()
        ):
            raise Unauthorized
        key = await self._key(kid)
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._settings.token_audience,
                issuer=self._settings.token_issuer,
                options={
                    "leeway": LEEWAY_SECONDS,
                    # python-jose accepts a token without these unless told otherwise.
                    **{
                        f"require_{name}": True
                        for name in ("exp", "aud", "iss", "sub", "iat", "jti")
                    },
                },
            )
        except (JWTError, ValueError, OverflowError, TypeError) as error:
            raise Unauthorized from error
        if claims != said or not _well_timed(claims):
            raise Unauthorized
        return claims, key

    async def _key(self, kid: str) -> Key:
        if kid in self._keys:
            return self._keys[kid]
        if self._fetch:
            async with self._lock:
                await self._refetch(kid)
        if not self._keys:
            raise KeysUnavailable
        if kid not in self._keys:
            raise Unauthorized
        return self._keys[kid]

    async def _refetch(self, kid: str) -> None:
        # With no key at all the service is still starting: ask again soon. Otherwise an unknown
        # kid, which anybody can invent, makes us ask at most twice a minute.
        pause = REFETCH_SECONDS if self._keys else 1
        if kid in self._keys or time.monotonic() - self._fetched_at < pause:
            return
        self._fetched_at = time.monotonic()
        await self._read()

    async def _read(self) -> None:
        try:
            async with httpx.AsyncClient(timeout=2) as client:
                answer = await client.get(self._settings.jwks_url)
                answer.raise_for_status()
                self._take(_keys(answer.json()))
        except Exception as error:  # noqa: BLE001  whatever was answered: the keys known before hold on
            log.warning(
                "keys_not_fetched", url=self._settings.jwks_url, reason=type(error).__name__
            )

    def _take(self, published: dict[str, Key]) -> None:
        """Hold these keys and no others; what was judged by a key that is gone is judged no more."""
        if not published:
            # A set without a key verifies nobody: rather a mistake on the way than a decision.
            raise ValueError("an empty key set")
        # The same key is the same object, so that a judgement by it still counts.
        self._keys = {
            kid: former
            if (former := self._keys.get(kid)) is not None and former.to_dict() == key.to_dict()
            else key
            for kid, key in published.items()
        }
        kept = {id(key) for key in self._keys.values()}
        gone = [token for token, verified in self._judged.items() if id(verified.key) not in kept]
        for token in gone:
            del self._judged[token]

    def _from_claims(self, claims: Mapping[str, Any], token: str) -> Principal:
        try:
            role = Role(claims["role"])
            level = Level(claims["level"])
            subject = str(claims["sub"])
            reach = Reach(
                level,
                region_id=_node(claims, "region_id"),
                municipality_id=_node(claims, "municipality_id"),
                school_id=_node(claims, "school_id"),
                subject=subject,
            )
        except (KeyError, ValueError, TypeError) as error:
            raise Unauthorized from error
        scope, session_id = claims.get("scope", ""), claims.get("sid")
        if (
            not _consistent(role, subject, reach)
            or not isinstance(scope, str)
            or not isinstance(session_id, str | None)
        ):
            raise Unauthorized
        allowed = self._roles.get(role, frozenset())
        if role is Role.INTEGRATION:
            allowed &= frozenset(scope.split())
        return Principal(
            subject,
            role,
            reach,
            allowed,
            token,
            issued_at=float(claims["iat"]),
            session_id=session_id,
        )


def _keys(document: Any) -> dict[str, Key]:
    # Key objects, because building one from its JSON costs more than the verification.
    return {
        entry["kid"]: jwk.construct(entry, ALGORITHM)
        for entry in document["keys"]
        if entry.get("kty") == "RSA" and entry.get("alg", ALGORITHM) == ALGORITHM
    }


def _read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a token's head and body say, before anything of it is believed.

    The library that verifies is lenient in what it reads: it skips characters that are not base64 and
    takes the last of two claims of one name. One token has one spelling and one meaning here.

    Raises:
        ValueError: It is not the compact form of two JSON objects and a signature.
    """
    if not _COMPACT.fullmatch(token):
        raise ValueError("not compact")
    raw = []
    for part in token.split("."):
        content = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        if base64.urlsafe_b64encode(content).rstrip(b"=") != part.encode():
            raise ValueError("not canonical")
        raw.append(content)
    head, body = (json.loads(part, object_pairs_hook=_unique) for part in raw[:2])
    if not isinstance(head, dict) or not isinstance(body, dict):
        raise ValueError("not objects")  # noqa: TRY004  one refusal for every malformed token
    return head, body


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    known = dict(pairs)
    if len(known) != len(pairs):
        raise ValueError("a name twice")
    return known


def _well_timed(claims: Mapping[str, Any]) -> bool:
    """Tell whether the times are numbers that can be compared, and the token was not issued tomorrow."""
    ends, issued, begins = claims.get("exp"), claims["iat"], claims.get("nbf", 0)
    return (
        type(ends) is int
        and ends < _LAST_SECOND
        and type(issued) in (int, float)
        and issued <= time.time() + LEEWAY_SECONDS
        and type(begins) in (int, float)
    )


def _node(claims: Mapping[str, Any], name: str) -> int | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**63:
        raise ValueError(name)
    return value


def _consistent(role: Role, subject: str, reach: Reach) -> bool:  # noqa: PLR0911  a table of cases
    """Tell whether role, kind of subject and node agree; a machine can never be a person."""
    person = role is not Role.INTEGRATION
    if person != subject.startswith("user:"):
        return False
    if person and reach.level.value != role.value:
        return False
    match reach.level:
        case Level.SYSTEM:
            return True
        case Level.REGION:
            return reach.region_id is not None
        case Level.MUNICIPALITY:
            return reach.region_id is not None and reach.municipality_id is not None
        case Level.SCHOOL:
            return None not in (reach.region_id, reach.municipality_id, reach.school_id)
        case Level.CURATOR:
            return person and reach.region_id is not None


_bearer = OAuth2PasswordBearer(
    tokenUrl="/api/auth/token",
    refreshUrl="/api/auth/token",
    scheme_name="Opora",
    description="Токен доступа выдаёт шлюз: POST /api/auth/token",
    auto_error=False,
)


async def authenticate(
    request: Request,
    token: Annotated[str | None, Depends(_bearer)],
) -> Principal:
    """Return the caller, whatever it may do."""
    if not token or len(request.headers.getlist("authorization")) != 1:
        raise Unauthorized
    verifier = cast("Verifier", request.app.state.verifier)
    return await verifier.principal(token)


async def authorise(
    needed: SecurityScopes,
    caller: Annotated[Principal, Depends(authenticate)],
) -> Principal:
    """Return the caller when it holds every scope that the operation declares."""
    missing = [scope for scope in needed.scopes if scope not in caller.scopes]
    if missing:
        raise MissingScope(
            f"Для действия нужно право {', '.join(missing)}",
            hint="Обратитесь к администратору своего региона",
            role=caller.role.value,
        )
    return caller
