"""What one process of the gateway knows of the signing keys: which signs, and which are published."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Final

from jose import jwk
from jose.backends.base import Key
from sqlalchemy.exc import SQLAlchemyError

from gateway.keys import operations, queries
from gateway.keys.making import ALGORITHM
from gateway.keys.tables import SigningKey
from gateway.seals import Seal
from services.kit import clock
from services.kit.database import Database
from services.kit.reach import Reach

__all__ = ["ALGORITHM", "Keyring", "SigningWith"]

_FRESH_SECONDS: Final = 2.0
"""How long a process trusts what it read: a rotation elsewhere is seen within this time."""


@dataclass(frozen=True, slots=True)
class SigningWith:
    """The key that signs now. A Key object: from PEM text each signature would take 34 ms more."""

    kid: str
    key: Key


class Keyring:
    """The keys as read a moment ago."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._current: SigningWith | None = None
        self._published: list[dict[str, Any]] = []
        self._read_at = -float("inf")
        self._reading = asyncio.Lock()

    async def current(self, database: Database) -> SigningWith:
        """Return the key that signs now, making the first one."""
        await self._refresh(database)
        if self._current is None:
            raise LookupError("there is no current signing key")
        return self._current

    async def published(self, database: Database) -> list[dict[str, Any]]:
        """Return the public keys: the next, the current, and the retired whose tokens still live."""
        await self._refresh(database)
        return self._published

    def forget(self) -> None:
        """Read anew at the next question: this process has just changed the keys."""
        self._read_at = -float("inf")

    async def _refresh(self, database: Database) -> None:
        if time.monotonic() - self._read_at < _FRESH_SECONDS:
            return
        async with self._reading:
            if time.monotonic() - self._read_at < _FRESH_SECONDS:
                return
            began = time.monotonic()
            try:
                keys = await self._read(database)
            except (SQLAlchemyError, OSError):
                # The keys read before still hold: tokens go on being verified without a database.
                if self._current is None:
                    raise
                return
            for key in keys:
                if key.state == "current" and (
                    self._current is None or self._current.kid != key.kid
                ):
                    pem = self._seal.open(key.private_sealed).decode()
                    self._current = SigningWith(key.kid, jwk.construct(pem, ALGORITHM))
            self._published = [key.public_jwk for key in keys]
            self._read_at = began

    async def _read(self, database: Database) -> list[SigningKey]:
        async with database.transaction(Reach.system("gateway")) as session:
            keys = await queries.published(session)
            if any(key.state == "current" for key in keys):
                return keys
            await operations.ensure_ring(session, seal=self._seal, at=clock.now())
            return await queries.published(session)
