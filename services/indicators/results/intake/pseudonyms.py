"""Keyed pseudonyms: the participant's code goes in, sixteen bytes come out, nothing leads back."""

import hashlib
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
import polars as pl


class Purpose(Enum):
    """What a pseudonym is for; the same code gives unlinkable pseudonyms for two purposes."""

    RESULT = b"opora-result"
    """A participant's results, within one region."""
    JOIN = b"opora-join"
    """A row's key that only joins the tables of one import."""


@dataclass(frozen=True)
class Pseudonyms:
    """Make pseudonyms with one key; `scope` is mixed in, so equal codes of two regions differ."""

    key: bytes
    scope: str

    def of(self, codes: list[str], purpose: Purpose) -> npt.NDArray[np.uint64]:
        """Give one row of two numbers (high, low) per code."""
        start = hashlib.blake2b(
            self.scope.encode() + b"\0", digest_size=16, key=self.key, person=purpose.value
        )
        digests = bytearray()
        for code in codes:
            one = start.copy()
            one.update(code.encode())
            digests += one.digest()
        return np.frombuffer(bytes(digests), dtype=">u8").astype(np.uint64).reshape(-1, 2)


def codes(texts: list[str]) -> list[str]:
    """Write participants' codes the same way everywhere: case, braces, lost zeros do not matter."""
    words = pl.Series(texts, dtype=pl.String).str.strip_chars("{} ").str.to_uppercase()
    numbers = words.str.strip_chars_start("0")
    is_number = words.str.contains(r"^[0-9]*[1-9][0-9]*$")
    written: list[str] = numbers.zip_with(is_number, words).to_list()
    return written
