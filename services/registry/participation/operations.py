"""Joining a programme year, a published list replacing another, withdrawing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit import etags
from services.kit.problems import Problem, ValidationFailed, constraint_problems
from services.registry.participation import queries
from services.registry.participation.schemas import BulkIn, BulkOut, ParticipationIn, Withdrawal
from services.registry.participation.tables import AppliedRun, Participation, ParticipationEvent
from services.registry.participation.terms import Source
from services.registry.programme_years import operations as programme_years
from services.registry.programme_years import queries as years
from services.registry.schools import queries as schools
from services.registry.schools.operations import network

__all__ = [
    "AlreadyParticipating",
    "AlreadyWithdrawn",
    "ParticipationNotFound",
    "ProgrammeYearMissing",
    "SchoolClosed",
    "YearClosed",
    "apply_list",
    "enrol",
    "visible_participation",
    "withdraw",
]


class ParticipationNotFound(Problem):
    """The participation does not exist for the caller."""

    status = 404
    title = "Участие не найдено"


class ProgrammeYearMissing(Problem):
    """The region has not opened the programme year."""

    status = 409
    title = "Программный год не открыт"


class YearClosed(Problem):
    """The year's window does not take schools by hand on the date."""

    status = 409
    title = "В этот день в программу не включают"


class SchoolClosed(Problem):
    """A closed school cannot join."""

    status = 409
    title = "Школа закрыта"


class AlreadyParticipating(Problem):
    """The school takes part in the year."""

    status = 409
    title = "Школа уже участвует в этом году"


class AlreadyWithdrawn(Problem):
    """The school was withdrawn before."""

    status = 409
    title = "Школа уже исключена из программы этого года"


async def visible_participation(session: AsyncSession, participation_id: int) -> Participation:
    """Return the participation or raise `ParticipationNotFound`."""
    found = await queries.participation(session, participation_id)
    if found is None:
        raise ParticipationNotFound
    return found


async def enrol(
    session: AsyncSession, new: ParticipationIn, *, by: str, today: date
) -> Participation:
    """Let a school join a programme year by hand or by an order; a withdrawn one joins again.

    Raises:
        SchoolNotFound: Outside reach.
        SchoolClosed: The school is closed on the day of joining.
        ProgrammeYearMissing, YearClosed: The year does not take schools that day.
        AlreadyParticipating: It takes part.
    """
    school = await network.visible_school(session, new.school_id)
    joined_on = new.joined_on or today
    if school.closed_on is not None and school.closed_on <= joined_on:
        raise SchoolClosed(f"Закрыта с {school.closed_on:%d.%m.%Y}")
    await _refuse_closed_year(session, school.region_id, new.year, joined_on)
    known = await queries.of_school_and_year(session, school.id, new.year)
    if known is not None and known.withdrawn_on is None:
        raise AlreadyParticipating(participation_id=known.id)
    values = new.model_dump(exclude={"joined_on"}) | {"joined_on": joined_on}
    if known is None:
        participation = Participation(
            **values, region_id=school.region_id, municipality_id=school.municipality_id
        )
        session.add(participation)
    else:
        participation = known
        for name, value in {
            **values,
            "run_id": None,
            "withdrawn_on": None,
            "withdrawal_reason": None,
        }.items():
            setattr(participation, name, value)
    async with constraint_problems({"uq_participation_school_id_year": AlreadyParticipating()}):
        await session.flush()
    _remember(session, participation, "joined" if known is None else "rejoined", by=by)
    await session.flush()
    return participation


async def _refuse_closed_year(session: AsyncSession, region_id: int, year: int, on: date) -> None:
    opened = await years.of_region(session, region_id, year)
    if opened is None:
        raise ProgrammeYearMissing(
            f"Год {year} в регионе не открыт", hint="Откройте его: POST /programme-years"
        )
    too_early = opened.opens_on is not None and on < opened.opens_on
    too_late = opened.closes_on is not None and on > opened.closes_on
    if too_early or too_late:
        raise YearClosed(
            opens_on=opened.opens_on and opened.opens_on.isoformat(),
            closes_on=opened.closes_on and opened.closes_on.isoformat(),
        )


