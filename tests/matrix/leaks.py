"""What an answer gives away: canary texts and ids of places that the caller must not see."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx

from services.kit.database import Depth
from tests.matrix.territory import Asking, Territory

# Keys that hold the number of a place in every contract of ours.
_NODES = {
    "region_id": Depth.REGION_OPEN,
    "municipality_id": Depth.MUNICIPALITY,
    "school_id": Depth.SCHOOL,
}


def leaks(answer: httpx.Response, asking: Asking, territory: Territory) -> list[str]:
    """Return everything in the answer that exists for others only, in words."""
    if not answer.content:
        return []
    text = text_of(answer)
    found = [
        f"{mark} stands in the answer"
        for mark, (depth, place) in territory.canaries.items()
        if mark in text and not asking.sees(depth, place)
    ]
    if "json" in answer.headers.get("content-type", "") and answer.status_code < 400:
        found += _foreign_ids(json.loads(answer.content), asking, territory)
    return found


def text_of(answer: httpx.Response) -> str:
    """Return the text of an answer; of a workbook, the text of its parts."""
    if answer.content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(answer.content)) as parts:
            return "\n".join(parts.read(name).decode(errors="replace") for name in parts.namelist())
    if "json" in answer.headers.get("content-type", ""):
        return json.dumps(json.loads(answer.content), ensure_ascii=False)
    return answer.content.decode(errors="replace")


def _foreign_ids(content: Any, asking: Asking, territory: Territory) -> list[str]:
    found = []
    for key, value in _pairs(content):
        depth = _NODES.get(key)
        if depth is None or not isinstance(value, int):
            continue
        at = [place for place in territory.places.values() if getattr(place, key) == value]
        # Numbers that are none of ours belong to other tests' regions.
        if key != "region_id" and value in asking.remembers:
            continue
        if not at or not any(asking.sees(depth, place) for place in at):
            found.append(f"{key} {value} stands in the answer")
    return found


def _pairs(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield key, value
            yield from _pairs(value)
    elif isinstance(node, list):
        for value in node:
            yield from _pairs(value)
