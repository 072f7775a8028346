"""How the child and the web process talk: kind (1 byte), length (8 bytes), payload."""

import asyncio
import json
import struct
from dataclasses import dataclass
from enum import Enum
from typing import Any, BinaryIO

_HEAD = struct.Struct(">cQ")
_LARGEST = 256 * 1024 * 1024


class Kind(Enum):
    """What a frame carries."""

    HEADER = b"H"
    """JSON: what the child recognised (encoding, delimiter, columns, sheet)."""
    ROWS = b"R"
    """Arrow IPC stream file: one batch of sanitised rows."""
    FAULTS = b"F"
    """Arrow IPC: cells that cannot be read (row_no, rule, column, sample)."""
    REFUSAL = b"E"
    """JSON: the file as a whole cannot be taken; nothing follows."""
    DONE = b"D"
    """JSON: counts of the entire file; the last frame."""


@dataclass(frozen=True)
class Frame:
    """One message of the child."""

    kind: Kind
    payload: bytes

    def json(self) -> dict[str, Any]:
        """Read the payload of a HEADER, REFUSAL or DONE frame."""
        document: dict[str, Any] = json.loads(self.payload)
        return document


def write(out: BinaryIO, kind: Kind, payload: bytes | memoryview) -> None:
    """Send one frame."""
    out.write(_HEAD.pack(kind.value, len(payload)))
    out.write(payload)


def write_json(out: BinaryIO, kind: Kind, document: dict[str, Any]) -> None:
    """Send one frame of JSON at once, so that the reader sees it without waiting for a buffer."""
    write(out, kind, json.dumps(document, ensure_ascii=False).encode())
    out.flush()


async def read(stream: asyncio.StreamReader) -> Frame | None:
    """Read the next frame; `None` when the child has closed its side.

    Raises:
        asyncio.IncompleteReadError: the child died in the middle of a frame.
    """
    try:
        head = await stream.readexactly(_HEAD.size)
    except asyncio.IncompleteReadError as ended:
        if ended.partial:
            raise
        return None
    kind, length = _HEAD.unpack(head)
    if length > _LARGEST:
        message = "a frame larger than any batch"
        raise ValueError(message)
    return Frame(Kind(kind), await stream.readexactly(length))
