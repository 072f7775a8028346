"""Which numbers may be told: the threshold rule, and the complementary cells that protect it.

Pure arithmetic over the schools of one procedure. A measure cuts a group in two (failed, and the rest of
those who took part; low though not failed, and the rest of the others; and so on), so that the measures
told together cut it into parts; every part must be empty or at least of the suppression size. The people
of a school and its mass subjects are one unit: what is told of the one bounds the other.

A hidden number must not follow from a total either. In every municipality, and in the region for those
municipalities whose total cannot be told, the hidden numbers together must themselves be a number that
may be told and belong to at least two schools; further units are hidden until that is so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

__all__ = ["PEOPLE", "Cut", "Group", "Hidden", "Unit", "hidden_numbers"]

PEOPLE: Final = "*"
"""The table of people of a unit, beside its mass subjects (which have codes of letters)."""

STEPS: Final = (("failed", "low"), ("mass",), ("top",))
"""Measures told together, in the order in which they are told: a step only where those before it are.

The class of a run is told of every school. Beside the number of participants it could narrow a hidden
number of low ones down to one, so failed, low and the number of participants are one step.
"""

ADVERSE: Final = frozenset({"failed", "low"})
"""Of these, "all of them" says as much of each pupil as a name would."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A measure: `part` of `of` pupils."""

    part: int
    of: int


@dataclass(frozen=True, slots=True)
class Group:
    """Counts of one school in one table. People have no `mass` and `top`."""

    n: int
    failed: int
    low: int
    mass: int | None = None
    top: int | None = None

    def cut(self, measure: str) -> Cut | None:
        """Say what the measure adds to those before it; None where the table does not have it."""
        match measure:
            case "failed":
                return Cut(self.failed, self.n)
            case "low":
                return Cut(self.low - self.failed, self.n - self.failed)
            case "mass":
                return None if self.mass is None else Cut(self.mass, self.n - self.low)
            case _:
                return None if self.mass is None or self.top is None else Cut(self.top, self.mass)


@dataclass(frozen=True, slots=True)
class Unit:
    """What is told or hidden of a school together: its people and mass subjects, or one other subject."""

    school: int
    municipality: int
    tables: Mapping[str, Group]


@dataclass(slots=True)
class Hidden:
    """What of one measure must not be told.

    `people` are schools of which nothing is told, `subjects` those whose single subjects are not.
    `municipalities` and `is_region` are totals that must not be told; nothing tells totals yet.
    """

    people: set[int] = field(default_factory=set)
    subjects: set[int] = field(default_factory=set)
    municipalities: set[int] = field(default_factory=set)
    is_region: bool = False


def hidden_numbers(
    units: Sequence[Unit], size: int, *, complement: bool = True
) -> dict[str, Hidden]:
    """Say for each measure what must be hidden; where `low` is hidden, the number of pupils is too.

    Args:
        units: One per school, all of one kind and one procedure, of the whole region.
        size: The smallest number of pupils that may be told.
        complement: False leaves the threshold rule alone (the attack test shows what that is worth).
    """
    found: dict[str, Hidden] = {}
    here = Hidden()
    for measures in STEPS:
        here = Hidden(set(here.people), set(here.subjects))
        for unit in units:
            if any(_is_unsafe(unit.tables[PEOPLE], measure, size) for measure in measures):
                here.people.add(unit.school)
            if unit.school in here.people or any(
                _subjects_are_unsafe(unit, measure, size) for measure in measures
            ):
                here.subjects.add(unit.school)
        if complement:
            _complement(units, measures, size, here)
        found |= dict.fromkeys(measures, here)
    return found


def _is_small(number: int, size: int) -> bool:
    return 0 < number < size


def _is_unsafe(group: Group | None, measure: str, size: int) -> bool:
    """Say whether a measure cuts off a part that is too small, or tells the same of everybody."""
    cut = None if group is None else group.cut(measure)
    if cut is None or cut.of == 0:
        return False
    return (
        _is_small(cut.part, size)
        or _is_small(cut.of - cut.part, size)
        or _is_small(cut.of, size)
        or (measure in ADVERSE and cut.part == cut.of)
    )