async def withdraw(
    session: AsyncSession,
    participation_id: int,
    withdrawal: Withdrawal,
    *,
    expected: int,
    by: str,
    today: date,
) -> Participation:
    """Withdraw a school from a programme year; the row stays.

    Raises:
        ParticipationNotFound: Outside reach.
        AlreadyWithdrawn: It left before.
    """
    participation = await queries.participation(session, participation_id, for_update=True)
    if participation is None:
        raise ParticipationNotFound
    etags.check(expected, participation.version)
    if participation.withdrawn_on is not None:
        raise AlreadyWithdrawn(withdrawn_on=participation.withdrawn_on.isoformat())
    withdrawn_on = withdrawal.withdrawn_on or max(today, participation.joined_on)
    if withdrawn_on < participation.joined_on:
        raise ValidationFailed(
            errors=[
                {
                    "pointer": "/withdrawn_on",
                    "code": "before_joining",
                    "detail": f"Школа участвует с {participation.joined_on:%d.%m.%Y}",
                }
            ]
        )
    participation.withdrawn_on = withdrawn_on
    participation.withdrawal_reason = withdrawal.reason
    _remember(session, participation, "withdrawn", by=by, reason=withdrawal.reason)
    await session.flush()
    return participation


def _remember(
    session: AsyncSession,
    participation: Participation,
    kind: str,
    *,
    by: str,
    reason: str | None = None,
) -> None:
    session.add(
        ParticipationEvent(
            participation_id=participation.id,
            region_id=participation.region_id,
            municipality_id=participation.municipality_id,
            school_id=participation.school_id,
            kind=kind,
            categories=participation.categories,
            source=participation.source,
            run_id=participation.run_id,
            order_number=participation.order_number,
            order_date=participation.order_date,
            reason=reason,
            subject=by,
        )
    )


@dataclass
class _Steps:
    """What a list changes: a kind of step for each school it concerns."""

    upserts: dict[int, tuple[str, list[str]]] = field(default_factory=dict)
    withdrawals: list[int] = field(default_factory=list)
    unchanged: int = 0

    def count(self, kind: str) -> int:
        return sum(step == kind for step, _ in self.upserts.values())


async def apply_list(
    session: AsyncSession, bulk: BulkIn, *, by: str, region_id: int | None, today: date
) -> BulkOut:
    """Write an approved list at once; a published identification replaces the former one.

    A run that was applied before changes nothing. Schools that joined by an earlier identification
    and are not named by the new one are withdrawn; those that joined by an order or by hand stay.

    Raises:
        ValidationFailed: A school is outside reach, repeats, or is of another region.
    """
    region_id = await _region_of(session, bulk, region_id)
    # Two lists of one year applied at once would each miss what the other withdraws.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('participation', :seed))"),
        {"seed": region_id * 10_000 + bulk.year},
    )
    if bulk.run_id is not None and await queries.is_applied(session, region_id, bulk.run_id):
        return BulkOut(
            joined=0, rejoined=0, changed=0, unchanged=len(bulk.entries), withdrawn=0,
            already_applied=True,
        )  # fmt: skip
    await programme_years.ensure(session, region_id, bulk.year)
    known = await queries.of_region_and_year(session, region_id, bulk.year)
    steps = _steps(bulk, known)
    await _store(session, bulk, steps, by=by, today=today)
    if bulk.run_id is not None:
        session.add(
            AppliedRun(
                region_id=region_id,
                run_id=bulk.run_id,
                year=bulk.year,
                entries=len(bulk.entries),
                subject=by,
            )
        )
        await session.flush()
    return BulkOut(
        joined=steps.count("joined"),
        rejoined=steps.count("rejoined"),
        changed=steps.count("changed"),
        unchanged=steps.unchanged,
        withdrawn=len(steps.withdrawals),
        already_applied=False,
    )


async def _region_of(session: AsyncSession, bulk: BulkIn, region_id: int | None) -> int:
    places = await schools.places(session, {entry.school_id for entry in bulk.entries})
    home = region_id if region_id is not None else bulk.region_id
    errors: list[dict[str, Any]] = []
    seen: dict[int, int] = {}
    for position, entry in enumerate(bulk.entries):
        pointer = f"/entries/{position}/school_id"
        place = places.get(entry.school_id)
        if place is None:
            errors.append(
                {"pointer": pointer, "code": "school_not_found", "detail": "Школа не найдена"}
            )
            continue
        home = place.region_id if home is None else home
        if place.region_id != home:
            errors.append(
                {
                    "pointer": pointer,
                    "code": "several_regions",
                    "detail": "В списке могут быть школы только одного региона",
                }
            )
        if (earlier := seen.setdefault(entry.school_id, position)) != position:
            errors.append(
                {
                    "pointer": pointer,
                    "code": "repeated",
                    "detail": f"Школа уже названа в строке {earlier}",
                }
            )
    if home is None:
        errors.append(
            {"pointer": "/region_id", "code": "missing", "detail": "Укажите регион пустого списка"}
        )
    if errors or home is None:
        raise ValidationFailed("Ничего не записано: исправьте перечисленное", errors=errors)
    return home


