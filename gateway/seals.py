"""Sealing what must be readable again: private keys and the successor of a refresh token."""

import base64

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

__all__ = ["Seal", "WeakSecretError"]

_SHORTEST_SECRET = 32


class WeakSecretError(Exception):
    """The secret is missing or too short. The text is Russian and meant for the operator."""


class Seal:
    """Encrypts and authenticates with a key made from the gateway's secret."""

    def __init__(self, secret: str | None) -> None:
        """Derive the key.

        Raises:
            WeakSecretError: There is no secret of sufficient length.
        """
        if secret is None or len(secret) < _SHORTEST_SECRET:
            raise WeakSecretError(
                "Не задан OPORA_GATEWAY_KEY_SECRET: нужна случайная строка не короче "
                f"{_SHORTEST_SECRET} знаков, одна и та же у всех процессов шлюза."
            )
        derived = HKDF(hashes.SHA256(), 32, salt=None, info=b"opora gateway seal").derive(
            secret.encode()
        )
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def close(self, content: bytes) -> bytes:
        """Return the sealed content."""
        return self._fernet.encrypt(content)

    def open(self, sealed: bytes) -> bytes:
        """Return the content; fails loudly when another secret sealed it."""
        return self._fernet.decrypt(sealed)
