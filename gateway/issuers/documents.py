"""What an issuer publishes: where its parts are, and the keys it signs with."""

import time
from asyncio import Lock
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.issuers.asking import Asking
from gateway.issuers.refusals import IssuerUnavailable
from gateway.issuers.settings import OidcIssuer, origin_of
from gateway.signatures import PublicKey, public_key
from services.kit.logs import log

__all__ = ["Documents", "Metadata"]

_FRESH_SECONDS: Final = 3600.0
_REFETCH_SECONDS: Final = 30.0
"""An unknown name of a key, which anybody can invent, makes us ask no more often than that."""
_MOST_KEYS: Final = 50
_PARTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Metadata:
    """Where the issuer's parts are."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    says_iss: bool = False
    """It names itself when it sends a browser back (RFC 9207): a return without that is none."""


class Documents:
    """What one process has read of one issuer; both documents are kept for an hour."""

    def __init__(self, issuer: OidcIssuer, asking: Asking) -> None:
        self._issuer = issuer
        self._asking = asking
        self._reading = Lock()
        self._metadata: Metadata | None = None
        self._metadata_at = -float("inf")
        self._keys: tuple[Mapping[str, Any], ...] = ()
        self._keys_at = -float("inf")

    async def metadata(self) -> Metadata:
        """Return where the issuer's parts are.

        Raises:
            IssuerUnavailable: Its document cannot be read, or speaks of another issuer.
        """
        written = [getattr(self._issuer, part) for part in _PARTS]
        if all(written):
            return Metadata(*written)
        async with self._reading:
            if self._metadata is None or time.monotonic() - self._metadata_at > _FRESH_SECONDS:
                url = f"{self._issuer.issuer.rstrip('/')}/.well-known/openid-configuration"
                self._metadata = self._believed(await self._asking.get(url))
                self._metadata_at = time.monotonic()
            return self._metadata

    async def keys(self, algorithm: str, kid: str | None, *, again: bool) -> list[PublicKey]:
        """Return the published keys of this algorithm: of this name, or all when there is none.

        Args:
            algorithm: What the key must verify.
            kid: Its name, as a header says it.
            again: Whether what is known was of no use, so that it is worth asking again.

        Raises:
            IssuerUnavailable: They cannot be read.
        """
        metadata = await self.metadata()
        async with self._reading:
            age = time.monotonic() - self._keys_at
            if age > _FRESH_SECONDS or (again and age > _REFETCH_SECONDS):
                published = (await self._asking.get(metadata.jwks_uri)).get("keys")
                if not isinstance(published, list):
                    raise self._wrong("no keys")
                self._keys = tuple(key for key in published[:_MOST_KEYS] if isinstance(key, dict))
                self._keys_at = time.monotonic()
        found = []
        for document in self._keys:
            signs = document.get("use", "sig") == "sig"
            if not signs or document.get("alg", algorithm) != algorithm:
                continue
            if kid is None or document.get("kid") == kid:
                try:
                    found.append(public_key(document, algorithm))
                except ValueError:
                    continue  # of another kind, or too weak: it signs nothing that we believe
        return found

    def _believed(self, document: Mapping[str, Any]) -> Metadata:
        """Return what the document may say: only about its own issuer, on its own origin."""
        if document.get("issuer") != self._issuer.issuer:
            raise self._wrong("another issuer's document")
        authorization, token, keys = (self._place(part, document.get(part)) for part in _PARTS)
        says_iss = document.get("authorization_response_iss_parameter_supported") is True
        return Metadata(authorization, token, keys, says_iss)

    def _place(self, part: str, said: object) -> str:
        written: str | None = getattr(self._issuer, part)
        if written is not None:
            return written
        try:
            if isinstance(said, str) and origin_of(said) == origin_of(self._issuer.issuer):
                return said
        except ValueError:
            pass
        raise self._wrong(f"{part} is elsewhere: write it into the settings")

    def _wrong(self, reason: str) -> IssuerUnavailable:
        log.warning("issuer_not_believed", issuer=self._issuer.name, reason=reason)
        return IssuerUnavailable(
            f"«{self._issuer.title}» не отвечает как положено.",
            hint="Сообщите администратору системы или войдите по паролю.",
            issuer=self._issuer.name,
        )