def _steps(bulk: BulkIn, known: Mapping[int, Row[Any]]) -> _Steps:
    steps = _Steps()
    for entry in bulk.entries:
        row = known.get(entry.school_id)
        ground = (entry.categories, bulk.source, bulk.run_id, bulk.order_number, bulk.order_date)
        if row is None:
            kind = "joined"
        elif row.withdrawn_on is not None:
            kind = "rejoined"
        elif (row.categories, row.source, row.run_id, row.order_number, row.order_date) != ground:
            kind = "changed"
        else:
            steps.unchanged += 1
            continue
        steps.upserts[entry.school_id] = (kind, entry.categories)
    if bulk.source is Source.IDENTIFICATION:
        named = {entry.school_id for entry in bulk.entries}
        steps.withdrawals = [
            school_id
            for school_id, row in known.items()
            if row.source == Source.IDENTIFICATION
            and row.withdrawn_on is None
            and school_id not in named
        ]
    return steps


_UPSERT = text(
    """
    INSERT INTO participation (region_id, municipality_id, school_id, year, categories, source,
                               run_id, order_number, order_date, joined_on)
    SELECT s.region_id, s.municipality_id, s.id, :year, r.categories, :source,
           :run_id, :order_number, :order_date, :joined_on
    FROM jsonb_populate_recordset(CAST(NULL AS participation), CAST(:rows AS jsonb)) r
    JOIN school s ON s.id = r.school_id
    ON CONFLICT (school_id, year) DO UPDATE
    SET categories = excluded.categories, source = excluded.source, run_id = excluded.run_id,
        order_number = excluded.order_number, order_date = excluded.order_date,
        joined_on = CASE WHEN participation.withdrawn_on IS NULL
                         THEN participation.joined_on ELSE excluded.joined_on END,
        withdrawn_on = NULL, withdrawal_reason = NULL, version = participation.version + 1
    """
)
_WITHDRAW = text(
    """
    UPDATE participation
    SET withdrawn_on = GREATEST(joined_on, CAST(:withdrawn_on AS date)),
        withdrawal_reason = :reason, version = version + 1
    WHERE year = :year AND school_id = ANY (CAST(:school_ids AS bigint[]))
    """
)
_EVENTS = text(
    """
    INSERT INTO participation_event (participation_id, region_id, municipality_id, school_id, kind,
                                     categories, source, run_id, order_number, order_date,
                                     reason, subject)
    SELECT p.id, p.region_id, p.municipality_id, p.school_id, r.kind,
           p.categories, :source, :run_id, :order_number, :order_date,
           p.withdrawal_reason, :subject
    FROM jsonb_populate_recordset(CAST(NULL AS participation_event), CAST(:rows AS jsonb)) r
    JOIN participation p ON p.school_id = r.school_id AND p.year = :year
    """
)


async def _store(
    session: AsyncSession, bulk: BulkIn, steps: _Steps, *, by: str, today: date
) -> None:
    ground = {
        "year": bulk.year,
        "source": bulk.source.value,
        "run_id": bulk.run_id,
        "order_number": bulk.order_number,
        "order_date": bulk.order_date,
    }
    since = bulk.order_date or today
    if steps.upserts:
        rows = [
            {"school_id": school_id, "categories": categories}
            for school_id, (_, categories) in steps.upserts.items()
        ]
        await session.execute(_UPSERT, ground | {"joined_on": since, "rows": json.dumps(rows)})
    if steps.withdrawals:
        await session.execute(
            _WITHDRAW,
            {
                "year": bulk.year,
                "school_ids": steps.withdrawals,
                "withdrawn_on": since,
                "reason": f"Не названа прогоном выявления {bulk.run_id}",
            },
        )
    happened: Sequence[tuple[int, str]] = [
        *((school_id, kind) for school_id, (kind, _) in steps.upserts.items()),
        *((school_id, "withdrawn") for school_id in steps.withdrawals),
    ]
    if happened:
        rows = [{"school_id": school_id, "kind": kind} for school_id, kind in happened]
        await session.execute(_EVENTS, ground | {"subject": by, "rows": json.dumps(rows)})
