"""Files that do not change while the process lives, answered with validators and packed beforehand."""

import gzip
import hashlib
from dataclasses import dataclass

from fastapi import Request, Response

__all__ = ["Stored", "answer"]


@dataclass(frozen=True)
class Stored:
    """A file in memory: as it is, packed, and the mark of its content."""

    media_type: str
    content: bytes
    packed: bytes
    mark: str

    @classmethod
    def of(cls, content: bytes, media_type: str) -> "Stored":
        """Keep this content."""
        mark = hashlib.sha256(content).hexdigest()[:32]
        return cls(media_type, content, gzip.compress(content, 9, mtime=0), mark)


def answer(request: Request, stored: Stored, headers: dict[str, str]) -> Response:
    """Answer with the file, packed for who takes that, or with 304 for who has it."""
    takes = request.headers.get("accept-encoding", "")
    is_packed = _takes_gzip(takes) and len(stored.packed) < len(stored.content)
    # Two strings of bytes are two representations: each has a strong tag of its own.
    tags = {False: f'"{stored.mark}"', True: f'"{stored.mark}-gzip"'}
    headers = headers | {"ETag": tags[is_packed], "Vary": "Accept-Encoding"}
    known = {
        one.strip().removeprefix("W/")
        for one in request.headers.get("if-none-match", "").split(",")
    }
    if known & {"*", *tags.values()}:
        return Response(status_code=304, headers=headers)
    if is_packed:
        headers["Content-Encoding"] = "gzip"
    content = stored.packed if is_packed else stored.content
    return Response(content, media_type=stored.media_type, headers=headers)


def _takes_gzip(accepted: str) -> bool:
    for one in accepted.split(","):
        coding, _, weight = one.strip().partition(";")
        if coding.strip().lower() in {"gzip", "*"}:
            return weight.replace(" ", "").lower() not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
