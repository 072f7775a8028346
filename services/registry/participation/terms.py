"""Closed lists of words about participation, in the API and in the database alike."""

from enum import StrEnum

__all__ = ["Source"]


class Source(StrEnum):
    """On what ground a school takes part."""

    IDENTIFICATION = "identification"  # a published identification run
    ORDER = "order"
    MANUAL = "manual"
