"""The frozen inputs of a run: everything its answers follow from, and nothing else.

`freezing.freeze` reads the live rows once and writes them beside the run; `frozen` reads the written
rows back and gives the same. Whatever answers a question about a run (the run itself, its
verification, a what-if, the sandbox of an appeal) takes `Inputs` and gives them to
`evaluation.evaluate`.

Source: design 6, identification is a run: frozen inputs with a hash.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from services.indicators.algebra.rules import Integers
from services.indicators.algebra.values import Value
from services.indicators.identification.freezing.considered import FrozenProcedure
from services.indicators.identification.freezing.corrections import Correction

__all__ = [
    "AttributeColumn",
    "FrozenCells",
    "FrozenSign",
    "Inputs",
    "SchoolFacts",
    "TornInputsError",
    "in_order",
]


class TornInputsError(LookupError):
    """Frozen rows of a run do not belong together: somebody has added or removed some."""


@dataclass(frozen=True, slots=True)
class SchoolFacts:
    """What a run knows of a school beside results: its card on the day of the run."""

    school_id: int
    municipality_id: int
    code: str
    name: str
    municipality_name: str
    kind: str | None
    stages: tuple[str, ...] | None
    adverse_conditions: bool | None
    """None: nobody has said anything, which is not "no"."""
    adverse_reason: str | None
    adverse_source: str | None


@dataclass(frozen=True, slots=True)
class FrozenCells:
    """One entry per school and procedure with participants, by school, then procedure.

    ``school`` and ``procedure`` are positions in the schools and procedures of the inputs; ``n`` are
    participants (people), ``low`` those below Bmin in at least one mass subject, ``failed`` those
    below the minimum in one. None: the run is of before the number was kept.
    """

    school: Integers
    procedure: Integers
    n: Integers
    low: Integers | None
    failed: Integers | None

    def below(self, based_on: str) -> Integers:
        """Give the people low by the bound ``based_on``: "minimum" or "bmin".

        Raises:
            LookupError: The run did not keep this number.
        """
        found = self.failed if based_on == "minimum" else self.low
        if found is None:
            raise LookupError(based_on)
        return found


@dataclass(frozen=True, slots=True)
class AttributeColumn:
    """An attribute of the school-year profile: a value and its source for each school."""

    values: tuple[Value, ...]
    sources: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class FrozenSign:
    """A sign of biased results; ``school`` is a position, ``procedure`` what names it."""

    id: int
    school: int
    year: int
    detector: str
    procedure_id: int | None
    procedure: str | None
    subject: str | None

    @property
    def natural_key(self) -> tuple[int, int, str, str, str]:
        """What names the sign whatever its id; also the order of signs."""
        return self.school, self.year, self.detector, self.procedure or "", self.subject or ""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything the answers of a run follow from, beside the methodology.

    ``schools`` are by code, ``procedures`` by year, kind, grade and title: the order of ids, of rows
    and of the database's locale changes nothing.
    """

    year: int
    procedures: tuple[FrozenProcedure, ...]
    schools: tuple[SchoolFacts, ...]
    cells: FrozenCells
    attributes: Mapping[str, AttributeColumn]
    """By the code of the attribute: those that the methodology asks for."""
    signs: tuple[FrozenSign, ...]
    asked_years: tuple[frozenset[int], ...]
    """Per school: years in which signs were looked for; silence in others is not "none"."""
    corrections: tuple[Correction, ...]
    """Already laid over ``cells``."""

    @property
    def places(self) -> dict[int, int]:
        """Where each school stands: its id -> its position."""
        return {school.school_id: place for place, school in enumerate(self.schools)}


def in_order(
    school_id: Integers,
    procedure_id: Integers,
    counts: Iterable[Integers],
    *,
    schools: Iterable[SchoolFacts],
    procedures: Iterable[FrozenProcedure],
) -> list[Integers]:
    """Number schools and procedures by their places, and sort: ids give no order.

    Returns:
        Positions of schools, positions of procedures, then the counts, all by school and procedure.

    Raises:
        TornInputsError: A cell is of a school or a procedure that is not among these.
    """
    school = _places([known.school_id for known in schools], school_id)
    procedure = _places([known.procedure_id for known in procedures], procedure_id)
    order = np.lexsort((procedure, school))
    return [column[order] for column in (school, procedure, *counts)]


def _places(ids: list[int], wanted: Integers) -> Integers:
    known = np.array(ids, dtype=np.int64)
    by_id = np.argsort(known)
    ordered = known[by_id]
    found = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    if len(wanted) and (not len(ordered) or (ordered[found] != wanted).any()):
        raise TornInputsError("Cells name a school or a procedure that the run does not know")
    return by_id[found]