def _subjects_are_unsafe(unit: Unit, measure: str, size: int) -> bool:
    subjects = [group for name, group in unit.tables.items() if name != PEOPLE]
    if any(_is_unsafe(group, measure, size) for group in subjects):
        return True
    if measure not in ADVERSE or not subjects:
        return False
    # People low somewhere, less those low in a subject, are those low elsewhere only; and the sum over
    # subjects exceeds the people by those who are low more than once.
    everywhere = getattr(unit.tables[PEOPLE], measure)
    in_each = [getattr(group, measure) for group in subjects]
    return any(_is_small(everywhere - one, size) for one in in_each) or _is_small(
        sum(in_each) - everywhere, size
    )


def _complement(units: Sequence[Unit], measures: Sequence[str], size: int, here: Hidden) -> None:
    """Hide further units until no total gives a hidden number."""
    places: dict[int, list[Unit]] = {}
    # The smallest first: as little as possible is lost.
    for unit in sorted(units, key=_smallness):
        places.setdefault(unit.municipality, []).append(unit)
    totals = [
        _Totals(name, places, measures, size, here)
        for name in sorted({name for unit in units for name in unit.tables})
    ]
    while True:
        counted = len(here.people), len(here.subjects)
        for total in totals:
            total.protect_municipalities()
            total.protect_region()
        if counted == (len(here.people), len(here.subjects)):
            return


def _smallness(unit: Unit) -> tuple[int, int]:
    return unit.tables[PEOPLE].n, unit.school


@dataclass(frozen=True, slots=True)
class _Totals:
    """The totals of measures in one table, and what they would give away."""

    table: str
    places: Mapping[int, Sequence[Unit]]
    measures: Sequence[str]
    size: int
    here: Hidden

    def protect_municipalities(self) -> None:
        """Hide schools until the total of each municipality is safe, or may not be told itself."""
        for place, schools in self.places.items():
            if place in self.here.municipalities:
                continue
            for unit in list(self._spare(schools)):
                if self._is_sound(schools):
                    break
                self._hide(unit)
            if not self._is_sound(schools):
                self.here.municipalities.add(place)

    def protect_region(self) -> None:
        """Hide schools of more municipalities until the region's total is safe as well."""
        closed = self.here.municipalities
        while not self._is_sound([unit for place in closed for unit in self.places[place]]):
            others = (u for place, of in self.places.items() if place not in closed for u in of)
            more = min(self._spare(others), key=_smallness, default=None)
            if more is None:
                self.here.is_region = True
                return
            self._hide(more)
            closed.add(more.municipality)

    def _concealed(self) -> set[int]:
        return self.here.people if self.table == PEOPLE else self.here.subjects

    def _spare(self, units: Iterable[Unit]) -> Iterator[Unit]:
        """Yield the units of which these numbers are still told, and are of somebody."""
        for unit in units:
            if unit.school not in self._concealed() and self._cut(unit, self.measures[0]):
                yield unit

    def _hide(self, unit: Unit) -> None:
        self.here.people.add(unit.school)
        self.here.subjects.add(unit.school)

    def _cut(self, unit: Unit, measure: str) -> Cut | None:
        group = unit.tables.get(self.table)
        cut = None if group is None else group.cut(measure)
        return cut if cut is not None and cut.of else None

    def _is_sound(self, units: Iterable[Unit]) -> bool:
        """Say whether the sums of the hidden numbers of these units may be known."""
        concealed = self._concealed()
        hidden = [unit for unit in units if unit.school in concealed]
        return all(
            self._is_safe([cut for unit in hidden if (cut := self._cut(unit, measure))])
            for measure in self.measures
        )

    def _is_safe(self, cuts: Sequence[Cut]) -> bool:
        if not cuts:
            return True
        part, of = sum(cut.part for cut in cuts), sum(cut.of for cut in cuts)
        if len(cuts) < 2 or of < max(self.size, len(cuts) + 1):
            return False
        # Nobody in the part: a zero that follows describes nobody.
        return part == 0 or (part >= self.size and of - part >= self.size)
