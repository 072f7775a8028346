"""Many schools or sizes at once: all or nothing, one statement for the new and one for the changed.

The import of files ends here too, so a file and the API cannot come to differ in their rules.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit.problems import ValidationFailed, constraint_problems
from services.registry.schools import queries
from services.registry.schools.operations import register
from services.registry.schools.schemas import (
    BulkOut,
    BulkRow,
    SchoolBulkIn,
    SizeBulkIn,
    SizeBulkOut,
)
from services.registry.schools.tables import ATTRIBUTES
from services.registry.territory import queries as territory

__all__ = [
    "Draft",
    "Plan",
    "plan",
    "store_sizes",
    "unchanged_sizes",
    "write",
    "write_schools",
    "write_sizes",
]

Outcome = Literal["created", "updated", "unchanged"]
Errors = list[dict[str, Any]]

_COLUMNS = ("municipality_id", "valid_from", *ATTRIBUTES)

_INSERT = text(
    f"""
    INSERT INTO school (region_id, {", ".join(_COLUMNS)})
    SELECT r.region_id, {", ".join(f"r.{name}" for name in _COLUMNS)}
    FROM jsonb_populate_recordset(CAST(NULL AS school), CAST(:rows AS jsonb)) r
    RETURNING id, code
    """
)
_UPDATE = text(
    f"""
    UPDATE school SET version = school.version + 1,
           {", ".join(f"{name} = r.{name}" for name in _COLUMNS)}
    FROM jsonb_populate_recordset(CAST(NULL AS school), CAST(:rows AS jsonb)) r
    WHERE school.id = r.id
    """
)
_UPSERT_SIZES = text(
    """
    INSERT INTO school_size (region_id, municipality_id, school_id, year, pupils, classes, source)
    SELECT s.region_id, s.municipality_id, s.id, r.year, r.pupils, r.classes, r.source
    FROM jsonb_populate_recordset(CAST(NULL AS school_size), CAST(:rows AS jsonb)) r
    JOIN school s ON s.id = r.school_id
    ON CONFLICT (school_id, year) DO UPDATE
    SET pupils = excluded.pupils, classes = excluded.classes, source = excluded.source,
        version = school_size.version + 1
    WHERE (school_size.pupils, school_size.classes, school_size.source)
          IS DISTINCT FROM (excluded.pupils, excluded.classes, excluded.source)
    RETURNING (xmax = 0) AS is_new
    """
)

_UNCHANGED_SIZES = text(
    """
    SELECT s.school_id, s.year
    FROM jsonb_populate_recordset(CAST(NULL AS school_size), CAST(:rows AS jsonb)) r
    JOIN school_size s ON s.school_id = r.school_id AND s.year = r.year
    WHERE (s.pupils, s.classes, s.source) IS NOT DISTINCT FROM (r.pupils, r.classes, r.source)
    """
)


@dataclass(frozen=True)
class Draft:
    """A school as a caller gives it: only the columns that are named."""

    region_id: int
    values: Mapping[str, Any]
    valid_from: date | None = None

    @property
    def code(self) -> str:
        """Return the natural key within the region."""
        return str(self.values["code"])


@dataclass
class Plan:
    """What a write would do, and what is wrong with it, before anything is written."""

    creates: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    errors: dict[int, Errors] = field(default_factory=dict)


async def plan(
    session: AsyncSession, drafts: Sequence[Draft], *, effective_on: date, today: date
) -> Plan:
    """Compare the drafts, all of one region, with what is stored; lock the schools they concern.

    Args:
        session: The transaction that will write.
        drafts: Schools with codes that do not repeat.
        effective_on: Since when changes of known schools hold.
        today: The present day, UTC.
    """
    made = Plan()
    if not drafts:
        return made
    region_id = drafts[0].region_id
    known = await queries.open_schools_by_code(session, region_id, [draft.code for draft in drafts])
    # A list that still names a school with its day of closing means that school, not a new one.
    closings = {draft.code for draft in drafts if draft.values.get("closed_on") is not None}
    closed = await queries.closed_schools_by_code(session, region_id, closings)
    for position, draft in enumerate(drafts):
        stored = known.get(draft.code) or closed.get((draft.code, draft.values.get("closed_on")))
        before = dict(stored._mapping) if stored else dict.fromkeys(_COLUMNS)  # noqa: SLF001  the public name of a row's mapping
        after = {name: before[name] for name in _COLUMNS} | dict(draft.values)
        if errors := register.broken_rules({name: after[name] for name in ATTRIBUTES}):
            made.errors[position] = errors
            made.outcomes.append("unchanged")
            continue
        if stored is None:
            after["valid_from"] = register.valid_since(
                draft.valid_from, after["opened_on"], today=today
            )
            made.creates.append(after | {"region_id": region_id})
            made.outcomes.append("created")
        elif all(after[name] == before[name] for name in _COLUMNS):
            made.ids[draft.code] = stored.id
            made.outcomes.append("unchanged")
        elif stored.valid_from is not None and effective_on < stored.valid_from:
            made.errors[position] = [_too_early(stored.valid_from)]
            made.outcomes.append("unchanged")
        else:
            made.ids[draft.code] = stored.id
            since = _since(stored, after["closed_on"], effective_on)
            made.updates.append(after | {"id": stored.id, "valid_from": since})
            made.outcomes.append("updated")
    return made


def _since(stored: Row[Any], closed_on: date | None, effective_on: date) -> date:
    """Return since when a change holds; a closing holds from its own day, as in `register.close`."""
    if closed_on is None or stored.closed_on is not None:
        return effective_on
    since = min(closed_on, effective_on)
    return since if stored.valid_from is None else max(since, stored.valid_from)


def _too_early(valid_from: date) -> dict[str, Any]:
    return {
        "pointer": "",
        "code": "earlier_than_state",
        "detail": f"Действующее состояние школы начинается {valid_from:%d.%m.%Y}: "
        "изменение не может быть раньше",
    }


async def write(session: AsyncSession, made: Plan) -> None:
    """Store what the plan says; afterwards `ids` knows every code.

    Raises:
        SchoolCodeTaken, VprLoginTaken: Another open school of the region holds it.
    """
    async with constraint_problems(register.taken()):
        if made.updates:
            await session.execute(_UPDATE, {"rows": _json(made.updates)})
        if made.creates:
            created = await session.execute(_INSERT, {"rows": _json(made.creates)})
            made.ids.update({row.code: row.id for row in created})


async def write_schools(session: AsyncSession, bulk: SchoolBulkIn, *, today: date) -> BulkOut:
    """Write up to a thousand schools of one region, or none.

    Raises:
        ValidationFailed: With a pointer for everything that is wrong.
        SchoolCodeTaken, VprLoginTaken: Another open school of the region holds it.
    """
    effective_on = bulk.effective_on or today
    regions = await territory.regions_of_municipalities(
        session, {school.municipality_id for school in bulk.schools}
    )
    prefixes = await territory.oktmo_prefixes(session, set(regions.values()))
    errors = [
        *_dates_in_future(bulk, effective_on, today),
        *_misplaced(bulk, regions, prefixes),
        *_repeated(bulk),
    ]
    if errors:
        raise ValidationFailed("Ничего не записано: исправьте перечисленное", errors=errors)
    drafts = [
        Draft(
            region_id=regions[school.municipality_id],
            values=school.model_dump(exclude_unset=True, exclude={"valid_from"}),
            valid_from=school.valid_from,
        )
        for school in bulk.schools
    ]
    made = await plan(session, drafts, effective_on=effective_on, today=today)
    if made.errors:
        raise ValidationFailed(
            "Ничего не записано: исправьте перечисленное",
            errors=[
                error | {"pointer": f"/schools/{position}{error['pointer']}"}
                for position, found in made.errors.items()
                for error in found
            ],
        )
    await write(session, made)
    return BulkOut(
        created=made.outcomes.count("created"),
        updated=made.outcomes.count("updated"),
        unchanged=made.outcomes.count("unchanged"),
        schools=[
            BulkRow(code=draft.code, id=made.ids[draft.code], outcome=outcome)
            for draft, outcome in zip(drafts, made.outcomes, strict=True)
        ],
    )


def _dates_in_future(bulk: SchoolBulkIn, effective_on: date, today: date) -> Errors:
    late = [("/effective_on", effective_on)]
    late += [
        (f"/schools/{position}/valid_from", school.valid_from)
        for position, school in enumerate(bulk.schools)
        if school.valid_from is not None
    ]
    return [
        {"pointer": pointer, "code": "in_future", "detail": "Дата не может быть в будущем"}
        for pointer, day in late
        if day > today
    ]


def _misplaced(
    bulk: SchoolBulkIn, regions: Mapping[int, int], prefixes: Mapping[int, str]
) -> Errors:
    errors: Errors = []
    home = next(iter(regions.values()), None)
    for position, school in enumerate(bulk.schools):
        region_id = regions.get(school.municipality_id)
        if region_id is None:
            errors.append(
                {
                    "pointer": f"/schools/{position}/municipality_id",
                    "code": "municipality_not_found",
                    "detail": "Муниципалитет не найден",
                }
            )
            continue
        if region_id != home:
            errors.append(
                {
                    "pointer": f"/schools/{position}/municipality_id",
                    "code": "several_regions",
                    "detail": "В одном запросе могут быть школы только одного региона",
                }
            )
        prefix = prefixes.get(region_id)
        if school.oktmo is not None and prefix is not None and not school.oktmo.startswith(prefix):
            errors.append(
                {
                    "pointer": f"/schools/{position}/oktmo",
                    "code": "oktmo_region",
                    "detail": f"ОКТМО региона начинается с {prefix}",
                }
            )
    return errors


def _repeated(bulk: SchoolBulkIn) -> Errors:
    errors: Errors = []
    first: dict[tuple[str, str], int] = {}
    for position, school in enumerate(bulk.schools):
        for column, value in (("code", school.code), ("vpr_login", school.vpr_login)):
            if value is None:
                continue
            earlier = first.setdefault((column, value), position)
            if earlier != position:
                errors.append(
                    {
                        "pointer": f"/schools/{position}/{column}",
                        "code": "repeated",
                        "detail": f"Повторяет значение школы с номером {earlier} в списке",
                    }
                )
    return errors


async def write_sizes(session: AsyncSession, bulk: SizeBulkIn) -> SizeBulkOut:
    """Write sizes of schools by year, or none; a size that is known is replaced.

    Raises:
        ValidationFailed: A school is outside reach, or a school and year repeat.
    """
    places = await queries.places(session, {size.school_id for size in bulk.sizes})
    errors: Errors = []
    first: dict[tuple[int, int], int] = {}
    for position, size in enumerate(bulk.sizes):
        if size.school_id not in places:
            errors.append(
                {
                    "pointer": f"/sizes/{position}/school_id",
                    "code": "school_not_found",
                    "detail": "Школа не найдена",
                }
            )
        if (earlier := first.setdefault((size.school_id, size.year), position)) != position:
            errors.append(
                {
                    "pointer": f"/sizes/{position}",
                    "code": "repeated",
                    "detail": f"Повторяет школу и год строки с номером {earlier} в списке",
                }
            )
    if errors:
        raise ValidationFailed("Ничего не записано: исправьте перечисленное", errors=errors)
    written = await store_sizes(session, [size.model_dump() for size in bulk.sizes])
    created = sum(written)
    return SizeBulkOut(
        created=created,
        updated=len(written) - created,
        unchanged=len(bulk.sizes) - len(written),
    )


async def store_sizes(session: AsyncSession, sizes: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Store sizes of visible schools; return for each row that changed whether it is new."""
    rows = await session.execute(_UPSERT_SIZES, {"rows": _json(sizes)})
    return [row.is_new for row in rows]


async def unchanged_sizes(
    session: AsyncSession, sizes: Sequence[Mapping[str, Any]]
) -> set[tuple[int, int]]:
    """Return of these sizes the (school, year) that are stored exactly so."""
    if not sizes:
        return set()
    rows = await session.execute(_UNCHANGED_SIZES, {"rows": _json(sizes)})
    return {(row.school_id, row.year) for row in rows}


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(rows, ensure_ascii=False, default=str)
