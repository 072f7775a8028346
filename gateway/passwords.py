"""Passwords: argon2id, outside of the event loop, a few at a time.

Source: OWASP Password Storage Cheat Sheet (argon2id); the library's recommended cost.
"""

import asyncio
import secrets

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

__all__ = ["Passwords"]


class Passwords:
    """Makes and checks password hashes. A check takes 64 MiB and 0.1 s, so only some run at once."""

    def __init__(self, at_once: int) -> None:
        self._hashing = PasswordHash((Argon2Hasher(),))
        self._turns = asyncio.Semaphore(at_once)
        # Checked for unknown logins, so that they take as long as known ones.
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash to store."""
        async with self._turns:
            return await asyncio.to_thread(self._hashing.hash, password)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Tell whether the password is the stored one; with nothing stored, after the same time."""
        if self._nobodys is None:
            self._nobodys = await self.hash(secrets.token_urlsafe())
        async with self._turns:
            matched = await asyncio.to_thread(
                self._hashing.verify, password, stored or self._nobodys
            )
        return matched and stored is not None
