"""What of a region a document is held against: procedures, attributes, other versions."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["KnownProcedure", "KnownVersion", "Surroundings"]


@dataclass(frozen=True, slots=True)
class KnownProcedure:
    """A procedure of the region, with its permissions as they are stored."""

    procedure_id: int
    kind: str
    grade: int
    year: int
    title: str
    subjects: frozenset[str]
    has_results: bool
    permitted_uses: Sequence[dict[str, Any]] = ()

    def permits(self, use: str, *, since: dt.date, until: dt.date | None) -> bool:
        """Say whether one of its permissions reaches into the period."""
        begins, ends = since.isoformat(), (until or dt.date.max).isoformat()
        return any(
            entry.get("use") == use
            and (entry.get("from") is None or entry["from"] <= ends)
            and (entry.get("to") is None or begins <= entry["to"])
            for entry in self.permitted_uses
        )


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """Another version of the same code, with the days it is really in force."""

    version_id: int
    number: int
    in_force_from: dt.date
    in_force_to: dt.date | None
    operator: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A region as a document finds it; the empty one knows nothing and so complains of nothing."""

    today: dt.date | None = None
    procedures: Sequence[KnownProcedure] = ()
    attributes: frozenset[str] = frozenset()
    standard_attributes: frozenset[str] = frozenset()
    versions: Sequence[KnownVersion] = ()
    replaces: int | None = None
    is_known: bool = False
