"""One installation of the whole system on one machine: its settings, its secrets, each process's variables."""

import json
import os
import secrets
import socket
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.kit.bootstrap import Passwords, role_url

__all__ = ["SERVICES", "Addresses", "Installation", "InstallationError", "Secrets", "variables"]

SERVICES = ("gateway", "registry", "indicators", "monitoring", "training")
"""Every service of the system, the gateway first: it gets the first port."""

SYSTEM_CLIENTS = {
    "service:registry": ("changes:read",),
    "service:indicators": (
        "changes:read",
        "territory:read",
        "schools:read",
        "participations:write",
    ),
    "service:monitoring": ("changes:read", "territory:read", "schools:read"),
    "service:training": ("changes:read", "territory:read", "schools:read"),
    # The first administrator: makes regions and their first accounts, sees the audit, changes keys.
    "root": (
        "regions:write",
        "territory:read",
        "accounts:read",
        "accounts:write",
        "audit:read",
        "keys:read",
        "keys:write",
    ),
}
"""Machine clients that exist from the start, with their scopes; the gateway learns them from its settings."""


class InstallationError(Exception):
    """The installation cannot be started as it is set up. The text is Russian."""


class Installation(BaseSettings):
    """Settings of `opora up` and `opora demo`, from variables named OPORA_<FIELD>."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix="OPORA_")

    data_dir: Path = Field(
        default=Path(".opora"), description="Where data, secrets and logs are kept"
    )
    keep_data: bool = Field(
        default=True, description="False: a temporary directory, removed at the end"
    )
    host: str = Field(
        default="127.0.0.1", description="Where the gateway listens; services stay local"
    )
    port: int = Field(
        default=8000,
        ge=0,
        le=65_000,
        description="The gateway's port, services take the next; 0: any free",
    )
    postgres_port: int | None = Field(
        default=None, description="TCP port of the embedded PostgreSQL; empty: Unix socket only"
    )
    durable: bool = Field(
        default=True,
        description="False: fsync off in the embedded PostgreSQL, for tests and trials",
    )
    database_url: SecretStr | None = Field(
        default=None, description="Administrator's address of a PostgreSQL 15+ to use instead"
    )
    services: Annotated[tuple[str, ...], NoDecode] = Field(
        default=SERVICES,
        description="Which services to start; a comma-separated list in the variable",
    )

    @field_validator("services", mode="before")
    @classmethod
    def _listed(cls, given: object) -> object:
        return tuple(part.strip() for part in given.split(",")) if isinstance(given, str) else given

    @field_validator("services")
    @classmethod
    def _known(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := set(given) - set(SERVICES):
            raise ValueError(f"нет таких служб: {', '.join(sorted(unknown))}")
        return given

    @field_validator("postgres_port", "database_url", mode="before")
    @classmethod
    def _empty_is_absent(cls, given: object) -> object:
        return None if given == "" else given


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is made once for an installation and kept in `secrets.json`, readable by its owner only."""

    databases: dict[str, Passwords]
    clients: dict[str, str]
    cursors: dict[str, str]
    gateway_key: str
    pseudonym_key: str

    @classmethod
    def fresh(cls) -> "Secrets":
        """Make all of them anew."""
        return cls(
            databases={service: Passwords.fresh() for service in SERVICES},
            clients={client: secrets.token_urlsafe(32) for client in SYSTEM_CLIENTS},
            cursors={service: secrets.token_urlsafe(32) for service in SERVICES},
            # 32 bytes in URL-safe base64 with padding: the form of a Fernet key.
            gateway_key=secrets.token_urlsafe(32) + "=",
            pseudonym_key=secrets.token_hex(32),
        )

    @classmethod
    def of(cls, directory: Path) -> "Secrets":
        """Return the directory's secrets, making them at the first start.

        Raises:
            InstallationError: There is data but the secrets are gone: pseudonyms and keys could not be
                continued, so nothing new is made silently.
        """
        path = directory / "secrets.json"
        if not path.exists():
            if (directory / "postgres" / "data").exists():
                raise InstallationError(
                    f"В {directory} есть данные, но нет файла secrets.json: без него не продолжить "
                    "псевдонимы и ключи. Верните файл из резервной копии или укажите другой каталог "
                    "в OPORA_DATA_DIR."
                )
            made = cls.fresh()
            _write_private(path, made)
            return made
        kept = json.loads(path.read_text(encoding="utf-8"))
        databases = {name: Passwords(**three) for name, three in kept.pop("databases").items()}
        known = cls(databases=databases, **kept)
        if known.clients.keys() >= SYSTEM_CLIENTS.keys():
            return known
        # A newer release has more clients.
        grown = replace(known, clients=cls.fresh().clients | known.clients)
        _write_private(path, grown)
        return grown


