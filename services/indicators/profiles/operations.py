"""Everything that changes attributes and profiles."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.values import State
from services.indicators.profiles import queries
from services.indicators.profiles.catalogue import catalogue
from services.indicators.profiles.cells import CellRefused, Kind, checked, stored
from services.indicators.profiles.schemas import (
    AdoptionIn,
    AttributeIn,
    AttributePatch,
    BulkProfilesIn,
    CellIn,
    ProfileIn,
    ProfilePut,
)
from services.indicators.profiles.tables import ProfileAttribute, SchoolProfile
from services.indicators.projection.tables import School
from services.kit.etags import check
from services.kit.principals import Principal
from services.kit.problems import Problem, ValidationFailed, constraint_problems

__all__ = [
    "AttributeExists",
    "CatalogueAttributeUnknown",
    "ProfileExists",
    "ProfileSchoolNotFound",
    "add_attribute",
    "add_profile",
    "adopt",
    "change_attribute",
    "region_of",
    "replace_cells",
    "write_cells",
    "write_profiles",
]

Values = dict[str, Any]
Errors = list[dict[str, Any]]


class AttributeExists(Problem):
    """The region already has an attribute of this code."""

    status = 409
    title = "Признак с таким кодом уже есть"


class CatalogueAttributeUnknown(Problem):
    """The shipped catalogue has no such attribute."""

    status = 409
    title = "В каталоге нет такого признака"


class ProfileExists(Problem):
    """The school already has a profile of this year."""

    status = 409
    title = "Профиль школы за этот год уже есть"


class ProfileSchoolNotFound(Problem):
    """The school does not exist for the caller."""

    status = 404
    title = "Школа не найдена"


def region_of(by: Principal) -> int:
    """Return the region that the caller writes for.

    Raises:
        ValidationFailed: The caller belongs to no region.
    """
    if by.reach.region_id is None:
        raise ValidationFailed(
            errors=[{"pointer": "", "code": "no_region", "detail": "Токен не привязан к региону"}]
        )
    return by.reach.region_id


async def adopt(session: AsyncSession, wish: AdoptionIn, *, by: Principal) -> dict[str, list[str]]:
    """Take attributes of the shipped catalogue; those that are there stay as they are.

    Raises:
        CatalogueAttributeUnknown: A code is not in the catalogue.
    """
    region_id = region_of(by)
    shipped = catalogue()
    codes = list(dict.fromkeys(wish.codes or shipped))
    if unknown := [code for code in codes if code not in shipped]:
        raise CatalogueAttributeUnknown(
            f"Нет в каталоге: {', '.join(unknown)}",
            hint="Список: GET /api/indicators/v1/profile-attributes/catalogue; свой признак "
            "заводится POST /profile-attributes",
            codes=unknown,
        )
    known = await queries.attributes_by_code(session)
    added = [code for code in codes if code not in known]
    session.add_all(
        ProfileAttribute(region_id=region_id, created_by=by.subject, **_columns(shipped[code]))
        for code in added
    )
    taken = AttributeExists("Признаки только что добавил кто-то другой", hint="Повторите запрос")
    async with constraint_problems({"uq_profile_attribute_region_id_code": taken}):
        await session.flush()
    return {"added": added, "known": [code for code in codes if code in known]}


def _columns(attribute: Any) -> dict[str, Any]:
    return {
        name: getattr(attribute, name)
        for name in ("code", "title", "kind", "unit", "group", "source", "is_about_pupils")
    }


async def add_attribute(
    session: AsyncSession, new: AttributeIn, *, by: Principal
) -> ProfileAttribute:
    """Add an attribute of the region's own.

    Raises:
        AttributeExists: The code is taken, perhaps by a retired one.
    """
    attribute = ProfileAttribute(region_id=region_of(by), created_by=by.subject, **_columns(new))
    session.add(attribute)
    taken = AttributeExists(
        f"Код {new.code} занят",
        hint="Возьмите другой код или верните прежний признак: PATCH с is_retired = false",
    )
    async with constraint_problems({"uq_profile_attribute_region_id_code": taken}):
        await session.flush()
    await session.refresh(attribute)
    return attribute


async def change_attribute(
    session: AsyncSession, attribute_id: int, patch: AttributePatch, *, expected: int
) -> ProfileAttribute:
    """Change the wording of an attribute, or whether it is still asked.

    Raises:
        AttributeNotFound: Outside reach.
        StaleVersion: Somebody changed it meanwhile.
    """
    attribute = await queries.visible_attribute(session, attribute_id)
    check(expected, attribute.version)
    for name, value in patch.model_dump(exclude_unset=True, exclude_none=True).items():
        setattr(attribute, name, value)
    await session.flush()
    await session.refresh(attribute)
    return attribute


async def add_profile(
    session: AsyncSession, new: ProfileIn, *, by: Principal, now: datetime
) -> SchoolProfile:
    """Write the first profile of a school and year.

    Raises:
        ProfileSchoolNotFound: The school lies outside reach.
        ProfileExists: It has a profile of the year.
        ValidationFailed: A cell contradicts its attribute.
    """
    schools = await queries.schools_by_id(session, [new.school_id])
    if new.school_id not in schools:
        raise ProfileSchoolNotFound
    known = await queries.attributes_by_code(session)
    values = _refuse_errors(*_read(new.cells, known, "/cells"))
    profile = _profile(schools[new.school_id], new.year)
    _fill(profile, _present(values), by=by.subject, now=now)
    session.add(profile)
    taken = ProfileExists(
        f"Профиль школы {new.school_id} за {new.year} год есть",
        hint="Найдите его: GET /school-profiles?school_id=…&year=… и замените PUT с If-Match",
    )
    async with constraint_problems({"uq_school_profile_school_id_year": taken}):
        await session.flush()
    await session.refresh(profile)
    return profile


async def replace_cells(
    session: AsyncSession,
    profile_id: int,
    put: ProfilePut,
    *,
    expected: int,
    by: Principal,
    now: datetime,
) -> SchoolProfile:
    """Write all cells of a profile anew.

    Raises:
        ProfileNotFound: Outside reach.
        StaleVersion: Somebody changed it meanwhile.
        ValidationFailed: A cell contradicts its attribute.
    """
    profile = await queries.visible_profile(session, profile_id, locked=True)
    check(expected, profile.version)
    known = await queries.attributes_by_code(session)
    values = _refuse_errors(*_read(put.cells, known, "/cells"))
    _fill(profile, _present(values), by=by.subject, now=now)
    await session.flush()
    await session.refresh(profile)
    return profile


async def write_profiles(
    session: AsyncSession, bulk: BulkProfilesIn, *, by: Principal, now: datetime
) -> dict[str, int]:
    """Write some cells of many schools: all or nothing, everything wrong told at once.

    Raises:
        ValidationFailed: A school is unknown or named twice, or a cell contradicts its attribute.
    """
    schools = await queries.schools_by_id(session, [one.school_id for one in bulk.profiles])
    known = await queries.attributes_by_code(session)
    errors: Errors = []
    wishes: dict[int, Values] = {}
    for place, one in enumerate(bulk.profiles):
        pointer = f"/profiles/{place}"
        if one.school_id not in schools:
            errors.append(_error(f"{pointer}/school_id", "school_not_found", "Школа не найдена"))
        elif one.school_id in wishes:
            errors.append(_error(f"{pointer}/school_id", "repeated", "Школа названа дважды"))
        values, wrong = _read(one.cells, known, f"{pointer}/cells")
        wishes[one.school_id] = values
        errors += wrong
    if errors:
        raise ValidationFailed(errors=errors[:1000])
    return await write_cells(session, schools, wishes, year=bulk.year, by=by.subject, now=now)


async def write_cells(
    session: AsyncSession,
    schools: Mapping[int, School],
    wishes: Mapping[int, Values],
    *,
    year: int,
    by: str,
    now: datetime,
) -> dict[str, int]:
    """Put checked cells into the profiles of a year, leaving others alone; count what happened.

    A cell whose state is not_submitted takes away what was written.
    """
    found = await session.scalars(
        select(SchoolProfile)
        .where(SchoolProfile.school_id.in_(list(wishes)), SchoolProfile.year == year)
        .order_by(SchoolProfile.id)
        .with_for_update()
    )
    present = {profile.school_id: profile for profile in found}
    done = {"created": 0, "updated": 0, "unchanged": 0}
    for school_id, wish in wishes.items():
        profile = present.get(school_id)
        values = _present({**(profile.values if profile else {}), **wish})
        if profile is None:
            profile = _profile(schools[school_id], year)
            session.add(profile)
            done["created"] += 1
        elif _without_origin(values) == _without_origin(profile.values):
            done["unchanged"] += 1
            continue
        else:
            done["updated"] += 1
        _fill(profile, values, by=by, now=now)
    taken = ProfileExists("Профили только что записал кто-то другой", hint="Повторите запрос")
    async with constraint_problems({"uq_school_profile_school_id_year": taken}):
        await session.flush()
    return done


def _without_origin(values: Values) -> Values:
    """Leave out by which import a cell came: the same cell in another file changes nothing."""
    return {
        code: {name: value for name, value in cell.items() if name not in {"import_id", "row_no"}}
        for code, cell in values.items()
    }


def _profile(school: School, year: int) -> SchoolProfile:
    return SchoolProfile(
        region_id=school.region_id,
        municipality_id=school.municipality_id,
        school_id=school.id,
        year=year,
    )


def _fill(profile: SchoolProfile, values: Values, *, by: str, now: datetime) -> None:
    profile.values = values
    profile.filled = sum(cell["state"] == State.VALUE for cell in values.values())
    profile.not_applicable = len(values) - profile.filled
    profile.updated_by, profile.updated_at = by, now


def _present(values: Values) -> Values:
    """Drop the cells of which nothing is known: what is absent was not submitted."""
    return {
        code: cell for code, cell in sorted(values.items()) if cell["state"] != State.NOT_SUBMITTED
    }


def _read(
    cells: Sequence[CellIn], known: Mapping[str, ProfileAttribute], pointer: str
) -> tuple[Values, Errors]:
    """Check cells against their attributes; give what to keep, and everything that is wrong."""
    values: Values = {}
    errors: Errors = []
    for place, cell in enumerate(cells):
        at = f"{pointer}/{place}"
        attribute = known.get(cell.attribute)
        if attribute is None:
            errors.append(_error(f"{at}/attribute", "attribute_unknown", "Такого признака нет"))
        elif attribute.is_retired:
            errors.append(
                _error(f"{at}/attribute", "attribute_retired", "Признак больше не спрашивается")
            )
        elif cell.attribute in values:
            errors.append(_error(f"{at}/attribute", "repeated", "Признак назван дважды"))
        else:
            try:
                sound = checked(
                    Kind(attribute.kind),
                    State(cell.state),
                    value=cell.value,
                    numerator=cell.numerator,
                    denominator=cell.denominator,
                )
            except CellRefused as refused:
                errors.append(_error(f"{at}/{refused.field}", refused.code, str(refused)))
            else:
                values[cell.attribute] = stored(sound, cell.source)
    return values, errors


def _refuse_errors(values: Values, errors: Errors) -> Values:
    if errors:
        raise ValidationFailed(errors=errors)
    return values


def _error(pointer: str, code: str, detail: str) -> dict[str, Any]:
    return {"pointer": pointer, "code": code, "detail": detail}
