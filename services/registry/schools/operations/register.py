"""One school: entering it, changing it, closing it, taking a closing back."""

from datetime import date
from typing import Any

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit import etags
from services.kit.problems import Problem, ValidationFailed, constraint_problems
from services.registry.schools.operations import network
from services.registry.schools.schemas import (
    Closure,
    SchoolFields,
    SchoolIn,
    SchoolPatch,
    SuccessionIn,
)
from services.registry.schools.tables import ATTRIBUTES, School
from services.registry.schools.terms import SuccessionKind
from services.registry.territory import operations as territory
from services.registry.territory import queries as territory_queries

__all__ = [
    "AlreadyClosed",
    "EarlierThanState",
    "NotClosed",
    "SchoolCodeTaken",
    "VprLoginTaken",
    "broken_rules",
    "change",
    "close",
    "enter",
    "reopen",
    "taken",
    "valid_since",
]


class SchoolCodeTaken(Problem):
    """An open school of the region has the code."""

    status = 409
    title = "Действующая школа с таким кодом в регионе уже есть"


class VprLoginTaken(Problem):
    """An open school of the region has the login."""

    status = 409
    title = "Такой логин ВПР уже указан у другой действующей школы региона"


class EarlierThanState(Problem):
    """The change is dated before the state it would change began."""

    status = 409
    title = "Изменение раньше начала действующего состояния"


class AlreadyClosed(Problem):
    """The school is closed already."""

    status = 409
    title = "Школа уже закрыта"


class NotClosed(Problem):
    """There is no closing to take back."""

    status = 409
    title = "Школа не закрыта"


def taken() -> dict[str, Problem]:
    """Return what the unique constraints of schools mean to a caller."""
    return {
        "uq_school_region_id_code": SchoolCodeTaken(
            hint="Найдите её: GET /schools?code=...; новые сведения вносит PATCH"
        ),
        "uq_school_region_id_vpr_login": VprLoginTaken(),
    }


async def enter(session: AsyncSession, new: SchoolIn, *, today: date) -> School:
    """Enter a school into the registry.

    Raises:
        MunicipalityNotFound: Outside reach.
        SchoolCodeTaken, VprLoginTaken: An open school of the region holds it.
    """
    municipality = await territory.visible_municipality(session, new.municipality_id)
    await _refuse_foreign_oktmo(session, municipality.region_id, new.oktmo)
    if new.valid_from is not None and new.valid_from > today:
        raise _in_future("/valid_from")
    school = School(
        **new.model_dump(exclude={"valid_from"}),
        region_id=municipality.region_id,
        valid_from=valid_since(new.valid_from, new.opened_on, today=today),
    )
    session.add(school)
    async with constraint_problems(taken()):
        await session.flush()
    return school


def valid_since(stated: date | None, opened_on: date | None, *, today: date) -> date | None:
    """Return since when a new school's first state holds; None when nobody knows."""
    if stated is not None:
        return stated
    return opened_on if opened_on is not None and opened_on <= today else None


async def change(
    session: AsyncSession, school_id: int, patch: SchoolPatch, *, expected: int, today: date
) -> School:
    """Change what the patch names; the former state stays in the history.

    Raises:
        SchoolNotFound, MunicipalityNotFound: Outside reach.
        EarlierThanState: The change is dated before the present state began.
        SchoolCodeTaken, VprLoginTaken: An open school of the region holds it.
    """
    school = await network.locked_school(session, school_id)
    etags.check(expected, school.version)
    changed = {
        name: value for name, value in patch.changes().items() if value != getattr(school, name)
    }
    if not changed:
        return school
    school_after = {name: changed.get(name, getattr(school, name)) for name in ATTRIBUTES}
    if errors := broken_rules(school_after):
        raise ValidationFailed("После изменения сведения противоречат друг другу", errors=errors)
    await _refuse_foreign_oktmo(session, school.region_id, patch.oktmo)
    if "municipality_id" in changed:
        target = await territory.visible_municipality(session, int(changed["municipality_id"]))
        if target.region_id != school.region_id:
            raise territory.MunicipalityNotFound
    if not patch.is_correction:
        school.valid_from = _effective(school, patch.effective_on or today, today=today)
    for name, value in changed.items():
        setattr(school, name, value)
    async with constraint_problems(taken()):
        await session.flush()
    return school


