"""The inputs of two runs, taken in part from the one and in part from the other.

What two runs may differ by is parted into factors, and every single thing belongs to one of them:

- ``data``: the numbers of cells, with the year of the list when that differs;
- ``scale``: the cells of a procedure whose scales of mass subjects changed between the runs;
- ``rule``: the methodology, with the cells that only one of the two considers;
- ``school``: the cards of schools, and which schools there are;
- ``context``: the attributes of profiles;
- ``signs``: the signs of biased results.

A factor is taken as a whole, for all schools at once, because an answer may depend on other schools
(the lowest share of an index). A cell of a procedure with other scales cannot be told apart into old
results under new scales: that was never counted, so such a cell is one thing.

Source: decision 0030 ("data, rule or scale").
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from services.indicators.algebra.rules import Integers
from services.indicators.algebra.values import MISSING
from services.indicators.identification.freezing.considered import FrozenProcedure
from services.indicators.identification.freezing.inputs import AttributeColumn, FrozenCells, Inputs
from services.indicators.methodologies.document import Methodology

__all__ = ["FACTORS", "Mixture", "depends_on_others", "mass_scales", "narrowed", "of_schools"]

FACTORS = ("data", "scale", "rule", "school", "context", "signs")
"""In the order in which causes are told."""


def mass_scales(procedure: FrozenProcedure) -> tuple[tuple[Any, ...], ...]:
    """Give what decides who is low in a procedure: subjects, bounds, Bmin; in order of subjects."""
    return tuple(
        sorted(
            (s["subject"], s["minimum"], s["maximum"], s["bmin"])
            for s in procedure.scales
            if s["is_mass"]
        )
    )


@dataclass(frozen=True, slots=True)
class Mixture:
    """Two runs side by side: earlier and later inputs, and which factor each procedure belongs to."""

    earlier: Inputs
    later: Inputs
    factor_of: Mapping[int, str]
    """By procedure id: the factor that its cells belong to."""

    @classmethod
    def of(
        cls, earlier: Inputs, before: Methodology, later: Inputs, after: Methodology
    ) -> "Mixture":
        """Part the procedures of two runs by factors."""
        old = {p.procedure_id: p for p in earlier.procedures}
        new = {p.procedure_id: p for p in later.procedures}
        factors: dict[int, str] = {}
        for procedure_id in old.keys() | new.keys():
            here, there = old.get(procedure_id), new.get(procedure_id)
            if here is None or there is None:
                known = here or there
                asks, year = (after, later.year) if there is None else (before, earlier.year)
                other_year = earlier.year if there is None else later.year
                is_rule = known is not None and not _looks_at(asks, known, {year, other_year})
                factors[procedure_id] = "rule" if is_rule else "data"
            elif mass_scales(here) == mass_scales(there):
                factors[procedure_id] = "data"
            else:
                factors[procedure_id] = (
                    "scale" if _same_subjects_asked(before, after, here) else "rule"
                )
        return cls(earlier, later, factors)

    def inputs(self, taken: AbstractSet[str], procedures: AbstractSet[int] = frozenset()) -> Inputs:
        """Give inputs with these factors (and the cells of these procedures) as in the later run."""
        schools = (self.later if "school" in taken else self.earlier).schools
        is_new = {
            procedure_id: factor in taken or procedure_id in procedures
            for procedure_id, factor in self.factor_of.items()
        }
        of_context = self.later if "context" in taken else self.earlier
        of_signs = self.later if "signs" in taken else self.earlier
        places = {school.school_id: place for place, school in enumerate(schools)}
        frozen, cells = self._cells(is_new, places)
        old_places = _moved(of_context, places)
        return Inputs(
            year=(self.later if "data" in taken else self.earlier).year,
            procedures=frozen,
            schools=schools,
            cells=cells,
            attributes={
                code: _taken(column, old_places) for code, column in of_context.attributes.items()
            },
            signs=tuple(
                sorted(
                    (
                        replace(sign, school=places[school_id])
                        for sign in of_signs.signs
                        if (school_id := of_signs.schools[sign.school].school_id) in places
                    ),
                    key=lambda sign: sign.natural_key,
                )
            ),
            asked_years=tuple(
                frozenset() if place is None else of_signs.asked_years[place]
                for place in _moved(of_signs, places)
            ),
            corrections=self.later.corrections if "data" in taken else self.earlier.corrections,
        )

    def _cells(
        self, is_new: Mapping[int, bool], places: Mapping[int, int]
    ) -> tuple[tuple[FrozenProcedure, ...], FrozenCells]:
        kept = [p for p in self.earlier.procedures if not is_new[p.procedure_id]]
        kept += [p for p in self.later.procedures if is_new[p.procedure_id]]
        procedures = tuple(sorted(kept, key=lambda p: p.natural_key))
        columns = {p.procedure_id: place for place, p in enumerate(procedures)}
        parts = [
            _part(self.earlier, places, {k: v for k, v in columns.items() if not is_new[k]}),
            _part(self.later, places, {k: v for k, v in columns.items() if is_new[k]}),
        ]
        return procedures, _sorted(parts)


def narrowed(inputs: Inputs, methodology: Methodology) -> Inputs:
    """Leave out the procedures that the methodology does not consider, with their cells."""
    years = methodology.years(inputs.year)
    kept = [
        procedure
        for procedure in inputs.procedures
        if procedure.year in years and methodology.considered(procedure.kind, procedure.grade)
    ]
    if len(kept) == len(inputs.procedures):
        return inputs
    places = {school.school_id: place for place, school in enumerate(inputs.schools)}
    columns = {procedure.procedure_id: place for place, procedure in enumerate(kept)}
    return replace(inputs, procedures=tuple(kept), cells=_sorted([_part(inputs, places, columns)]))


def depends_on_others(methodology: Methodology) -> bool:
    """Whether the answer for a school may depend on other schools: through an index or a common prior."""
    return bool(methodology.indices) or methodology.certainty.shrinkage != "none"


def of_schools(inputs: Inputs, wanted: AbstractSet[int]) -> Inputs:
    """Leave out all schools but these."""
    schools = tuple(school for school in inputs.schools if school.school_id in wanted)
    places = {school.school_id: place for place, school in enumerate(schools)}
    columns = {p.procedure_id: place for place, p in enumerate(inputs.procedures)}
    kept = [place for place in _moved(inputs, places) if place is not None]
    return replace(
        inputs,
        schools=schools,
        cells=_sorted([_part(inputs, places, columns)]),
        attributes={code: _taken(column, kept) for code, column in inputs.attributes.items()},
        signs=tuple(
            replace(sign, school=places[school_id])
            for sign in inputs.signs
            if (school_id := inputs.schools[sign.school].school_id) in places
        ),
        asked_years=tuple(inputs.asked_years[place] for place in kept),
    )


def _looks_at(methodology: Methodology, procedure: FrozenProcedure, years: Iterable[int]) -> bool:
    """Whether a list of one of these years would look at the procedure, if it were there."""
    return methodology.considered(procedure.kind, procedure.grade) is not None and any(
        procedure.year in methodology.years(year) for year in years
    )


def _same_subjects_asked(
    before: Methodology, after: Methodology, procedure: FrozenProcedure
) -> bool:
    here = before.considered(procedure.kind, procedure.grade)
    there = after.considered(procedure.kind, procedure.grade)
    return (here and here.mass_subjects) == (there and there.mass_subjects)


def _moved(inputs: Inputs, places: Mapping[int, int]) -> list[int | None]:
    """For each wanted school, where it stands in these inputs; None where they do not know it."""
    known = inputs.places
    return [known.get(school_id) for school_id in places]


def _taken(column: AttributeColumn, places: Iterable[int | None]) -> AttributeColumn:
    """Take the values of these places; a school that the column does not know submitted nothing."""
    wanted = list(places)
    return AttributeColumn(
        values=tuple(MISSING if place is None else column.values[place] for place in wanted),
        sources=tuple(None if place is None else column.sources[place] for place in wanted),
    )


_Part = tuple[Integers, Integers, Integers, Integers | None, Integers | None]


def _part(inputs: Inputs, places: Mapping[int, int], columns: Mapping[int, int]) -> _Part:
    """Take the cells of these procedures, numbered by the new places of schools and procedures."""
    new_school = np.array(
        [places.get(school.school_id, -1) for school in inputs.schools], dtype=np.int64
    )
    new_procedure = np.array(
        [columns.get(p.procedure_id, -1) for p in inputs.procedures], dtype=np.int64
    )
    cells = inputs.cells
    if not len(cells.n):
        return cells.school, cells.procedure, cells.n, cells.low, cells.failed
    school, procedure = new_school[cells.school], new_procedure[cells.procedure]
    kept = (school >= 0) & (procedure >= 0)
    low, failed = (None if c is None else c[kept] for c in (cells.low, cells.failed))
    return school[kept], procedure[kept], cells.n[kept], low, failed


def _sorted(parts: Iterable[_Part]) -> FrozenCells:
    filled = [part for part in parts if len(part[0])] or [next(iter(parts))]
    columns = [_joined(column) for column in zip(*filled, strict=True)]
    school, procedure, n, low, failed = columns
    assert school is not None  # noqa: S101  only low and failed may be missing
    assert procedure is not None  # noqa: S101
    assert n is not None  # noqa: S101
    order = np.lexsort((procedure, school))
    return FrozenCells(
        school[order],
        procedure[order],
        n[order],
        None if low is None else low[order],
        None if failed is None else failed[order],
    )


def _joined(columns: Iterable[Integers | None]) -> Integers | None:
    """Join a column of the parts; what one part has not kept, the whole has not."""
    kept = [column for column in columns if column is not None]
    return np.concatenate(kept) if len(kept) == len(tuple(columns)) else None
