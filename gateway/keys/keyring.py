"""The signing keys: made at first need, sealed in the database, published as a key set."""

import asyncio
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk
from jose.backends.base import Key
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.keys.tables import SigningKey
from gateway.seals import Seal
from services.kit.database import Database
from services.kit.reach import Reach

__all__ = ["ALGORITHM", "Keyring", "SigningWith"]

ALGORITHM: Final = "RS256"
_KEY_BITS: Final = 2048
_FRESH_SECONDS: Final = 20.0
"""How long a process trusts what it read: a rotation elsewhere is seen within this time."""
_MAKING_LOCK: Final = 0x6F706F7261_01


@dataclass(frozen=True, slots=True)
class SigningWith:
    """The key that signs now. A Key object: from PEM text each signature would take 34 ms more."""

    kid: str
    key: Key


class Keyring:
    """What one process knows of the keys."""

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

    async def _refresh(self, database: Database) -> None:
        if time.monotonic() - self._read_at < _FRESH_SECONDS:
            return
        async with self._reading:
            if time.monotonic() - self._read_at < _FRESH_SECONDS:
                return
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
            self._read_at = time.monotonic()

    async def _read(self, database: Database) -> list[SigningKey]:
        async with database.transaction(Reach.system("gateway")) as session:
            keys = await _stored(session)
            if any(key.state == "current" for key in keys):
                return keys
            return await self._make_first(session)

    async def _make_first(self, session: AsyncSession) -> list[SigningKey]:
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MAKING_LOCK})
        keys = await _stored(session)
        if any(key.state == "current" for key in keys):
            return keys
        made = await asyncio.to_thread(self._make)
        session.add(made)
        await session.flush()
        return [*keys, made]

    def _make(self) -> SigningKey:
        private = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
        pem = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        public = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        kid = secrets.token_hex(8)
        return SigningKey(
            kid=kid,
            state="current",
            private_sealed=self._seal.close(pem),
            public_jwk={
                **jwk.construct(public.decode(), ALGORITHM).to_dict(),
                "kid": kid,
                "use": "sig",
            },
            created_at=datetime.now(UTC),
        )


async def _stored(session: AsyncSession) -> list[SigningKey]:
    # A retired key's last token is over after the token's life and the leeway; ten minutes cover both.
    live = select(SigningKey).where(
        (SigningKey.state != "retired")
        | (SigningKey.retired_at > text("now() - interval '10 minutes'"))
    )
    return list(await session.scalars(live.order_by(SigningKey.created_at)))
