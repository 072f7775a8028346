"""Layouts of result files: which columns a table has, by which names, and how each is read.

The layouts are data (`services/indicators/data/layouts`); this module only gives them a type.
Plain dataclasses, because the intake child reads them too and starts faster without pydantic.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from services.kit.words import Word


class LayoutCode(Word):
    """The kinds of files Opora reads."""

    OPORA_RESULTS = "opora-results", "шаблон Опоры, CSV или XLSX"
    RIS_GIA = "ris-gia", "таблицы РИС ГИА, четыре файла"
    VPR_F1 = "vpr-f1", "форма Ф1 ВПР из ФИС ОКО, файл на предмет"


CellKind = Literal[
    "school",
    "pseudonym",
    "key",
    "subject",
    "integer",
    "score",
    "label",
    "status",
    "date",
    "journal",
]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column that is read; every column not named by the layout is dropped."""

    name: str
    kind: CellKind
    title: str
    aliases: tuple[str, ...]
    required: bool
    help: str
    example: str
    scope: Literal["region", "school"] = "region"
    """Where a participant's code is unique: the pseudonym is made inside this scope."""
    values: tuple[tuple[str, int], ...] = ()
    """Words of a status column."""
    status_values: tuple[tuple[str, int], ...] = ()
    """Words of another column that speak of the status (ВПР writes absence as the variant)."""
    missing: tuple[str, ...] = ()
    """Words that mean an empty cell."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One file of a layout."""

    name: str
    title: str
    columns: tuple[Column, ...]
    sheet: str | None = None
    """Part of the sheet's name in a workbook; otherwise every sheet that has the header."""
    subject_from_title: bool = False
    """Subject, grade and year stand in a title cell; lines that only name a school are headings."""


@dataclass(frozen=True, kw_only=True)
class OlderHeader:
    """A header that an earlier version of the template had."""

    version: int
    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One kind of upload: its tables and the version of its template."""

    code: LayoutCode
    title: str
    source: str
    template_version: int | None
    older_headers: tuple[OlderHeader, ...]
    results_table: str
    tables: tuple[Table, ...]

    def table(self, name: str) -> Table | None:
        """Find a table by name."""
        return next((table for table in self.tables if table.name == name), None)


@cache
def layout(code: LayoutCode) -> Layout:
    """Read a shipped layout."""
    text = (files("services.indicators.data") / "layouts" / f"{code}.json").read_text("utf-8")
    document = _frozen(json.loads(text))
    document["code"] = LayoutCode(document["code"])
    document["older_headers"] = tuple(OlderHeader(**entry) for entry in document["older_headers"])
    document["tables"] = tuple(
        Table(**{**entry, "columns": tuple(_column(column) for column in entry["columns"])})
        for entry in document["tables"]
    )
    return Layout(**document)


def _column(document: dict[str, Any]) -> Column:
    words = {name: tuple(document.pop(name, {}).items()) for name in ("values", "status_values")}
    return Column(**(document | words))


def _frozen(value: Any) -> Any:
    """Turn the lists of a JSON document into tuples."""
    if isinstance(value, list):
        return tuple(_frozen(entry) for entry in value)
    if isinstance(value, dict):
        return {name: _frozen(entry) for name, entry in value.items()}
    return value
