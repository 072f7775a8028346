"""One-time and recovery codes: made, and compared in constant time."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime

import pyotp

__all__ = [
    "accepted_step",
    "digest",
    "fresh_recovery_codes",
    "fresh_secret",
    "is_one_time",
    "uri",
    "written",
]

_STEP_SECONDS = 30
_STEPS_APART = 1
"""How far the clock of the telephone may be from ours. Source: RFC 6238, 5.2."""
_RECOVERY_CODES = 10
_RECOVERY_BYTES = 10


def fresh_secret() -> str:
    """Return a secret for an app, 160 bits in base32. Source: RFC 4226, 4, R6."""
    return pyotp.random_base32(32)


def uri(secret: str, login: str) -> str:
    """Return what the app scans as a QR code."""
    made: str = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="Опора")
    return made


def accepted_step(secret: str, code: str, *, at: datetime, after: int | None) -> int | None:
    """Return the step whose code this is; None when it is nobody's or was accepted before.

    Every candidate is compared, whichever matches, so that time tells nothing.
    """
    totp = pyotp.TOTP(secret)
    now = int(at.timestamp()) // _STEP_SECONDS
    matched = None
    for step in range(now - _STEPS_APART, now + _STEPS_APART + 1):
        is_same = hmac.compare_digest(totp.at(step * _STEP_SECONDS).encode(), code.encode())
        if is_same and (after is None or step > after):
            matched = step
    return matched


def written(code: str) -> str:
    """Return a code as it is compared, however it was typed."""
    return re.sub(r"[\s-]", "", code).upper()


def is_one_time(code: str) -> bool:
    """Tell a code of the app from a recovery code."""
    return re.fullmatch(r"[0-9]{6}", code) is not None


def fresh_recovery_codes() -> list[str]:
    """Return ten codes like `ABCD-EFGH-2345-6723`, 80 bits each."""
    return [_spaced(base64.b32encode(one).decode()) for one in _random()]


def digest(code: str) -> bytes:
    """Return what is kept of a recovery code."""
    return hashlib.sha256(written(code).encode()).digest()


def _random() -> Iterable[bytes]:
    return (secrets.token_bytes(_RECOVERY_BYTES) for _ in range(_RECOVERY_CODES))


def _spaced(code: str) -> str:
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))
