"""The columns of a file of profiles: the school's code, and an attribute each for the others.

The attributes are the region's data, so the layout is made for it; the stamp names the version of the
form (what a cell may hold), not of the list of attributes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.indicators.profiles.cells import Kind
from services.indicators.profiles.tables import ProfileAttribute

__all__ = ["CODE", "NAME", "STAMP", "TEMPLATE", "Asked", "Layout", "layout_of", "normal"]

TEMPLATE = ("opora-profiles", 1)
STAMP = f"# {TEMPLATE[0]}/{TEMPLATE[1]}"
CODE = "Код ОО"
NAME = "Наименование"
_CODES = frozenset({"код оо", "код школы", "code", "schoolcode", "school_code"})
_NAMES = frozenset({"наименование", "название оо", "name", "schoolname", "школа"})


@dataclass(frozen=True)
class Asked:
    """An attribute as a column."""

    code: str
    title: str
    kind: Kind
    unit: str
    is_about_pupils: bool


@dataclass(frozen=True)
class Layout:
    """The columns that a file of the region may have."""

    attributes: tuple[Asked, ...]
    by_heading: Mapping[str, Asked]

    def is_heading(self, cell: str) -> bool:
        """Say whether a cell names a column that is known."""
        return self.is_code(cell) or self.is_name(cell) or normal(cell) in self.by_heading

    def is_code(self, cell: str) -> bool:
        """Say whether a cell names the column of school codes."""
        return normal(cell) in _CODES

    def is_name(self, cell: str) -> bool:
        """Say whether a cell names the column of school names, which is only for people."""
        return normal(cell) in _NAMES


def layout_of(attributes: Iterable[ProfileAttribute]) -> Layout:
    """Make the layout of what the region still asks; a column is named by code or by title."""
    asked = tuple(
        Asked(each.code, each.title, Kind(each.kind), each.unit, each.is_about_pupils)
        for each in attributes
        if not each.is_retired
    )
    by_title = {normal(each.title): each for each in asked}
    # Two attributes may share a title; their codes never meet.
    return Layout(asked, by_title | {normal(each.code): each for each in asked})


def normal(text: str) -> str:
    """Return words as they are compared: no case, no ё, single spaces."""
    return " ".join(text.lower().replace("ё", "е").replace("\u00a0", " ").split())
