"""Cutting delimited text into records without parsing it.

A record of a wrong number of fields would shift its neighbours' meaning, so it is cut out before
the parser sees the block; the parser then always meets regular records.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.indicators.results.intake.refusals import Refusal

_NEWLINE, _QUOTE = ord("\n"), ord('"')


@dataclass(frozen=True)
class Records:
    """A block's regular records as text, and the ordinals (from 0) of all kinds of records."""

    text: bytes
    regular: npt.NDArray[np.int64]
    empty: npt.NDArray[np.int64]
    misshapen: npt.NDArray[np.int64]
    count: int


def complete(block: bytes) -> int:
    """Find the length of the part that ends with a whole record; 0 when there is none yet."""
    end = block.rfind(b"\n")
    if end < 0 or block.count(b'"', 0, end) % 2 == 0:
        return end + 1
    outside = np.flatnonzero(_outside(np.frombuffer(block, np.uint8), _NEWLINE))
    return int(outside[-1]) + 1 if len(outside) else 0


def split(block: bytes, delimiter: int, fields: int) -> Records:
    """Sort the records of a block that ends with a newline by their number of fields."""
    octets = np.frombuffer(block, np.uint8)
    if b'"' in block:
        marks = np.flatnonzero(_outside(octets, delimiter) | _outside(octets, _NEWLINE))
    else:
        marks = np.flatnonzero((octets == delimiter) | (octets == _NEWLINE))
    ends = np.flatnonzero(octets[marks] == _NEWLINE)
    found = np.diff(ends, prepend=-1)
    stops = marks[ends] + 1
    starts = np.concatenate(([0], stops[:-1]))
    lengths = stops - starts
    empty = lengths <= 1
    misshapen = (found != fields) & ~empty
    count = len(ends)
    if not (empty.any() or misshapen.any()):
        return Records(block, np.arange(count), _NONE, _NONE, count)
    good = ~(empty | misshapen)
    text = b"".join(block[starts[i] : stops[i]] for i in np.flatnonzero(good))
    return Records(
        text, np.flatnonzero(good), np.flatnonzero(empty), np.flatnonzero(misshapen), count
    )


def unclosed_quote(text: bytes) -> int | None:
    """Find the line (from 0) where a quote opens that never closes."""
    if text.count(b'"') % 2 == 0:
        return None
    return text.count(b"\n", 0, text.rfind(b'"'))


def refuse_long(limit: int, row: int) -> Refusal:
    """Tell that a record does not end within reason."""
    return Refusal(
        "record-too-long",
        f"Строка {row} не заканчивается на протяжении {limit // (1024 * 1024)} МБ: "
        "вероятно, кавычка не закрыта.",
        "Найдите в этой строке лишнюю кавычку или выгрузите файл заново.",
        {"row": row},
    )


_NONE = np.empty(0, np.int64)


def _outside(octets: npt.NDArray[np.uint8], wanted: int) -> npt.NDArray[np.bool_]:
    """Mark the wanted octets that stand outside quotes."""
    inside = np.bitwise_xor.accumulate((octets == _QUOTE).view(np.uint8)).view(np.bool_)
    outside: npt.NDArray[np.bool_] = (octets == wanted) & ~inside
    return outside
