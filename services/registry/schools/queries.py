"""Questions about schools: as they are, and as they were."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    Text,
    and_,
    any_,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit.pages import PageAsk, Rows, keyset
from services.registry.schools.schemas import Sort, Status
from services.registry.schools.tables import (
    ATTRIBUTES,
    School,
    SchoolSize,
    SchoolState,
    Succession,
)
from services.registry.schools.terms import SchoolKind, Stage, SuccessionKind

__all__ = [
    "Moment",
    "Place",
    "SchoolFilter",
    "closed_schools_by_code",
    "codes_by_login",
    "is_descendant",
    "lineage",
    "open_schools_by_code",
    "places",
    "school",
    "school_then",
    "schools",
    "schools_then",
    "sizes",
    "states",
    "succession",
    "successions",
]


@dataclass(frozen=True)
class Moment:
    """Which picture of the network is asked for: valid on a day, as known at an instant."""

    as_of: date
    known_at: datetime | None


@dataclass(frozen=True)
class SchoolFilter:
    """What a list of schools is narrowed to; None does not narrow."""

    municipality_id: int | None = None
    kind: SchoolKind | None = None
    stage: Stage | None = None
    is_rural: bool | None = None
    is_small: bool | None = None
    adverse_conditions: bool | None = None
    code: str | None = None
    q: str | None = None
    status: Status = Status.OPEN

    def where(
        self, columns: Any, *, municipality: ColumnElement[int], on: date
    ) -> list[ColumnElement[bool]]:
        """Return the conditions over the columns of `school` or of its history."""
        wanted: list[ColumnElement[bool]] = [
            column == value
            for column, value in (
                (municipality, self.municipality_id),
                (columns.kind, self.kind),
                (columns.is_rural, self.is_rural),
                (columns.is_small, self.is_small),
                (columns.adverse_conditions, self.adverse_conditions),
                (columns.code, self.code),
            )
            if value is not None
        ]
        if self.stage is not None:
            wanted.append(columns.stages.contains([self.stage]))
        if self.q is not None:
            sought = self.q.lower().replace("ё", "е")
            wanted.append(_search_key(columns).contains(sought, autoescape=True))
        is_open = and_(
            or_(columns.opened_on.is_(None), columns.opened_on <= on),
            or_(columns.closed_on.is_(None), columns.closed_on > on),
        )
        if self.status is Status.OPEN:
            wanted.append(is_open)
        elif self.status is Status.CLOSED:
            wanted.append(columns.closed_on <= on)
        return wanted


def _search_key(columns: Any) -> Any:
    if "search_key" in columns:
        return columns.search_key
    joined = columns.name + " " + func.coalesce(columns.short_name, "") + " " + columns.code
    return func.lower(func.translate(joined, "ёЁ", "ее"))


async def schools(
    session: AsyncSession, *, wanted: SchoolFilter, today: date, sort: Sort, ask: PageAsk
) -> Rows:
    """Return the schools within reach as they are, by code or by name."""
    columns = School.__table__.c
    listed: Select[Any] = select(*columns).where(
        *wanted.where(columns, municipality=columns.municipality_id, on=today)
    )
    first = columns.search_key if sort is Sort.NAME else columns.code
    return await keyset(session, listed, order=(first, columns.id), ask=ask)


async def schools_then(
    session: AsyncSession, *, wanted: SchoolFilter, moment: Moment, ask: PageAsk
) -> Rows:
    """Return the schools within reach as they were at the moment, by code."""
    columns = SchoolState.__table__.c
    listed = _states(moment).where(
        *wanted.where(columns, municipality=columns.was_in_municipality_id, on=moment.as_of)
    )
    return await keyset(session, listed, order=(columns.code, columns.school_id), ask=ask)


async def school_then(session: AsyncSession, school_id: int, moment: Moment) -> Row[Any] | None:
    """Return the school as it was; None when nothing is known of it at that moment."""
    asked = _states(moment).where(SchoolState.__table__.c.school_id == school_id)
    found: Row[Any] | None = (await session.execute(asked)).one_or_none()
    return found


def _states(moment: Moment) -> Select[Any]:
    state = SchoolState.__table__.c
    known = (
        state.superseded_at.is_(None)
        if moment.known_at is None
        else and_(
            state.recorded_at <= moment.known_at,
            or_(state.superseded_at.is_(None), state.superseded_at > moment.known_at),
        )
    )
    return select(*_as_school(state)).where(
        known,
        or_(state.valid_from.is_(None), state.valid_from <= moment.as_of),
        or_(state.valid_to.is_(None), state.valid_to > moment.as_of),
    )


def _as_school(state: Any) -> list[ColumnElement[Any]]:
    return [
        state.school_id.label("id"),
        state.region_id,
        state.was_in_municipality_id.label("municipality_id"),
        *(state[name] for name in ATTRIBUTES),
        state.valid_from,
        state.school_version.label("version"),
    ]


async def states(
    session: AsyncSession, school_id: int, *, with_superseded: bool
) -> Sequence[Row[Any]]:
    """Return the history of a school, oldest validity first; empty outside reach."""
    state = SchoolState.__table__.c
    asked: Select[Any] = (
        select(*_as_school(state), state.valid_to, state.recorded_at, state.superseded_at)
        .where(state.school_id == school_id)
        .order_by(state.valid_from.asc().nulls_first(), state.recorded_at, state.id)
        .limit(1000)
    )
    if not with_superseded:
        asked = asked.where(state.superseded_at.is_(None))
    found: Sequence[Row[Any]] = (await session.execute(asked)).all()
    return found


async def school(
    session: AsyncSession, school_id: int, *, for_update: bool = False
) -> School | None:
    """Return a school, locked when it is going to be changed."""
    asked = select(School).where(School.id == school_id)
    return await session.scalar(asked.with_for_update() if for_update else asked)


async def open_schools_by_code(
    session: AsyncSession, region_id: int, codes: Collection[str]
) -> dict[str, Row[Any]]:
    """Return the schools of a region that are not closed, by code, locked for a write."""
    columns = School.__table__.c
    rows = await session.execute(
        select(*columns)
        .where(
            columns.region_id == region_id,
            columns.code == any_(literal(list(codes), ARRAY(Text))),
            columns.closed_on.is_(None),
        )
        .order_by(columns.id)
        .with_for_update()
    )
    return {row.code: row for row in rows}


async def closed_schools_by_code(
    session: AsyncSession, region_id: int, codes: Collection[str]
) -> dict[tuple[str, date | None], Row[Any]]:
    """Return the closed schools of a region by code and day of closing, locked for a write."""
    columns = School.__table__.c
    rows = await session.execute(
        select(*columns)
        .where(
            columns.region_id == region_id,
            columns.code == any_(literal(list(codes), ARRAY(Text))),
            columns.closed_on.is_not(None),
        )
        .order_by(columns.id)
        .with_for_update()
    )
    return {(row.code, row.closed_on): row for row in rows}


async def codes_by_login(
    session: AsyncSession, region_id: int, logins: Collection[str]
) -> dict[str, str]:
    """Return the codes of the open schools of a region that hold these logins."""
    rows = await session.execute(
        select(School.vpr_login, School.code).where(
            School.region_id == region_id,
            School.vpr_login == any_(literal(list(logins), ARRAY(Text))),
            School.closed_on.is_(None),
        )
    )
    return {str(row.vpr_login): row.code for row in rows}


class Place(NamedTuple):
    """Where a school stands."""

    id: int
    region_id: int
    municipality_id: int


async def places(session: AsyncSession, school_ids: Collection[int]) -> dict[int, Place]:
    """Return where each school stands; a school outside reach is absent."""
    rows = await session.execute(
        select(School.id, School.region_id, School.municipality_id).where(
            School.id == any_(literal(list(school_ids), ARRAY(BigInteger)))
        )
    )
    return {row.id: Place(row.id, row.region_id, row.municipality_id) for row in rows}


async def sizes(
    session: AsyncSession,
    *,
    year: int | None,
    school_id: int | None,
    municipality_id: int | None,
    ask: PageAsk,
) -> Rows:
    """Return sizes within reach, by year and school."""
    columns = SchoolSize.__table__.c
    listed: Select[Any] = select(*columns)
    for column, value in (
        (columns.year, year),
        (columns.school_id, school_id),
        (columns.municipality_id, municipality_id),
    ):
        if value is not None:
            listed = listed.where(column == value)
    return await keyset(session, listed, order=(columns.year, columns.school_id), ask=ask)


async def successions(
    session: AsyncSession, *, school_id: int | None, kind: SuccessionKind | None, ask: PageAsk
) -> Rows:
    """Return events of the network within reach; a school's are those on either side of it."""
    columns = Succession.__table__.c
    listed: Select[Any] = select(*columns)
    if school_id is not None:
        listed = listed.where(
            or_(columns.school_id == school_id, columns.predecessor_id == school_id)
        )
    if kind is not None:
        listed = listed.where(columns.kind == kind)
    return await keyset(session, listed, order=(columns.happened_on, columns.id), ask=ask)


