"""An attacker who solves for hidden numbers: what follows from sums, from bounds, and from both.

Facts are linear: a sum of unknown whole numbers equals, or is at most, a number. The attacker narrows the
interval of every unknown by every fact until nothing moves (bounds consistency); an unknown whose ends
meet is found out. Rows of equations are first reduced against each other, so that differences of lists
and totals are tried as well.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from services.indicators.suppression.threshold import PEOPLE, Group, Hidden, Unit

Cell = Hashable
MANY = 10**6


@dataclass
class Attacker:
    """Everything the attacker knows."""

    low: dict[Cell, int] = field(default_factory=lambda: defaultdict(int))
    high: dict[Cell, int] = field(default_factory=lambda: defaultdict(lambda: MANY))
    # (coefficients, least, most)
    facts: list[tuple[dict[Cell, int], int, int]] = field(default_factory=list)

    def knows(self, cell: Cell, value: int) -> None:
        self.facts.append(({cell: 1}, value, value))

    def knows_total(self, cells: Iterable[Cell], value: int) -> None:
        self.facts.append((dict.fromkeys(cells, 1), value, value))

    def knows_order(self, smaller: Cell, larger: Cell) -> None:
        """The first is at most the second."""
        self.facts.append(({larger: 1, smaller: -1}, 0, MANY))

    def knows_at_most_sum(self, cell: Cell, parts: Iterable[Cell]) -> None:
        """The cell is at most the sum of the parts."""
        coefficients = dict.fromkeys(parts, 1)
        coefficients[cell] = coefficients.get(cell, 0) - 1
        self.facts.append((coefficients, 0, MANY))

    def found(self) -> dict[Cell, int]:
        """Return every cell whose value follows."""
        facts = [*self.facts, *_reduced([f for f in self.facts if f[1] == f[2]])]
        moved = True
        while moved:
            moved = False
            for coefficients, least, most in facts:
                moved |= self._narrow(coefficients, least, most)
        cells = {cell for coefficients, _, _ in self.facts for cell in coefficients}
        return {cell: self.low[cell] for cell in cells if self.low[cell] == self.high[cell]}

    def _narrow(self, coefficients: Mapping[Cell, int], least: int, most: int) -> bool:
        moved = False
        smallest = sum(
            a * (self.low[c] if a > 0 else self.high[c]) for c, a in coefficients.items()
        )
        largest = sum(a * (self.high[c] if a > 0 else self.low[c]) for c, a in coefficients.items())
        for cell, factor in coefficients.items():
            mine = sorted((factor * self.low[cell], factor * self.high[cell]))
            # What the others leave for this one.
            lowest, highest = least - (largest - mine[1]), most - (smallest - mine[0])
            ends = sorted((Fraction(lowest, factor), Fraction(highest, factor)))
            low, high = -(-ends[0].numerator // ends[0].denominator), ends[1].__floor__()
            if low > self.low[cell] or high < self.high[cell]:
                self.low[cell] = max(low, self.low[cell])
                self.high[cell] = min(high, self.high[cell])
                assert self.low[cell] <= self.high[cell], f"the facts contradict each other: {cell}"
                return True
        return moved


def _reduced(
    equations: Iterable[tuple[dict[Cell, int], int, int]],
) -> list[tuple[dict[Cell, int], int, int]]:
    """Bring the equations to reduced row echelon form; rows with whole coefficients come back."""
    rows: list[tuple[Cell, dict[Cell, Fraction], Fraction]] = []
    for coefficients, value, _ in equations:
        row = {cell: Fraction(factor) for cell, factor in coefficients.items()}
        right = Fraction(value)
        for lead, other, theirs in rows:
            if factor := row.get(lead):
                row = _less(row, other, factor)
                right -= factor * theirs
        if not row:
            continue
        lead = min(row, key=str)
        scale = row[lead]
        row, right = {cell: f / scale for cell, f in row.items()}, right / scale
        rows = [
            (place, _less(other, row, other[lead]), theirs - other[lead] * right)
            if lead in other
            else (place, other, theirs)
            for place, other, theirs in rows
        ]
        rows.append((lead, row, right))
    return [
        ({cell: int(f) for cell, f in row.items()}, int(right), int(right))
        for _, row, right in rows
        if right.denominator == 1 and all(f.denominator == 1 for f in row.values())
    ]


def _less(
    row: Mapping[Cell, Fraction], other: Mapping[Cell, Fraction], factor: Fraction
) -> dict[Cell, Fraction]:
    left = dict(row)
    for cell, theirs in other.items():
        left[cell] = left.get(cell, Fraction(0)) - factor * theirs
        if not left[cell]:
            del left[cell]
    return left


def numbers(group: Group) -> dict[str, int]:
    """Return the numbers of a group by name."""
    names = ["n", "failed", "low"] + (["mass", "top"] if group.mass is not None else [])
    return {name: getattr(group, name) for name in names}


def besiege(
    units: list[Unit], told: Mapping[Cell, int], decided: Mapping[str, Hidden] | None
) -> tuple[int, list[Cell]]:
    """Attack what is told (school, table, name -> number), knowing every total that may be told.

    `decided` says which totals may not; None lets the attacker have them all. Returns how many numbers
    are hidden, and those of them that the attacker has found.
    """
    attacker = Attacker()
    secret: dict[Cell, int] = {}
    for unit in units:
        for table, group in unit.tables.items():
            for name, number in numbers(group).items():
                cell = (unit.school, table, name)
                if cell in told:
                    assert told[cell] == number, cell
                    attacker.knows(cell, number)
                else:
                    secret[cell] = number
        _nature(attacker, unit)
    for table in {table for unit in units for table in unit.tables}:
        for name in ("n", "failed", "low", "mass", "top"):
            _totals(attacker, units, table, name, decided)
    found = attacker.found()
    # A zero that follows tells of nobody.
    return len(secret), [cell for cell in secret if cell in found and secret[cell]]


def _nature(attacker: Attacker, unit: Unit) -> None:
    """What holds of any school: parts are not larger than their whole."""
    school, subjects = unit.school, unit.tables.keys() - {PEOPLE}
    for table, group in unit.tables.items():
        attacker.low[school, table, "n"] = 1 if group.n else 0
        attacker.knows_order((school, table, "failed"), (school, table, "low"))
        attacker.knows_order((school, table, "low"), (school, table, "n"))
        if group.mass is not None:
            attacker.knows_order((school, table, "top"), (school, table, "mass"))
            both = {
                (school, table, "n"): 1,
                (school, table, "low"): -1,
                (school, table, "mass"): -1,
            }
            attacker.facts.append((both, 0, MANY))
        if table != PEOPLE:
            for name in ("n", "failed", "low"):
                attacker.knows_order((school, table, name), (school, PEOPLE, name))
    for name in ("failed", "low") if subjects else ():
        attacker.knows_at_most_sum((school, PEOPLE, name), [(school, t, name) for t in subjects])


def _totals(
    attacker: Attacker,
    units: list[Unit],
    table: str,
    name: str,
    decided: Mapping[str, Hidden] | None,
) -> None:
    for place in [*{unit.municipality for unit in units}, None]:
        if decided is not None:
            found = decided["low" if name == "n" else name]
            if found.is_region if place is None else place in found.municipalities:
                continue
        within = {
            (u.school, table, name): numbers(u.tables[table])[name]
            for u in units
            if table in u.tables
            and name in numbers(u.tables[table])
            and place in (None, u.municipality)
        }
        if within:
            attacker.knows_total(within, sum(within.values()))
