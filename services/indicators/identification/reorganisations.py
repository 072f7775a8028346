"""Results of schools that are no more: which school answers for them, and which results nobody does.

A school that was merged into another before the day of the run is not in its list; what its pupils
showed in the years that the rules look at belongs to the school that took them in. The cells of the
predecessor (people, those low, those below the minimum) are added to the successor's cells of the same
procedures, whatever year they are of. A merger in the middle of the look-back therefore leaves the
later years as they are and makes the earlier ones the sum of both schools.

A predecessor that was divided is not passed on: which of its pupils went where is not known. A new
school that was set apart starts with its own results; those of before stay with the school it left.
All of it stands in the evidence of the school, passed on or not, so that the trace can tell it.

Source: design 6 (the predecessor graph answers "by today's network"), peers 17 (pooled via the
predecessor graph); passing the results of a merged school on is a decision of Opora (0028): no
document of the methodology speaks of reorganised schools.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

__all__ = [
    "Event",
    "Outcome",
    "Passing",
    "passed_on",
    "passings",
    "resolve",
    "taken_by",
    "told_of",
]


class Outcome(StrEnum):
    """What became of a predecessor's results."""

    PASSED = "passed"
    """One school goes on with the pupils of the other: its cells are added."""
    SPLIT = "split"
    """The school was set apart from another: earlier results stay with that one."""
    STILL_OPEN = "still_open"
    """A merger is recorded, but the predecessor is open and answers for itself."""
    SEVERAL_SUCCESSORS = "several_successors"
    """The predecessor was divided between schools: results of pupils cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Event:
    """A merger into, or a setting apart from, as the registry tells it."""

    event_id: int
    kind: str
    school_id: int
    predecessor_id: int
    happened_on: date


@dataclass(frozen=True, slots=True)
class Passing:
    """One event and what follows from it: ``school_id`` is the school at the end of the chain."""

    event: Event
    school_id: int
    outcome: Outcome


def resolve(events: Collection[Event], *, open_schools: Collection[int]) -> list[Passing]:
    """Find the school that answers for each predecessor; chains of mergers are followed to their end.

    Events are those up to the day of the run, ``open_schools`` the schools open on it. Events whose
    last school is not open are left out: the run names no such school. The order of the events
    changes nothing; the result is ordered by day and event.
    """
    opened = frozenset(open_schools)
    ordered = sorted(events, key=lambda event: (event.happened_on, event.event_id))
    # A merger that was entered twice is one merger: the later entry counts.
    merged = {(e.predecessor_id, e.school_id): e for e in ordered if e.kind == "merge"}
    successors: dict[int, list[Event]] = {}
    for event in merged.values():
        successors.setdefault(event.predecessor_id, []).append(event)
    apart = {(e.predecessor_id, e.happened_on) for e in ordered if e.kind == "split"}
    outcomes = {
        event.event_id: _outcome(event, successors[event.predecessor_id], apart, opened)
        for event in merged.values()
    }
    onward = {
        event.predecessor_id: event.school_id
        for event in merged.values()
        if outcomes[event.event_id] is Outcome.PASSED
    }
    found = [
        Passing(event, _last(event.school_id, onward), outcomes[event.event_id])
        if event.kind == "merge"
        else Passing(event, event.school_id, Outcome.SPLIT)
        for event in ordered
        if event.kind == "split" or event.event_id in outcomes
    ]
    return [passing for passing in found if passing.school_id in opened]


def _outcome(
    event: Event,
    successors: Sequence[Event],
    apart: Collection[tuple[int, date]],
    opened: Collection[int],
) -> Outcome:
    if event.predecessor_id in opened:
        return Outcome.STILL_OPEN
    if len(successors) > 1 or (event.predecessor_id, event.happened_on) in apart:
        return Outcome.SEVERAL_SUCCESSORS
    return Outcome.PASSED


def _last(school_id: int, onward: Mapping[int, int]) -> int:
    seen = {school_id}
    while (following := onward.get(school_id)) is not None and following not in seen:
        seen.add(following)
        school_id = following
    return school_id


def passed_on(found: Sequence[Passing]) -> dict[int, int]:
    """Give the school that takes over the cells of each predecessor: predecessor -> successor."""
    return {
        passing.event.predecessor_id: passing.school_id
        for passing in found
        if passing.outcome is Outcome.PASSED
    }


_EVENTS = text(
    """
    SELECT id AS event_id, kind, school_id, predecessor_id, happened_on
    FROM succession
    WHERE region_id = :region_id AND predecessor_id IS NOT NULL AND happened_on <= :on
    """
)
_OPEN = text(
    """
    SELECT id FROM school
    WHERE region_id = :region_id AND (closed_on IS NULL OR closed_on > :on)
      AND id IN (SELECT unnest(ARRAY[school_id, predecessor_id]) FROM succession
                 WHERE region_id = :region_id AND predecessor_id IS NOT NULL)
    """
)


async def passings(session: AsyncSession, *, region_id: int, on: date) -> list[Passing]:
    """Read the reorganisations of a region up to the day and what follows from each."""
    rows = await session.execute(_EVENTS, {"region_id": region_id, "on": on})
    events = [Event(**row._asdict()) for row in rows]
    if not events:
        return []
    opened = (await session.scalars(_OPEN, {"region_id": region_id, "on": on})).all()
    return resolve(events, open_schools=opened)


def taken_by(passed: Mapping[int, int], *, table: str = "p") -> tuple[str, str]:
    """Write SQL that counts rows of merged schools for the school that took them over.

    Returns a join for the FROM clause (empty where nothing is passed on) and the expression that
    stands for the school of the row. Ids are constants of the statement, as the counting of a run
    wants them.
    """
    if not passed:
        return "", f"{table}.school_id"
    pairs = ", ".join(
        f"({int(earlier)}::bigint, {int(later)}::bigint)"
        for earlier, later in sorted(passed.items())
    )
    join = (
        f"LEFT JOIN (VALUES {pairs}) passed (predecessor_id, successor_id)"
        f" ON passed.predecessor_id = {table}.school_id"
    )
    return join, f"COALESCE(passed.successor_id, {table}.school_id)"


_TOLD = text(
    """
    SELECT e.id AS event_id, e.kind, e.happened_on, e.order_number, e.order_date,
           e.predecessor_id AS school_id, p.code, p.name
    FROM succession e LEFT JOIN school p ON p.id = e.predecessor_id
    WHERE e.id = ANY (CAST(:events AS bigint[]))
    """
)
_CELLS = text(
    """
    SELECT r.school_id, r.procedure_id, sum(r.n)::integer AS n,
           COALESCE(sum(r.n) FILTER (WHERE r.low_mask & m.mask <> 0), 0)::integer AS low,
           COALESCE(sum(r.n) FILTER (WHERE r.failed_mask & m.mask <> 0), 0)::integer AS failed
    FROM rollup_pattern r
    JOIN unnest(CAST(:procedures AS bigint[]), CAST(:masks AS bigint[])) AS m (procedure_id, mask)
         ON m.procedure_id = r.procedure_id
    WHERE r.school_id = ANY (CAST(:schools AS bigint[]))
    GROUP BY r.school_id, r.procedure_id
    HAVING sum(r.n) > 0
    ORDER BY r.school_id, r.procedure_id
    """
)


async def told_of(
    session: AsyncSession, found: Sequence[Passing], *, mass_masks: Mapping[int, int]
) -> dict[int, list[dict[str, Any]]]:
    """Describe the reorganisations for the evidence of each school that they end at.

    ``mass_masks`` names the considered procedures and the bits of their mass subjects. An entry is
    plain JSON: event_id, kind, outcome, happened_on, order_number, order_date, the predecessor's
    school_id, code and name, and cells: its own numbers that the successor's cells have taken in,
    each procedure_id, n, low (below Bmin) and failed (below the minimum); none where nothing passed.
    Entries are in the order of ``found``.
    """
    if not found:
        return {}
    ids = [passing.event.event_id for passing in found]
    rows = (await session.execute(_TOLD, {"events": ids})).all()
    texts = {row.event_id: _plain(row._asdict()) for row in rows}
    counted = await session.execute(
        _CELLS,
        {
            "schools": sorted(passed_on(found)),
            "procedures": list(mass_masks),
            "masks": list(mass_masks.values()),
        },
    )
    cells: dict[int, list[dict[str, int]]] = {}
    for row in counted:
        cell = {name: getattr(row, name) for name in ("procedure_id", "n", "low", "failed")}
        cells.setdefault(row.school_id, []).append(cell)
    told: dict[int, list[dict[str, Any]]] = {}
    for passing in found:
        passed = cells.get(passing.event.predecessor_id, [])
        told.setdefault(passing.school_id, []).append(
            {
                **texts[passing.event.event_id],
                "outcome": str(passing.outcome),
                "cells": passed if passing.outcome is Outcome.PASSED else [],
            }
        )
    return told


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()
    }
