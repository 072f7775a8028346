"""What is particular to the gateway's settings."""

import hashlib
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import SettingsConfigDict

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
    access_token_seconds: int = Field(default=300, description="Life of an access token")
    refresh_idle_hours: int = Field(
        default=12, description="A person logs in again after so many hours without a refresh"
    )
    session_days: int = Field(default=30, description="A person logs in again after so many days")
    password_checks_at_once: int = Field(
        default=2, description="Each check of a password takes 64 MiB and 0.1 s of one core"
    )

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
