"""What a caller may be told of the pupils of a school, decided over the whole region.

A number can only be protected with the numbers around it, which a curator does not see: they are read
with the reach of the region, inside the caller's transaction, and nothing of them leaves this module but
what may be told. The answer depends on the rollups alone, so it is kept by their revision.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.suppression.threshold import (
    PEOPLE,
    Group,
    Hidden,
    Unit,
    hidden_numbers,
)
from services.kit.reach import Reach, enter

__all__ = ["ALL", "NOTHING", "Told", "Visible", "publishable", "units_of"]

_KEPT = 256

# The people's numbers by mass subjects, as the low-results index counts them.
_PEOPLE = text(
    """
    SELECT school_id, municipality_id, sum(n) AS n,
           COALESCE(sum(n) FILTER (WHERE failed_mask <> 0), 0) AS failed,
           COALESCE(sum(n) FILTER (WHERE low_mask <> 0), 0) AS low
    FROM rollup_pattern WHERE procedure_id = :procedure
    GROUP BY school_id, municipality_id
    """
)
_SUBJECTS = text(
    """
    SELECT r.school_id, r.municipality_id, s.subject, s.is_mass, r.n, r.failed_n AS failed,
           r.low_n AS low, r.mass_n AS mass, r.top_n AS top
    FROM rollup_subject r
    JOIN scale s ON s.procedure_id = r.procedure_id AND s.position = r.subject
    WHERE r.procedure_id = :procedure
    """
)
_REVISIONS = text(
    """
    SELECT id, region_id, rollup_revision AS revision,
           (SELECT string_agg(position || ':' || is_mass, ',' ORDER BY position) FROM scale s
            WHERE s.procedure_id = p.id) AS scales
    FROM procedure p WHERE id = ANY (:ids)
    """
)


@dataclass(frozen=True, slots=True)
class Visible:
    """What of one school in one table (people, or a subject) may be told."""

    n: bool
    failed: bool
    low: bool
    mass: bool
    top: bool
    rest: bool
    """Whatever else: absences, marks, means, numbers of rows. Only with exact numbers."""


ALL = Visible(*[True] * 6)
NOTHING = Visible(*[False] * 6)


@dataclass(frozen=True, slots=True)
class _Procedure:
    """What may be told of a procedure: by table, by measure; and the numbers themselves."""

    hidden: Mapping[str, Mapping[str, Hidden]]
    groups: Mapping[tuple[int, str], Group]


_known: "OrderedDict[tuple[object, ...], _Procedure]" = OrderedDict()


class Told:
    """What this caller may be told."""

    def __init__(
        self,
        session: AsyncSession,
        reach: Reach,
        *,
        size: int,
        is_exact: bool,
        statement_timeout_ms: int = 0,
    ) -> None:
        self._session = session
        self._reach = reach
        self._size = size
        self._timeout = statement_timeout_ms
        self.is_exact = is_exact
        self._procedures: dict[int, _Procedure] = {}

    def as_published(self) -> "Told":
        """Return what may leave: the same whoever asks."""
        return Told(
            self._session,
            self._reach,
            size=self._size,
            is_exact=False,
            statement_timeout_ms=self._timeout,
        )

    async def look(self, procedure_ids: Iterable[int]) -> None:
        """Prepare to answer for these procedures."""
        wanted = sorted(set(procedure_ids) - self._procedures.keys())
        if self.is_exact or not wanted:
            return
        revisions = await self._session.execute(_REVISIONS, {"ids": wanted})
        database = str(self._session.get_bind().engine.url)
        for row in revisions.all():
            key = (database, row.id, row.revision, row.scales, self._size)
            if key not in _known:
                _known[key] = await self._weigh(row.id, row.region_id)
                while len(_known) > _KEPT:
                    _known.popitem(last=False)
            self._procedures[row.id] = _known[key]

    def of(self, procedure_id: int, school_id: int, table: str = PEOPLE) -> Visible:
        """Say what may be told of a school's people, or of one of its subjects."""
        if self.is_exact:
            return ALL
        known = self._procedures.get(procedure_id)
        if known is None or (school_id, table) not in known.groups:
            return NOTHING
        hidden = known.hidden[table]
        told = {
            measure: school_id not in (found.people if table == PEOPLE else found.subjects)
            for measure, found in hidden.items()
        }
        return Visible(n=told["low"], rest=False, **told)

    def is_told(
        self, procedure_id: int, school_id: int, table: str, *, n: int, measure: str, part: int
    ) -> bool:
        """Say whether a number that a run has frozen is told today: only what the indices tell.

        Two states of the same number (before and after a correction) would differ by a few pupils.
        """
        if self.is_exact:
            return True
        visible = self.of(procedure_id, school_id, table)
        if not getattr(visible, measure):
            return False
        group = self._procedures[procedure_id].groups[school_id, table]
        return (group.n, getattr(group, measure)) == (n, part)

    async def _weigh(self, procedure_id: int, region_id: int) -> _Procedure:
        """Read the numbers of the whole region and decide; then take the caller's own reach again."""
        everybody = Reach.region(region_id, self._reach.subject)
        await enter(self._session, everybody, statement_timeout_ms=self._timeout)
        people = (await self._session.execute(_PEOPLE, {"procedure": procedure_id})).all()
        subjects = (await self._session.execute(_SUBJECTS, {"procedure": procedure_id})).all()
        # If one of these fails, the transaction is over, and the wider reach with it.
        await enter(self._session, self._reach, statement_timeout_ms=self._timeout)
        return publishable(people, subjects, size=self._size)


