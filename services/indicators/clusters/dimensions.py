"""The dimensions of clusters: which value a school has in each, and how it is called."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.indicators.algebra.categories import Flag
from services.indicators.clusters.schemas import Dimension
from services.indicators.methodologies.document import Methodology

__all__ = ["REASONS", "KnownSchool", "Sizes", "title_of", "value_of"]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Where the sizes begin: below ``small_below``, up to ``small_to`` pupils, more.

    Source: methodology A4 (5): below 40, up to 100 "малочисленная" (Vologda).
    """

    small_below: int
    small_to: int


@dataclass(frozen=True, slots=True)
class KnownSchool:
    """What the dimensions ask of a school."""

    is_rural: bool | None
    is_small: bool | None
    municipality_kind: str | None
    pupils: Decimal | None
    is_concerned: bool
    """Whether the methodology asks anything of the school at all."""
    flags: int
    unknown_flags: int


REASONS = {
    Dimension.SETTLEMENT: "не известно, сельская школа или городская",
    Dimension.MUNICIPALITY_KIND: "не известен вид муниципалитета",
    Dimension.RISK_PROFILE: "методика не касается школ этого вида",
    Dimension.COMPLETENESS: "не известно ни число учеников, ни отметка о малокомплектности",
}
_MUNICIPALITIES = {
    "district": "муниципальный район",
    "okrug": "муниципальный или городской округ",
    "city": "город",
}


def value_of(dimension: Dimension, school: KnownSchool, sizes: Sizes) -> str | None:
    """Give the code of a school's value in a dimension; None where it is not known."""
    match dimension:
        case Dimension.SETTLEMENT:
            return None if school.is_rural is None else "rural" if school.is_rural else "urban"
        case Dimension.MUNICIPALITY_KIND:
            return school.municipality_kind
        case Dimension.RISK_PROFILE:
            return _profile(school) if school.is_concerned else None
        case Dimension.COMPLETENESS:
            return _size(school, sizes)


def _profile(school: KnownSchool) -> str:
    """Name the flags that are there, then those that could not be answered: unknown is not "no"."""
    there = [flag.code for flag in Flag if school.flags & flag]
    unknown = [f"unknown_{flag.code}" for flag in Flag if school.unknown_flags & flag]
    return "-".join(there + unknown) or "none"


def _size(school: KnownSchool, sizes: Sizes) -> str | None:
    if school.pupils is None:
        return "small_by_card" if school.is_small else None
    if school.pupils < sizes.small_below:
        return "smallest"
    return "small" if school.pupils <= sizes.small_to else "usual"


def title_of(dimension: Dimension, value: str, sizes: Sizes, methodology: Methodology) -> str:
    """Give a value in Russian."""
    match dimension:
        case Dimension.SETTLEMENT:
            return "село" if value == "rural" else "город"
        case Dimension.MUNICIPALITY_KIND:
            return _MUNICIPALITIES.get(value, value)
        case Dimension.RISK_PROFILE:
            return _profile_title(value.split("-"), methodology)
        case Dimension.COMPLETENESS:
            return {
                "smallest": f"меньше {sizes.small_below} учеников",
                "small": f"от {sizes.small_below} до {sizes.small_to} учеников",
                "usual": f"больше {sizes.small_to} учеников",
                "small_by_card": "малокомплектная по карточке, число учеников не известно",
            }[value]


def _profile_title(codes: Sequence[str], methodology: Methodology) -> str:
    titles: dict[str, str] = {flag.code: flag.title for flag in methodology.flags}
    told = [titles.get(code, code) for code in codes if code in titles]
    unknown = [
        titles.get(code.removeprefix("unknown_"), code)
        for code in codes
        if code.startswith("unknown_")
    ]
    parts = [" и ".join(told)] if told else []
    if unknown:
        parts.append("не известно: " + ", ".join(unknown))
    return "; ".join(parts) or "без признаков"
