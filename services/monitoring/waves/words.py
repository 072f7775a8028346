"""The words a wave is told by: its kinds and its states."""

from services.kit.words import Word

__all__ = ["WaveKind", "WaveState"]


class WaveKind(Word):
    """Which round of the year it is."""

    ENTRY = "entry", "входной мониторинг"
    INTERIM = "interim", "промежуточный мониторинг"
    FINAL = "final", "итоговый мониторинг"


class WaveState(Word):
    """Where the wave is in its life."""

    PLANNED = "planned", "запланирована, сроки и состав можно менять"
    OPEN = "open", "идёт"
    CLOSED = "closed", "завершена"