def _write_private(path: Path, made: Secrets) -> None:
    written = path.with_suffix(".new")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(made), file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    written.rename(path)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where each service listens on this machine."""

    host: str
    ports: dict[str, int]

    @classmethod
    def of(cls, installation: Installation) -> "Addresses":
        """Choose the ports and see that they are free.

        Raises:
            InstallationError: One is taken; names it and the setting that moves all of them.
        """
        with ExitStack() as held:
            ports = {}
            for place, service in enumerate(SERVICES):
                wanted = installation.port + place if installation.port else 0
                host = installation.host if service == "gateway" else "127.0.0.1"
                listener = held.enter_context(socket.socket(_family(host)))
                # As the server does: a port whose last connections are just ending counts as free.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    listener.bind((host, wanted))
                    listener.listen()  # two may be bound for reuse, one may listen
                except OSError as error:
                    raise InstallationError(
                        f"Порт {wanted} на {host} занят или недоступен (нужен службе {service}): {error.strerror}. "
                        f"Укажите другой первый порт в OPORA_PORT (0 — любые свободные)."
                    ) from error
                ports[service] = int(listener.getsockname()[1])
        return cls(installation.host, ports)

    def url(self, service: str) -> str:
        """Return the base URL under which processes of this machine reach a service."""
        return f"http://{self._reachable(service)}:{self.ports[service]}"

    def listen_host(self, service: str) -> str:
        """Return what the service binds to: only the gateway is for others."""
        return self.host if service == "gateway" else "127.0.0.1"

    def _reachable(self, service: str) -> str:
        host = self.listen_host(service)
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
        return f"[{host}]" if ":" in host else host


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def variables(
    service: str,
    addresses: Addresses,
    kept: Secrets,
    *,
    admin_url: str | None,
    as_owner: bool = False,
) -> dict[str, str]:
    """Return one service's variables: its own secrets and nobody else's. Those the operator set win.

    Args:
        service: Whose process it is.
        addresses: Where the services listen.
        kept: The installation's secrets.
        admin_url: Cluster with the services' databases; None when the operator gave every address.
        as_owner: Add the address under the owner role, for migrations.
    """
    gateway = addresses.url("gateway")
    own = {f"{peer.upper()}_URL": addresses.url(peer) for peer in SERVICES if peer != "gateway"}
    own |= {
        "JWKS_URL": f"{gateway}/api/auth/jwks",
        "TOKEN_URL": f"{gateway}/api/auth/token",
        "CURSOR_SECRET": kept.cursors[service],
    }
    if secret := kept.clients.get(f"service:{service}"):
        own |= {"CLIENT_ID": f"service:{service}", "CLIENT_SECRET": secret}
    if admin_url is not None:
        passwords = kept.databases[service]
        own["DATABASE_URL"] = role_url(admin_url, service, "app", passwords.app)
        if as_owner:
            own["OWNER_DATABASE_URL"] = role_url(admin_url, service, "owner", passwords.owner)
    if service == "gateway":
        own |= {
            "KEY_SECRET": kept.gateway_key,
            "SYSTEM_CLIENTS": json.dumps(_system_clients(kept)),
            # On one machine people begin with a password; a cluster's default is to demand a code.
            "SECOND_FACTOR_ROLES": "",
        }
    if service == "indicators":
        own["PSEUDONYM_KEY"] = kept.pseudonym_key
    prefix = f"OPORA_{service.upper()}_"
    given = {name: value for name, value in os.environ.items() if name.startswith(prefix)}
    return {prefix + name: value for name, value in own.items()} | given


def _system_clients(kept: Secrets) -> list[dict[str, Any]]:
    return [
        {
            "client_id": client,
            "secret": kept.clients[client],
            "scopes": scopes,
            "subject": client if client.startswith("service:") else f"client:{client}",
        }
        for client, scopes in SYSTEM_CLIENTS.items()
    ]
