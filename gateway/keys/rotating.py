"""Changing keys outside of a request: by the worker in time, by the operator at once."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.keys import operations
from gateway.keys.tables import SigningKey
from gateway.seals import Seal
from gateway.settings import GatewaySettings
from services.kit import clock
from services.kit.database import Database, open_database
from services.kit.reach import Reach
from services.kit.settings import ServiceSettings

__all__ = ["keep_keys", "replace_keys", "rhythm_of"]


def rhythm_of(settings: GatewaySettings) -> operations.Rhythm:
    """Return how often keys follow each other here."""
    return operations.Rhythm(
        age=timedelta(days=settings.key_days), lead=timedelta(seconds=settings.key_lead_seconds)
    )


async def keep_keys(database: Database, settings: ServiceSettings) -> None:
    """Do the chore: a key that has signed long enough is followed by the next."""
    own = _own(settings)
    async with database.transaction(Reach.system("gateway")) as session:
        await operations.keep_ring(session, seal=_seal(own), rhythm=rhythm_of(own), at=clock.now())


async def replace_keys(settings: ServiceSettings, revoked_kid: str | None = None) -> str:
    """Do what the operator asked for on the command line; return what came of it, in Russian.

    Raises:
        KeyNotFound: There is no key to revoke.
        WeakSecretError: The settings hold no secret to seal with.
    """
    own = _own(settings)
    database = open_database(own)
    try:
        async with database.transaction(Reach.system("operator")) as session:
            key = await _replaced(session, own, revoked_kid)
            return _told(key)
    finally:
        await database.engine.dispose()


async def _replaced(
    session: AsyncSession, own: GatewaySettings, revoked_kid: str | None
) -> SigningKey:
    if revoked_kid is not None:
        return await operations.revoke(
            session, revoked_kid, seal=_seal(own), at=clock.now(), by="operator"
        )
    return await operations.rotate(session, seal=_seal(own), rhythm=rhythm_of(own), at=clock.now())


def _told(key: SigningKey) -> str:
    match key.state:
        case "revoked":
            return f"Ключ {key.kid} отозван: службы перестанут принимать его в течение минуты."
        case "current":
            return f"Теперь подписывает ключ {key.kid}."
        case _:
            due = f"{key.due_at:%Y-%m-%d %H:%M:%S} UTC" if key.due_at else "в свой срок"
            return f"Ключ {key.kid} опубликован и начнёт подписывать {due}."


def _own(settings: ServiceSettings) -> GatewaySettings:
    if not isinstance(settings, GatewaySettings):
        raise TypeError("keys are the gateway's")
    return settings


def _seal(settings: GatewaySettings) -> Seal:
    secret = settings.key_secret
    return Seal(None if secret is None else secret.get_secret_value())
