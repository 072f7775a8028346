"""The published scales, as the indicators service ships them: data that both may read."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["Procedure", "Subject", "published"]


@dataclass(frozen=True, slots=True)
class Procedure:
    """A procedure of one year: kind (vpr, oge, ege), grade, year in which the school year ends."""

    kind: str
    grade: int
    year: int

    @property
    def title(self) -> str:
        """Its name for a person."""
        words = {"vpr": f"ВПР, {self.grade} класс", "oge": "ОГЭ", "ege": "ЕГЭ"}
        return f"{words[self.kind]}, {self.year}"

    @property
    def name(self) -> str:
        """Its name in file names and keys."""
        return f"{self.kind}-{self.grade}-{self.year}"


@dataclass(frozen=True, slots=True)
class Subject:
    """The scale of a subject, in points."""

    code: str
    written: str
    """How a file names it: РИС ГИА's number."""
    minimum: int
    maximum: int
    top: int
    borders: tuple[int, ...]
    """First points of the marks 3, 4 and 5; empty where there are no marks."""
    is_mass: bool


@cache
def published(procedure: Procedure) -> tuple[Subject, ...]:
    """Return the published scales of a procedure.

    Raises:
        LookupError: None are published for this kind, grade and year.
    """
    table = files("services.indicators.data") / "scales.csv"
    rows = csv.DictReader(table.read_text(encoding="utf-8").splitlines())
    found = tuple(_subject(row) for row in rows if _fits(row, procedure))
    if not found:
        message = f"No published scales for {procedure.name}"
        raise LookupError(message)
    return found


def _fits(row: dict[str, str], procedure: Procedure) -> bool:
    return (
        row["kind"] == procedure.kind
        and int(row["grade"]) == procedure.grade
        and int(row["year_from"]) <= procedure.year <= int(row["year_to"])
    )


def _subject(row: dict[str, str]) -> Subject:
    return Subject(
        code=row["subject"],
        written=row["aliases"].split("|")[0],
        minimum=int(row["minimum"]),
        maximum=int(row["maximum"]),
        top=int(row["top"]),
        borders=tuple(int(border) for border in row["mark_borders"].split("|") if border),
        is_mass=row["is_mass"] == "true",
    )
