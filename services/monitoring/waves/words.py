"""The words a wave is told by: its kinds and its states."""

from enum import StrEnum

__all__ = ["WaveKind", "WaveState"]


class WaveKind(StrEnum):
    """Which round of the year it is."""

    ENTRY = "entry"  # входной
    INTERIM = "interim"  # промежуточный
    FINAL = "final"  # итоговый


class WaveState(StrEnum):
    """Where the wave is in its life."""

    PLANNED = "planned"
    OPEN = "open"
    CLOSED = "closed"
