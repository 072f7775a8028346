"""Closed lists of words about participation, in the API and in the database alike."""

from services.kit.words import Word

__all__ = ["Source"]


class Source(Word):
    """On what ground a school takes part."""

    IDENTIFICATION = "identification", "опубликованный прогон выявления"
    ORDER = "order", "приказ"
    MANUAL = "manual", "внесено вручную"
