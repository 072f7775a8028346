"""One external issuer: where a browser is sent, what a code is given back for, who signed."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

import httpx
from joserfc import jws

from gateway.issuers.asking import Asking
from gateway.issuers.documents import Documents
from gateway.issuers.refusals import ExternalLoginRefused
from gateway.issuers.settings import OidcIssuer
from gateway.signatures import Compact, NotVerifiedError
from services.kit.logs import log

__all__ = ["Issued", "Issuer", "Issuers"]

_ASSERTION_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Issued:
    """What the issuer gave for a code; nothing of it is believed yet."""

    id_token: str
    access_token: str | None


class Issuer:
    """The way to one issuer, and what is known of it."""

    def __init__(self, settings: OidcIssuer) -> None:
        self.settings = settings
        self._asking = Asking(settings)
        self._documents = Documents(settings, self._asking)
        self._own_key = settings.own_key()

    async def authorization_url(
        self, *, state: str, nonce: str, code_verifier: str, redirect_uri: str
    ) -> str:
        """Return where to send the browser.

        Raises:
            IssuerUnavailable: It is not known where.
        """
        metadata = await self._documents.metadata()
        challenge = hashlib.sha256(code_verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        if self.settings.acr_values:
            asked["acr_values"] = " ".join(self.settings.acr_values)
        return f"{metadata.authorization_endpoint}?{urlencode(asked)}"

    async def has_answered(self, iss: str | None) -> bool:
        """Tell whether an answer that names itself so, or not at all, may be its own.

        Source: RFC 9207, 2.4: an issuer that always names itself is not believed without its name.

        Raises:
            IssuerUnavailable: It is not known whether it names itself.
        """
        if iss is None:
            return not (await self._documents.metadata()).says_iss
        return iss == self.settings.issuer

    async def exchange(self, code: str, *, code_verifier: str, redirect_uri: str) -> Issued:
        """Give the code back for what it stands for.

        Raises:
            ExternalLoginRefused: The issuer does not take the code.
            IssuerUnavailable: It does not answer.
        """
        endpoint = (await self._documents.metadata()).token_endpoint
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": code_verifier,
        }
        basic = None
        if self.settings.client_secret is not None:
            # RFC 6749, 2.3.1: both are encoded as in a form before they are joined.
            own = (self.settings.client_id, self.settings.client_secret.get_secret_value())
            basic = (quote(own[0], safe=""), quote(own[1], safe=""))
        else:
            form |= self._assertion(endpoint)
        status, answer = await self._asking.post(endpoint, form, basic=basic)
        id_token, access_token = answer.get("id_token"), answer.get("access_token")
        if status != httpx.codes.OK or not isinstance(id_token, str):
            error = str(answer.get("error"))[:100]
            log.warning("code_not_taken", issuer=self.settings.name, status=status, error=error)
            raise ExternalLoginRefused
        return Issued(id_token, access_token if isinstance(access_token, str) else None)

    async def verify(self, compact: Compact) -> None:
        """Verify a signature by the issuer's published keys.

        Raises:
            NotVerifiedError: None of its keys made it.
            IssuerUnavailable: The keys cannot be read.
        """
        for again in (False, True):
            for key in await self._documents.keys(compact.algorithm, compact.kid, again=again):
                try:
                    compact.verify(key)
                except NotVerifiedError:
                    continue
                return
        raise NotVerifiedError("none of the issuer's keys signed it")

    def _assertion(self, audience: str) -> dict[str, str]:
        """Prove ourselves by signing. Source: RFC 7523; OpenID Connect Core 1.0, 9."""
        now = int(time.time())
        claims = {
            "iss": self.settings.client_id,
            "sub": self.settings.client_id,
            "aud": audience,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + _ASSERTION_SECONDS,
        }
        algorithm = self.settings.private_key_algorithm
        header = {"alg": algorithm, "typ": "JWT"}
        if self.settings.private_key_id is not None:
            header["kid"] = self.settings.private_key_id
        return {
            "client_id": self.settings.client_id,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jws.serialize_compact(
                header, json.dumps(claims), self._own_key, [algorithm]
            ),
        }


class Issuers:
    """All issuers of the settings, by name."""

    def __init__(self, settings: Iterable[OidcIssuer]) -> None:
        self._by_name = {one.name: Issuer(one) for one in settings}

    def __iter__(self) -> Iterator[Issuer]:
        return iter(self._by_name.values())

    def named(self, name: str) -> Issuer | None:
        """Return the issuer of this name."""
        return self._by_name.get(name)

    def name_of(self, identifier: str) -> str:
        """Return the name of the issuer with this identifier; the identifier of one long gone."""
        return next(
            (name for name, one in self._by_name.items() if one.settings.issuer == identifier),
            identifier,
        )
