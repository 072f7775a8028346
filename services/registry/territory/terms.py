"""Closed lists of words about the territory, in the API and in the database alike."""

from services.kit.words import Word

__all__ = ["MunicipalityKind"]


class MunicipalityKind(Word):
    """Kind of a municipality. Source: methodology A14 (район, округ, город)."""

    DISTRICT = "district", "муниципальный район"
    OKRUG = "okrug", "муниципальный или городской округ"
    CITY = "city", "город"