def _effective(school: School, effective_on: date, *, today: date) -> date:
    if effective_on > today:
        raise _in_future("/effective_on")
    if school.valid_from is not None and effective_on < school.valid_from:
        raise EarlierThanState(
            f"Действующее состояние начинается {school.valid_from:%d.%m.%Y}",
            hint="Укажите effective_on не раньше этой даты или is_correction = true, "
            "если прежнее значение было ошибкой",
            valid_from=school.valid_from.isoformat(),
        )
    return effective_on


def broken_rules(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is wrong with a complete set of attributes; empty when nothing is."""
    try:
        SchoolFields.model_validate(attributes)
    except ValidationError as error:
        return [
            {
                "pointer": "/" + "/".join(str(step) for step in found["loc"]),
                "code": found["type"],
                "detail": str(found.get("ctx", {}).get("error", "Недопустимое значение")),
            }
            for found in error.errors(include_url=False)
        ]
    return []


async def close(
    session: AsyncSession, school_id: int, closure: Closure, *, expected: int, today: date
) -> School:
    """Close a school; with a successor the merge enters the network's history.

    Raises:
        SchoolNotFound: The school or its successor is outside reach.
        AlreadyClosed: It is closed.
    """
    school = await network.locked_school(session, school_id)
    etags.check(expected, school.version)
    if school.closed_on is not None:
        raise AlreadyClosed(
            f"Закрыта с {school.closed_on:%d.%m.%Y}", closed_on=school.closed_on.isoformat()
        )
    if school.opened_on is not None and closure.closed_on < school.opened_on:
        raise ValidationFailed(
            errors=[
                {
                    "pointer": "/closed_on",
                    "code": "before_opening",
                    "detail": f"Школа открыта позже: {school.opened_on:%d.%m.%Y}",
                }
            ]
        )
    school.closed_on = closure.closed_on
    # «Как было» on the day of closing has to say closed, so the new state begins that day.
    since = min(closure.closed_on, today)
    school.valid_from = since if school.valid_from is None else max(since, school.valid_from)
    await session.flush()
    merged = closure.successor_id is not None
    await network.record(
        session,
        SuccessionIn(
            kind=SuccessionKind.MERGE if merged else SuccessionKind.CLOSURE,
            school_id=closure.successor_id if closure.successor_id is not None else school_id,
            predecessor_id=school_id if merged else None,
            happened_on=closure.closed_on,
            order_number=closure.order_number,
            order_date=closure.order_date,
            note=closure.note,
        ),
    )
    return school


async def reopen(session: AsyncSession, school_id: int, *, expected: int) -> School:
    """Take a closing back as a correction of the present state; its events stay in the network.

    Raises:
        SchoolNotFound: Outside reach.
        NotClosed: It is not closed.
        SchoolCodeTaken: Another school has been given the code meanwhile.
    """
    school = await network.locked_school(session, school_id)
    etags.check(expected, school.version)
    if school.closed_on is None:
        raise NotClosed
    school.closed_on = None
    async with constraint_problems(taken()):
        await session.flush()
    return school


async def _refuse_foreign_oktmo(session: AsyncSession, region_id: int, oktmo: str | None) -> None:
    if oktmo is None:
        return
    prefix = (await territory_queries.oktmo_prefixes(session, [region_id])).get(region_id)
    if prefix is not None and not oktmo.startswith(prefix):
        raise ValidationFailed(
            errors=[
                {
                    "pointer": "/oktmo",
                    "code": "oktmo_region",
                    "detail": f"ОКТМО региона начинается с {prefix}",
                }
            ]
        )


def _in_future(pointer: str) -> ValidationFailed:
    return ValidationFailed(
        errors=[{"pointer": pointer, "code": "in_future", "detail": "Дата не может быть в будущем"}]
    )
