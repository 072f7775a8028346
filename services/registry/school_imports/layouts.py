"""The layout of a table of schools, as data: columns, their names, what their words mean."""

import json
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict

__all__ = ["Column", "Layout", "layout", "normal"]


class Column(BaseModel):
    """A column that a file may have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: str
    required: bool
    title: str
    aliases: tuple[str, ...]
    help: str
    example: str


class Layout(BaseModel):
    """A kind of table: its columns and the version of its template."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    title: str
    template_version: int
    columns: tuple[Column, ...]
    values: dict[str, dict[str, str | bool]]

    @property
    def stamp(self) -> str:
        """Return the line by which a template says its version."""
        return f"# {self.code}/{self.template_version}"

    def column_named(self, heading: str) -> Column | None:
        """Return the column that a heading of a file means; None when it is not ours."""
        return _by_heading(self).get(normal(heading))


def normal(text: str) -> str:
    """Return words as they are compared: no case, no ё, single spaces."""
    return " ".join(text.lower().replace("ё", "е").replace("\u00a0", " ").split())


@cache
def layout() -> Layout:
    """Return the shipped layout of schools."""
    source = resources.files("services.registry.data") / "layouts" / "opora-schools.json"
    return Layout.model_validate(json.loads(source.read_text(encoding="utf-8")))


def _by_heading(of: Layout) -> dict[str, Column]:
    return {
        normal(heading): column
        for column in of.columns
        for heading in (column.title, *column.aliases)
    }
