"""Which procedures are the same one, repeated from year to year.

Small groups are added up over the years of a series. Where the scales of the mass subjects changed
between two years (other subjects, another minimum, another maximum), being low does not mean the same
in both: the procedure starts a new series and the years are not added up. Rules that look at several
years are not concerned: they ask of each year by itself whether it was low by that year's scale.

Source: methodology B1 (Bmin and Bmid belong to a scale), B5 (pooling of 2 to 3 years); that years with
different scales are not added up is a decision of Opora (0027).
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

__all__ = ["HasScales", "changed_scales", "series_of"]


class HasScales(Protocol):
    """A procedure with the scales of its subjects, frozen or of a run."""

    @property
    def procedure_id(self) -> int:
        """Its id."""

    @property
    def kind(self) -> str:
        """Its kind."""

    @property
    def grade(self) -> int:
        """Its grade."""

    @property
    def year(self) -> int:
        """Its year."""

    @property
    def scales(self) -> list[dict[str, Any]]:
        """Scales as a run freezes them: subject, minimum, maximum, is_mass, ..."""


def series_of(procedures: Iterable[HasScales]) -> dict[int, int]:
    """Number the series: procedure id -> number, by kind, grade and scales."""
    known = list(procedures)
    keys = {procedure.procedure_id: _key(procedure) for procedure in known}
    numbers = {key: number for number, key in enumerate(sorted(set(keys.values())))}
    return {procedure_id: numbers[key] for procedure_id, key in keys.items()}


def changed_scales(procedures: Iterable[HasScales]) -> list[tuple[str, int, list[int]]]:
    """List the kinds and grades whose scales differ between years: kind, grade, years.

    Years are those of the procedures with that kind and grade, oldest first.
    """
    by_name: dict[tuple[str, int], dict[_Key, set[int]]] = {}
    for procedure in procedures:
        named = by_name.setdefault((procedure.kind, procedure.grade), {})
        named.setdefault(_key(procedure), set()).add(procedure.year)
    return [
        (kind, grade, sorted(set().union(*by_scales.values())))
        for (kind, grade), by_scales in sorted(by_name.items())
        if len(by_scales) > 1
    ]


_Key = tuple[str, int, tuple[tuple[str, str, str], ...]]


def _key(procedure: HasScales) -> _Key:
    mass: Sequence[dict[str, Any]] = [s for s in procedure.scales if s["is_mass"]]
    scales = sorted((s["subject"], s["minimum"], s["maximum"]) for s in mass)
    return procedure.kind, procedure.grade, tuple(scales)