async def succession(session: AsyncSession, event_id: int) -> Row[Any] | None:
    """Return one event of the network within reach."""
    rows = await session.execute(
        select(*Succession.__table__.c).where(Succession.__table__.c.id == event_id)
    )
    return rows.one_or_none()


_LINEAGE = text(
    """
    WITH RECURSIVE earlier AS (
        SELECT s.id, s.kind, s.school_id, s.predecessor_id, s.happened_on, 1 AS steps
        FROM succession s WHERE s.school_id = :school_id AND s.predecessor_id IS NOT NULL
      UNION
        SELECT s.id, s.kind, s.school_id, s.predecessor_id, s.happened_on, earlier.steps + 1
        FROM succession s JOIN earlier ON s.school_id = earlier.predecessor_id
        WHERE s.predecessor_id IS NOT NULL AND earlier.steps < 50
    ), later AS (
        SELECT s.id, s.kind, s.school_id, s.predecessor_id, s.happened_on, 1 AS steps
        FROM succession s WHERE s.predecessor_id = :school_id
      UNION
        SELECT s.id, s.kind, s.school_id, s.predecessor_id, s.happened_on, later.steps + 1
        FROM succession s JOIN later ON s.predecessor_id = later.school_id
        WHERE later.steps < 50
    )
    SELECT id, kind, school_id, predecessor_id, happened_on, 'predecessors' AS side, min(steps) AS steps
    FROM earlier GROUP BY id, kind, school_id, predecessor_id, happened_on
    UNION ALL
    SELECT id, kind, school_id, predecessor_id, happened_on, 'successors', min(steps)
    FROM later GROUP BY id, kind, school_id, predecessor_id, happened_on
    ORDER BY side, steps, id
    """
)


async def lineage(session: AsyncSession, school_id: int) -> Sequence[Row[Any]]:
    """Return every merge and split on the way to and from a school, nearest first."""
    return (await session.execute(_LINEAGE, {"school_id": school_id})).all()


_DESCENDS = text(
    """
    WITH RECURSIVE later AS (
        SELECT s.school_id FROM succession s WHERE s.predecessor_id = :ancestor_id
      UNION
        SELECT s.school_id FROM succession s JOIN later ON s.predecessor_id = later.school_id
    )
    SELECT EXISTS (SELECT FROM later WHERE school_id = :school_id)
    """
)


async def is_descendant(session: AsyncSession, school_id: int, *, of: int) -> bool:
    """Tell whether a school came, over any number of steps, from another."""
    found = await session.scalar(_DESCENDS, {"ancestor_id": of, "school_id": school_id})
    return bool(found)
