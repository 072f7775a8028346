"""Writing accepted rows in PostgreSQL's binary COPY format without touching them one by one.

Rows with the same gaps have the same width, so each such group is one structured array whose bytes
are the stream. A missing column is left out of the COPY and gets the staging table's default.

Source: PostgreSQL documentation, COPY, "Binary Format".
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.indicators.results.judging import Accepted, Nullable

__all__ = ["Group", "groups"]

HEADER = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
TRAILER = b"\xff\xff"
_EPOCH_2000 = 10_957
"""Days between 1970-01-01 and PostgreSQL's 2000-01-01."""

_TYPES = {
    "school_id": ">i8",
    "municipality_id": ">i8",
    "participant": ">u8",
    "row_no": ">i4",
    "source_version": ">i4",
    "score_milli": ">i4",
    "exam_date": ">i4",
    "variant": ">i4",
    "subject": ">i2",
    "status": ">i2",
    "sheet_no": ">i2",
    "mark": ">i2",
    "class_no": ">i2",
    "journal_mark": ">i2",
}
_NULLABLE = ("score_milli", "exam_date", "variant", "mark", "class_no", "journal_mark")
_DEFAULTS = {"source_version": 1, "status": 0, "sheet_no": 1}
"""Columns left out when all rows have this value: the staging table's defaults."""


@dataclass(frozen=True)
class Group:
    """Rows with the same columns."""

    columns: tuple[str, ...]
    rows: int
    body: bytes


def groups(accepted: Accepted) -> Iterator[Group]:
    """Encode rows as complete COPY streams, one per pattern of gaps."""
    count = len(accepted.row_no)
    if not count:
        return
    gaps = np.zeros(count, np.uint8)
    for bit, name in enumerate(_NULLABLE):
        column: Nullable = getattr(accepted, name)
        gaps |= (column.present.view(np.uint8) << bit).astype(np.uint8)
    for pattern in np.unique(gaps):
        kept = slice(None) if (gaps == pattern).all() else np.flatnonzero(gaps == pattern)
        present = {name for bit, name in enumerate(_NULLABLE) if pattern >> bit & 1}
        yield _encoded(accepted, kept, present)


def _encoded(accepted: Accepted, kept: slice | npt.NDArray[np.intp], present: set[str]) -> Group:
    values: dict[str, npt.NDArray[np.int64] | npt.NDArray[np.uint64]] = {}
    for name in _TYPES:
        column = getattr(accepted, name)
        if isinstance(column, Nullable):
            if name in present:
                values[name] = column.values[kept]
        else:
            plain = column[kept]
            if name not in _DEFAULTS or (plain != _DEFAULTS[name]).any():
                values[name] = plain
    if "exam_date" in values:
        values["exam_date"] = values["exam_date"].astype(np.int64) - _EPOCH_2000
    return Group(tuple(values), len(values["row_no"]), _stream(values))


def _stream(values: dict[str, npt.NDArray[np.int64] | npt.NDArray[np.uint64]]) -> bytes:
    layout: list[tuple[str, str] | tuple[str, str, tuple[int]]] = [("fields", ">i2")]
    for name in values:
        shape = (2,) if name == "participant" else ()
        layout.append((f"{name}_length", ">i4"))
        layout.append((name, _TYPES[name], shape) if shape else (name, _TYPES[name]))
    records = np.empty(len(values["row_no"]), np.dtype(layout))
    records["fields"] = len(values)
    for name, column in values.items():
        records[f"{name}_length"] = 16 if name == "participant" else records[name].itemsize
        records[name] = column
    return HEADER + records.tobytes() + TRAILER
