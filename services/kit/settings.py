"""Settings every service has; a service's own class adds its prefix and what is particular to it."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.kit.audit_schema import SHORTEST_MEMORY_DAYS

__all__ = ["ServiceSettings"]


class ServiceSettings(BaseSettings):
    """Read once in `build`, from variables named OPORA_<SERVICE>_<FIELD>."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    database_url: SecretStr = Field(
        description="Database of the service under its app role: postgresql+asyncpg://…",
    )
    owner_database_url: SecretStr | None = Field(
        default=None,
        description="The same database under the owner role; only migrations use it",
    )
    pool_size: int = Field(default=10, description="Connections a process keeps to its database")
    pool_timeout_seconds: float = Field(
        default=2.0,
        description="How long a request queues for a connection before it is told 503",
    )
    statement_timeout_ms: int = Field(
        default=30_000,
        description="A statement of a request that runs longer is cancelled",
    )

    token_issuer: str = Field(default="opora", description="`iss` that access tokens must carry")
    token_audience: str = Field(default="opora", description="`aud` that access tokens must carry")
    jwks_url: str = Field(
        default="http://127.0.0.1:8000/api/auth/jwks",
        description="Where public keys are published",
    )
    keys_refresh_seconds: float = Field(
        default=20.0,
        gt=0,
        le=45,
        description="How often the public keys are read anew; a revoked key lives on no longer than this",
    )
    jwks: str | None = Field(
        default=None,
        description="Public keys given directly (JSON Web Key Set) instead of the URL",
    )

    registry_url: str = Field(
        default="http://127.0.0.1:8001", description="Base URL of the registry"
    )
    indicators_url: str = Field(
        default="http://127.0.0.1:8002", description="Base URL of indicators"
    )
    monitoring_url: str = Field(
        default="http://127.0.0.1:8003", description="Base URL of monitoring"
    )
    training_url: str = Field(default="http://127.0.0.1:8004", description="Base URL of training")
    token_url: str = Field(
        default="http://127.0.0.1:8000/api/auth/token",
        description="Where own tokens are asked for",
    )
    client_id: str | None = Field(default=None, description="The service's own machine client")
    client_secret: SecretStr | None = Field(default=None, description="Secret of that client")

    cursor_secret: SecretStr = Field(
        default=SecretStr("development-only"),
        description="Key that signs page cursors",
    )
    idempotency_hours: int = Field(
        default=24,
        ge=24,
        description="How long a repeated request with the same Idempotency-Key gets its first answer, hours",
    )
    max_body_bytes: int = Field(
        default=2 * 1024 * 1024,
        description="Largest request body outside of uploads, bytes",
    )
    audit_keep_days: int | None = Field(
        default=None,
        ge=SHORTEST_MEMORY_DAYS,
        description="Entries of the audit older than this are removed, their links stay; empty: all are kept",
    )
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    access_log: bool = Field(default=True, description="Write one line for every request")
    metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65_535,
        description="Port on which a serving process tells its metrics; empty: nowhere",
    )
    metrics_host: str = Field(
        default="127.0.0.1", description="Address for the same: 0.0.0.0 where a cluster asks"
    )
