"""How long the caller of this request still waits: asked by whoever would make it wait longer.

The gateway says it in a header, in milliseconds from now, because clocks of machines differ; a
service tells its neighbours what is left of it. Work outside of a request has no budget.
"""

import time
from contextvars import ContextVar
from typing import Final

__all__ = ["HEADER", "begin_budget", "left_seconds"]

HEADER: Final = "x-opora-budget-ms"

_LONGEST_MS: Final = 3_600_000
_ENDS_AT: ContextVar[float | None] = ContextVar("budget_ends_at", default=None)


def begin_budget(offered: str | None) -> None:
    """Take what the header says; anything but a sensible number is no budget at all.

    It only ever shortens a wait, so a caller that invents one harms itself alone.
    """
    is_number = offered is not None and offered.isascii() and offered.isdecimal()
    milliseconds = int(offered[:10]) if offered is not None and is_number else None
    if milliseconds is None or milliseconds > _LONGEST_MS:
        _ENDS_AT.set(None)
    else:
        _ENDS_AT.set(time.monotonic() + milliseconds / 1e3)


def left_seconds() -> float | None:
    """Return the seconds left, perhaps none or less; None outside of a request with a budget."""
    ends_at = _ENDS_AT.get()
    return None if ends_at is None else ends_at - time.monotonic()
