"""Everything that reads attributes and profiles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.profiles.tables import ProfileAttribute, SchoolProfile
from services.indicators.projection.tables import School
from services.kit.pages import PageAsk, Rows, keyset
from services.kit.problems import Problem

__all__ = [
    "AttributeNotFound",
    "AttributeStates",
    "ProfileNotFound",
    "attribute_states",
    "attributes",
    "attributes_by_code",
    "pairs",
    "profiles",
    "schools_by_id",
    "schools_of_year",
    "visible_attribute",
    "visible_profile",
]


class AttributeNotFound(Problem):
    """There is no such attribute in the caller's region."""

    status = 404
    title = "Признак не найден"


class ProfileNotFound(Problem):
    """There is no such profile for the caller."""

    status = 404
    title = "Профиль не найден"


async def attributes(
    session: AsyncSession, *, group: str | None, is_retired: bool | None, ask: PageAsk
) -> Rows:
    """List attributes of the region, oldest first."""
    wanted = select(*ProfileAttribute.__table__.columns)
    if group is not None:
        wanted = wanted.where(ProfileAttribute.group == group)
    if is_retired is not None:
        wanted = wanted.where(ProfileAttribute.is_retired == is_retired)
    return await keyset(session, wanted, order=(ProfileAttribute.id,), ask=ask)


async def visible_attribute(session: AsyncSession, attribute_id: int) -> ProfileAttribute:
    """Read one attribute.

    Raises:
        AttributeNotFound: None is visible under this id.
    """
    found = await session.get(ProfileAttribute, attribute_id)
    if found is None:
        raise AttributeNotFound(f"Признак {attribute_id} не найден")
    return found


async def attributes_by_code(session: AsyncSession) -> dict[str, ProfileAttribute]:
    """Read all attributes of the region, also retired ones, by code and in its order."""
    found = await session.scalars(select(ProfileAttribute).order_by(ProfileAttribute.code))
    return {attribute.code: attribute for attribute in found}


async def profiles(
    session: AsyncSession,
    *,
    year: int | None,
    school_id: int | None,
    municipality_id: int | None,
    ask: PageAsk,
) -> Rows:
    """List profiles by year and school."""
    wanted = select(
        SchoolProfile.id,
        SchoolProfile.school_id,
        SchoolProfile.municipality_id,
        SchoolProfile.year,
        SchoolProfile.filled,
        SchoolProfile.not_applicable,
        SchoolProfile.version,
        SchoolProfile.updated_at,
    )
    if year is not None:
        wanted = wanted.where(SchoolProfile.year == year)
    if school_id is not None:
        wanted = wanted.where(SchoolProfile.school_id == school_id)
    if municipality_id is not None:
        wanted = wanted.where(SchoolProfile.municipality_id == municipality_id)
    order = (SchoolProfile.year, SchoolProfile.school_id)
    return await keyset(session, wanted, order=order, ask=ask)


async def visible_profile(
    session: AsyncSession, profile_id: int, *, locked: bool = False
) -> SchoolProfile:
    """Read one profile, locked when it is about to be changed.

    Raises:
        ProfileNotFound: None is visible under this id.
    """
    wanted = select(SchoolProfile).where(SchoolProfile.id == profile_id)
    found = await session.scalar(wanted.with_for_update() if locked else wanted)
    if found is None:
        raise ProfileNotFound
    return found


async def schools_by_id(session: AsyncSession, ids: Sequence[int]) -> dict[int, School]:
    """Read the schools of these ids that the caller sees."""
    found = await session.scalars(select(School).where(School.id.in_(ids)))
    return {school.id: school for school in found}


# A school year runs from 1 September of the year before to 31 August.
_SCHOOLS = text(
    """
    SELECT id, code, name, municipality_id FROM school
    WHERE (opened_on IS NULL OR opened_on <= make_date(:year, 8, 31))
      AND (closed_on IS NULL OR closed_on >= make_date(:year - 1, 9, 1))
    ORDER BY id
    """
)


async def schools_of_year(session: AsyncSession, year: int) -> Sequence[Any]:
    """List the schools in sight that worked in a school year: id, code, name, municipality_id."""
    return (await session.execute(_SCHOOLS, {"year": year})).all()


@dataclass(frozen=True)
class AttributeStates:
    """What is known of an attribute over schools."""

    numbers: Sequence[Decimal]
    not_applicable: int


_STATES = text(
    """
    SELECT cell.code, cell.body ->> 'state' AS state, cell.body ->> 'value' AS value
    FROM school_profile p
    JOIN school s ON s.id = p.school_id
        AND (s.opened_on IS NULL OR s.opened_on <= make_date(:year, 8, 31))
        AND (s.closed_on IS NULL OR s.closed_on >= make_date(:year - 1, 9, 1))
    CROSS JOIN LATERAL jsonb_each(p."values") AS cell(code, body)
    WHERE p.year = :year AND cell.code = ANY (CAST(:codes AS text[]))
    """
)


async def attribute_states(
    session: AsyncSession, *, year: int, codes: Sequence[str]
) -> Mapping[str, AttributeStates]:
    """Read the numbers of attributes over the schools in sight that worked in the year."""
    numbers: dict[str, list[Decimal]] = {code: [] for code in codes}
    elsewhere = dict.fromkeys(codes, 0)
    for row in await session.execute(_STATES, {"year": year, "codes": list(codes)}):
        if row.value is not None:
            numbers[row.code].append(Decimal(row.value))
        elif row.state == "not_applicable":
            elsewhere[row.code] += 1
    return {code: AttributeStates(numbers[code], elsewhere[code]) for code in codes}


_PAIRS = text(
    """
    SELECT p."values" -> :x ->> 'value' AS x, p."values" -> :y ->> 'value' AS y
    FROM school_profile p WHERE p.year = :year
    """
)


async def pairs(
    session: AsyncSession, *, year: int, x: str, y: str
) -> tuple[list[Decimal | None], list[Decimal | None]]:
    """Read two attributes of every profile in sight, in one order."""
    rows = (await session.execute(_PAIRS, {"year": year, "x": x, "y": y})).all()
    return (
        [None if row.x is None else Decimal(row.x) for row in rows],
        [None if row.y is None else Decimal(row.y) for row in rows],
    )
