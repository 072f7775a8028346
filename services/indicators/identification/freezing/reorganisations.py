"""Results of schools that are no more: which school answers for them, and which results nobody does.

A school that was merged into another before the day of the run is not in its list; what its pupils
showed in the years that the rules look at belongs to the school that took them in. The cells of the
predecessor (people, those low, those below the minimum) are added to the successor's cells of the same
procedures, whatever year they are of. A merger in the middle of the look-back therefore leaves the
later years as they are and makes the earlier ones the sum of both schools.

A predecessor that was divided is not passed on: which of its pupils went where is not known. A new
school that was set apart starts with its own results; those of before stay with the school it left.
All of it is written beside the run (`run_reorganisation`), passed on or not, so that the trace can tell it.

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
    "freeze_passings",
    "passed_on",
    "passings",
    "resolve",
    "taken_by",
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


# The cells of the predecessors by themselves: what the successor's cells have taken in.
_FREEZE = text(
    """
    INSERT INTO run_reorganisation (
        run_id, event_id, region_id, municipality_id, school_id, predecessor_id, predecessor_code,
        predecessor_name, kind, happened_on, order_number, order_date, outcome,
        procedure_id, n, low, failed
    )
    SELECT :run_id, e.id, s.region_id, s.municipality_id, s.id, e.predecessor_id, p.code, p.name,
           e.kind, e.happened_on, e.order_number, e.order_date, f.outcome,
           COALESCE(c.procedure_id, '{}'), COALESCE(c.n, '{}'), COALESCE(c.low, '{}'),
           COALESCE(c.failed, '{}')
    FROM unnest(CAST(:event_id AS bigint[]), CAST(:school_id AS bigint[]), CAST(:outcome AS text[]))
        AS f (event_id, school_id, outcome)
    JOIN succession e ON e.id = f.event_id
    JOIN school s ON s.id = f.school_id
    LEFT JOIN school p ON p.id = e.predecessor_id
    LEFT JOIN LATERAL (
        SELECT array_agg(procedure_id ORDER BY procedure_id) AS procedure_id,
               array_agg(n ORDER BY procedure_id) AS n,
               array_agg(low ORDER BY procedure_id) AS low,
               array_agg(failed ORDER BY procedure_id) AS failed
        FROM (
            SELECT r.procedure_id, sum(r.n)::integer AS n,
                   COALESCE(sum(r.n) FILTER (WHERE r.low_mask & m.mask <> 0), 0)::integer AS low,
                   COALESCE(sum(r.n) FILTER (WHERE r.failed_mask & m.mask <> 0), 0)::integer AS failed
            FROM rollup_pattern r
            JOIN unnest(CAST(:procedures AS bigint[]), CAST(:masks AS bigint[]))
                AS m (procedure_id, mask) ON m.procedure_id = r.procedure_id
            WHERE r.school_id = e.predecessor_id AND f.outcome = 'passed'
            GROUP BY r.procedure_id
            HAVING sum(r.n) > 0
        ) cell
    ) c ON true
    """
)


async def freeze_passings(
    session: AsyncSession,
    *,
    run_id: int,
    found: Sequence[Passing],
    mass_masks: Mapping[int, int],
) -> None:
    """Write the reorganisations beside the run, with the predecessors' own cells.

    Args:
        session: Reads rollups and writes with the reach of the run's job.
        run_id: The run.
        found: What `passings` gave for the day of the run.
        mass_masks: The considered procedures: bits of the subjects taken in mass numbers.
    """
    if not found:
        return
    columns: dict[str, Any] = {
        "event_id": [passing.event.event_id for passing in found],
        "school_id": [passing.school_id for passing in found],
        "outcome": [str(passing.outcome) for passing in found],
        "procedures": list(mass_masks),
        "masks": list(mass_masks.values()),
    }
    await session.execute(_FREEZE, {"run_id": run_id, **columns})
