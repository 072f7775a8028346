"""What one process of the gateway keeps between requests."""

from dataclasses import dataclass
from typing import Annotated, Self, cast

from fastapi import Depends, Request

from gateway.issuers.issuer import Issuers
from gateway.keys.keyring import Keyring
from gateway.passwords import Passwords
from gateway.seals import Seal
from gateway.settings import GatewaySettings
from services.kit.database import Database

__all__ = ["DatabaseOf", "Parts", "PartsOf"]


@dataclass(frozen=True, slots=True)
class Parts:
    """The long-lived parts, made from the settings."""

    settings: GatewaySettings
    seal: Seal
    keyring: Keyring
    passwords: Passwords
    issuers: Issuers

    @classmethod
    def of(cls, settings: GatewaySettings) -> Self:
        """Make the parts.

        Raises:
            WeakSecretError: The settings hold no secret to seal with.
        """
        secret = settings.key_secret
        seal = Seal(None if secret is None else secret.get_secret_value())
        return cls(
            settings,
            seal,
            Keyring(seal),
            Passwords(settings.password_checks_at_once, settings.password_checks_waiting),
            Issuers(settings.oidc_issuers),
        )


def _parts(request: Request) -> Parts:
    state = request.app.state
    # Made at first need and not in `build`, which also writes the contract, without any secret.
    if not hasattr(state, "parts"):
        state.parts = Parts.of(cast("GatewaySettings", state.settings))
    return cast("Parts", state.parts)


PartsOf = Annotated[Parts, Depends(_parts)]


def _database(request: Request) -> Database:
    return cast("Database", request.app.state.database)


DatabaseOf = Annotated[Database, Depends(_database)]
"""For work that takes several short transactions: a check of a password must not hold one."""
