"""What the operator says about an external issuer."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

__all__ = ["OidcIssuer", "origin_of"]

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class OidcIssuer(BaseModel):
    """One external issuer: its identifier, what it knows us by, and how far it is believed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", description="Its name in our paths")
    title: str = Field(description="What people call it, on the button")
    issuer: str = Field(description="Its identifier (`iss`): https://…")
    client_id: str = Field(description="What it knows us by")
    client_secret: SecretStr | None = Field(default=None, description="Our secret with it")
    private_key: SecretStr | None = Field(
        default=None, description="Instead of the secret: our private key, PEM (private_key_jwt)"
    )
    private_key_id: str | None = Field(default=None, description="`kid` of that key")
    private_key_algorithm: Literal["RS256", "PS256", "ES256"] = Field(
        default="RS256", description="What that key signs with"
    )
    scopes: tuple[str, ...] = Field(default=("openid",), description="What is asked for")
    acr_values: tuple[str, ...] = Field(
        default=(), description="Asked for, and one of them must be in the id_token"
    )
    second_factor: bool = Field(
        default=False, description="A login there counts as one with a second factor"
    )
    authorization_endpoint: str | None = Field(
        default=None, description="Only when not on the issuer's own origin, or without discovery"
    )
    token_endpoint: str | None = Field(default=None, description="As above")
    jwks_uri: str | None = Field(default=None, description="As above")
    ca_file: Path | None = Field(
        default=None, description="Certificates to trust it by, PEM; not set: the usual ones"
    )

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        for url in (self.issuer, self.authorization_endpoint, self.token_endpoint, self.jwks_uri):
            if url is not None and not _is_safe(url):
                raise ValueError(f"{self.name}: нужен адрес https без параметров: {url}")
        if (self.client_secret is None) == (self.private_key is None):
            raise ValueError(
                f"{self.name}: нужен client_secret либо private_key, ровно одно из них"
            )
        if "openid" not in self.scopes:
            raise ValueError(f"{self.name}: среди scopes нужен openid")
        self.own_key()
        return self

    def own_key(self) -> RSAKey | ECKey | None:
        """Return the key that we prove ourselves with; None when it is done by the secret.

        Raises:
            ValueError: It is not a private key of its algorithm. The text is Russian.
        """
        if self.private_key is None:
            return None
        kind = ECKey if self.private_key_algorithm == "ES256" else RSAKey
        try:
            key = kind.import_key(self.private_key.get_secret_value())
        except (JoseError, ValueError, TypeError):
            key = None
        if key is None or not key.is_private:
            raise ValueError(f"{self.name}: private_key — не закрытый ключ нужного вида")
        return key


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port; two addresses of one origin lead to one server."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port


def _is_safe(url: str) -> bool:
    try:
        scheme, host, _ = origin_of(url)
        parts = urlsplit(url)
    except ValueError:
        return False
    # Without TLS only on this very machine: a trial, a test.
    is_reachable = bool(host) and (scheme == "https" or (scheme == "http" and host in _LOOPBACK))
    return is_reachable and not (parts.username or parts.query or parts.fragment)
