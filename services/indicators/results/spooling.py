"""Holding a body in anonymous memory while it is compared with what was imported before.

Used only when its length equals that of a known file: then it is most likely the same one, and its
hash answers before anything is read from it. Nothing is written to a disk.
"""

import hashlib
import os
from collections.abc import AsyncIterator
from typing import Self

__all__ = ["LARGEST", "Spool"]

LARGEST = 128 * 1024 * 1024
"""A longer body is read at once: recognising it is not worth the memory."""
_PIECE = 256 * 1024


class Spool:
    """A body in memory; use as a context manager, which frees it."""

    def __init__(self) -> None:
        self._descriptor = os.memfd_create("upload")
        self._digest = hashlib.sha256()

    async def take(self, body: AsyncIterator[bytes]) -> str:
        """Hold the body to its end or to the limit; gives the SHA-256 of what is held."""
        held = 0
        async for piece in body:
            view = memoryview(piece)
            self._digest.update(view)
            while view:
                view = view[os.write(self._descriptor, view) :]
            held += len(piece)
            if held > LARGEST:
                break
        return self._digest.hexdigest()

    async def replay(self, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Give what is held, then what the body still has."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        while piece := os.read(self._descriptor, _PIECE):
            yield piece
        async for piece in rest:
            yield piece

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
