"""What is particular to the gateway's settings."""

import hashlib
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from gateway.issuers.settings import OidcIssuer
from services.kit.settings import ServiceSettings

__all__ = ["GatewaySettings", "SystemClient"]


class SystemClient(BaseModel):
    """A machine client over all regions: a service of ours, or `root` of the first start.

    Such clients come from the settings only; nobody can create one through the API.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: str = Field(description="Name it authenticates with")
    secret: SecretStr | None = Field(default=None, description="Its secret")
    secret_hash: str | None = Field(
        default=None, description="SHA-256 of the secret in hex, instead"
    )
    scopes: tuple[str, ...] = Field(description="What it may do at most")
    subject: str = Field(description="`sub` of its tokens, for example service:indicators")

    def digest(self) -> str:
        """Return the SHA-256 of the secret in hex; an empty text matches no secret."""
        if self.secret is not None:
            return hashlib.sha256(self.secret.get_secret_value().encode()).hexdigest()
        return self.secret_hash or ""


class GatewaySettings(ServiceSettings):
    """Read from variables named OPORA_GATEWAY_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="OPORA_GATEWAY_", frozen=True, extra="ignore")

    key_secret: SecretStr | None = Field(
        default=None,
        description="Secret that seals signing keys and refresh tokens in the database, 32 characters or more",
    )
    system_clients: tuple[SystemClient, ...] = Field(
        default=(), description="Machine clients over all regions, as a JSON list"
    )
    token_endpoints: tuple[str, ...] = Field(
        default=(),
        description="Addresses of /api/auth/token as machine clients know it, a JSON list: the `aud` of"
        " their signed assertions, beside token_url and token_issuer",
    )
    oidc_issuers: tuple[OidcIssuer, ...] = Field(
        default=(),
        description="External OpenID Connect issuers that people log in with, a JSON list",
    )
    oidc_redirect_uris: tuple[str, ...] = Field(
        default=(),
        description="Addresses of the web app that an external issuer may send people back to, a JSON list",
    )
    access_token_seconds: int = Field(
        default=300, ge=1, le=3600, description="Life of an access token"
    )
    key_days: float = Field(
        default=30.0, gt=0, description="A key signs access tokens for so long, days"
    )
    key_lead_seconds: float = Field(
        default=120.0,
        ge=0,
        description="A key is published for so long before it signs, so that every service knows it",
    )
    refresh_idle_hours: int = Field(
        default=12, description="A person logs in again after so many hours without a refresh"
    )
    session_days: int = Field(default=30, description="A person logs in again after so many days")
    password_checks_at_once: int = Field(
        default=2,
        ge=1,
        description="Each check of a password takes 64 MiB and 0.1 s of one core",
    )
    password_checks_waiting: int = Field(
        default=40, ge=0, description="Checks that may wait for their turn; more are told 503"
    )
    source_attempts: int = Field(
        default=50,
        ge=1,
        description="Failed logins from one address before each next one has to wait",
    )
    invitation_hours: int = Field(
        default=72, ge=1, description="How long the code of an invitation or a reset holds"
    )
    second_factor_roles: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("region", "municipality"),
        description="Roles that log in with a one-time code as well, comma-separated; empty: none must",
    )
    second_factor_ticket_minutes: int = Field(
        default=15, ge=1, description="How long a person may take to set a second factor up"
    )

    @field_validator("second_factor_roles", mode="before")
    @classmethod
    def _listed(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        return tuple(part.strip() for part in given.split(",") if part.strip())

    @field_validator("second_factor_roles")
    @classmethod
    def _roles(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        # A slip would silently let people in without their second factor.
        if unknown := set(given) - {"region", "municipality", "school", "curator"}:
            raise ValueError(f"нет таких ролей: {', '.join(sorted(unknown))}")
        return given

    merged_contract: Path = Field(
        default=Path(__file__).parents[1] / "openapi" / "opora.json",
        description="The contract of all services that /api/openapi.json serves",
    )
    max_upload_bytes: int = Field(
        default=1024**3, description="Largest body on the paths that take files, bytes"
    )
    connect_seconds: float = Field(
        default=1.5, description="How long a request waits for a connection to its service"
    )
    answer_seconds: float = Field(
        default=60.0, description="How long a service may stay silent before it is told 504"
    )
    connections_per_service: int = Field(
        default=256, description="Requests to one service under way at once"
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(),
        description="Networks of own proxies whose X-Forwarded-For is believed, a JSON list",
    )
    allowed_origins: tuple[str, ...] = Field(
        default=(),
        description="Origins of web apps that may call from a browser, a JSON list: https://opora.example",
    )
    caller_per_second: float = Field(
        default=100.0,
        ge=0,
        description="Requests a second of one person on the average; 0: no limit",
    )
    caller_burst: int = Field(default=400, ge=1, description="Requests of one person at once")
    machine_per_second: float = Field(
        default=200.0, ge=0, description="The same of one machine client; 0: no limit"
    )
    machine_burst: int = Field(default=800, ge=1, description="The same at once")
    source_per_second: float = Field(
        default=20.0,
        ge=0,
        description="Requests a second of one address without a valid token; 0: no limit",
    )
    source_burst: int = Field(default=100, ge=1, description="The same at once")
    sign_in_per_second: float = Field(
        default=5.0,
        ge=0,
        description="Attempts a second of one address to get tokens; 0: no limit",
    )
    sign_in_burst: int = Field(default=60, ge=1, description="The same at once")
    requests_at_once: int = Field(
        default=64,
        ge=1,
        description="Requests of one caller or address that one process answers at the same time",
    )