def units_of(people: Iterable[Any], subjects: Iterable[Any]) -> dict[str, list[Unit]]:
    """Put the rows into units by table: people with the mass subjects, and each other subject.

    A mass subject is found under its own name too: with the people's list of units.
    """
    places: dict[int, int] = {}
    tables: dict[int, dict[str, Group]] = {}
    alone: dict[str, list[Unit]] = {}
    for row in people:
        places[row.school_id] = row.municipality_id
        tables[row.school_id] = {PEOPLE: Group(row.n, row.failed, row.low)}
    for row in subjects:
        group = Group(row.n, row.failed, row.low, row.mass, row.top)
        if row.is_mass:
            # Without people the school has only absent ones.
            places.setdefault(row.school_id, row.municipality_id)
            nobody = {PEOPLE: Group(0, 0, 0)}
            tables.setdefault(row.school_id, nobody)[row.subject] = group
        else:
            unit = Unit(row.school_id, row.municipality_id, {PEOPLE: group})
            alone.setdefault(row.subject, []).append(unit)
    return {PEOPLE: [Unit(s, places[s], found) for s, found in tables.items()], **alone}


def publishable(people: Iterable[Any], subjects: Iterable[Any], *, size: int) -> _Procedure:
    """Decide what of a procedure may be told."""
    units = units_of(people, subjects)
    decided = {name: hidden_numbers(of, size) for name, of in units.items()}
    hidden = dict(decided)
    groups = {}
    for name, of in units.items():
        for unit in of:
            for table, group in unit.tables.items():
                own = name if table == PEOPLE else table
                groups[unit.school, own] = group
                hidden.setdefault(own, decided[name])
    return _Procedure(_by_table(hidden, alone=units.keys() - {PEOPLE}), groups)


def _by_table(
    hidden: Mapping[str, dict[str, Hidden]], *, alone: Iterable[str]
) -> dict[str, dict[str, Hidden]]:
    """Let a subject that is a unit of its own be asked for like a subject of the people's unit."""
    lone = set(alone)
    return {
        name: {m: Hidden(f.people, f.people) for m, f in found.items()} if name in lone else found
        for name, found in hidden.items()
    }
