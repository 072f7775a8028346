"""Closed lists of words about the territory, in the API and in the database alike."""

from enum import StrEnum

__all__ = ["MunicipalityKind"]


class MunicipalityKind(StrEnum):
    """Kind of a municipality. Source: methodology A14 (район, округ, город)."""

    DISTRICT = "district"
    OKRUG = "okrug"
    CITY = "city"
