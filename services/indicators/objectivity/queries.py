"""Reading detections and their signs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import and_, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.objectivity.evidence import Evidence
from services.indicators.objectivity.narration import HINT, statement, to_check
from services.indicators.objectivity.schemas import SignOut
from services.indicators.objectivity.tables import (
    ObjectivityDetection,
    ObjectivitySchool,
    ObjectivitySign,
)
from services.indicators.procedures.tables import Procedure
from services.indicators.suppression.queries import Told
from services.kit.pages import PageAsk, Rows, keyset
from services.kit.problems import Problem

__all__ = [
    "DetectionNotComputed",
    "DetectionNotFound",
    "Sign",
    "SignFilter",
    "SignNotFound",
    "asked_schools",
    "computed",
    "current_ids",
    "detected_schools",
    "detection",
    "detection_out",
    "detections",
    "sign",
    "sign_out",
    "signs",
    "signs_of",
]


class DetectionNotFound(Problem):
    """There is no such detection for the caller."""

    status = 404
    title = "Выявление признаков не найдено"


class SignNotFound(Problem):
    """There is no such sign for the caller."""

    status = 404
    title = "Признак не найден"


class DetectionNotComputed(Problem):
    """The detection has no answers yet, or was refused."""

    status = 409
    title = "Признаки ещё не посчитаны"


# What rules of identification read ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign as rules of identification count it."""

    id: int
    school_id: int
    year: int
    detector: str
    procedure_id: int | None
    subject: str | None


# Per year the newest detection that was computed and is not voided.
_CURRENT = """
    SELECT DISTINCT ON (d.year) d.id FROM objectivity_detection d
    WHERE d.region_id = :region_id AND d.year = ANY (:years) AND d.state IN ('computed', 'published')
    ORDER BY d.year, d.id DESC
"""


async def current_ids(session: AsyncSession, *, region_id: int, years: Sequence[int]) -> list[int]:
    """Name the current detection of each of the years that has one."""
    found = await session.scalars(
        text(_CURRENT), {"region_id": region_id, "years": sorted(set(years))}
    )
    return list(found)


async def signs(session: AsyncSession, *, region_id: int, years: Sequence[int]) -> list[Sign]:
    """Read the signs of the region's current detections that nobody has withdrawn.

    A year without a detection gives none, which is not "no": see `asked_schools`.

    Returns:
        By school, year, detector, procedure and subject.
    """
    current = await current_ids(session, region_id=region_id, years=years)
    rows = await session.execute(
        select(
            ObjectivitySign.id,
            ObjectivitySign.school_id,
            ObjectivitySign.year,
            ObjectivitySign.detector,
            ObjectivitySign.procedure_id,
            ObjectivitySign.subject,
        ).where(
            ObjectivitySign.detection_id.in_(current),
            ObjectivitySign.review != "withdrawn",
        )
    )
    found = [Sign(*row) for row in rows]
    return sorted(
        found,
        key=lambda s: (s.school_id, s.year, s.detector, s.procedure_id or 0, s.subject or "", s.id),
    )


async def asked_schools(
    session: AsyncSession, *, region_id: int, years: Sequence[int]
) -> set[tuple[int, int]]:
    """Tell of which schools in which years at least one question was asked: (school_id, year).

    A school that is not here has unknown objectivity in that year: no detection, no results, or too
    few pupils for every detector. Source: methodology B4, rules of sample size.
    """
    rows = await session.execute(
        text(
            f"""
            SELECT s.school_id, d.year
            FROM objectivity_school s JOIN objectivity_detection d ON d.id = s.detection_id
            WHERE d.id IN ({_CURRENT}) AND s.asked + s.limited > 0
            """
        ),
        {"region_id": region_id, "years": sorted(set(years))},
    )
    return {(row.school_id, row.year) for row in rows}


# What people read ---------------------------------------------------------------------------------

_SHOWN = (
    "id", "year", "state", "note", "settings_hash", "counts", "created_by", "created_at",
    "computed_at", "published_at", "version",
)  # fmt: skip


async def detections(
    session: AsyncSession, *, year: int | None, state: str | None, ask: PageAsk
) -> tuple[list[dict[str, Any]], Rows]:
    """List detections by number, optionally of one year or in one state."""
    wanted = select(
        *(getattr(ObjectivityDetection, name) for name in _SHOWN), ObjectivityDetection.region_id
    )
    if year is not None:
        wanted = wanted.where(ObjectivityDetection.year == year)
    if state is not None:
        wanted = wanted.where(ObjectivityDetection.state == state)
    rows = await keyset(session, wanted, order=(ObjectivityDetection.id,), ask=ask)
    current: set[int] = set()
    for region_id in sorted({row.region_id for row in rows.items}):
        years = [row.year for row in rows.items if row.region_id == region_id]
        current |= set(await current_ids(session, region_id=region_id, years=years))
    shown = [
        {name: getattr(row, name) for name in _SHOWN} | {"is_current": row.id in current}
        for row in rows.items
    ]
    return shown, rows


async def detection(session: AsyncSession, detection_id: int) -> ObjectivityDetection:
    """Read one detection.

    Raises:
        DetectionNotFound: None is visible under this id.
    """
    found = await session.get(ObjectivityDetection, detection_id)
    if found is None:
        raise DetectionNotFound(f"Выявление признаков {detection_id} не найдено")
    return found


async def detection_out(session: AsyncSession, found: ObjectivityDetection) -> dict[str, Any]:
    """Give a detection as it travels."""
    current = await current_ids(session, region_id=found.region_id, years=[found.year])
    columns = {column.key: getattr(found, column.key) for column in found.__table__.columns}
    return columns | {"questions": found.tests, "is_current": found.id in current}


async def computed(session: AsyncSession, detection_id: int) -> ObjectivityDetection:
    """Read one detection that has answers.

    Raises:
        DetectionNotFound: None is visible under this id.
        DetectionNotComputed: It has none yet, or was refused.
    """
    found = await detection(session, detection_id)
    if found.result_hash is None:
        raise DetectionNotComputed(
            f"Выявление признаков {detection_id} в состоянии {found.state}",
            hint="Дождитесь состояния computed; причина отказа — в поле refusal",
            state=found.state,
        )
    return found


class SignFilter(NamedTuple):
    """Which signs of a detection are asked for; None asks for all."""

    detector: str | None = None
    procedure_id: int | None = None
    municipality_id: int | None = None
    school_id: int | None = None
    review: str | None = None


_SIGN_COLUMNS = (
    *(column for column in ObjectivitySign.__table__.columns if column.key != "is_published"),
    ObjectivitySchool.code.label("school_code"),
    ObjectivitySchool.name.label("school_name"),
    ObjectivitySchool.municipality_name,
    Procedure.title.label("procedure_title"),
)
_EVIDENCE: TypeAdapter[Evidence] = TypeAdapter(Evidence)


def _with_names() -> Any:
    return (
        select(*_SIGN_COLUMNS)
        .join(
            ObjectivitySchool,
            and_(
                ObjectivitySchool.detection_id == ObjectivitySign.detection_id,
                ObjectivitySchool.school_id == ObjectivitySign.school_id,
            ),
        )
        .outerjoin(Procedure, Procedure.id == ObjectivitySign.procedure_id)
    )


async def signs_of(
    session: AsyncSession, detection_id: int, *, wanted: SignFilter, ask: PageAsk, numbers: Told
) -> tuple[list[SignOut], Rows]:
    """List the signs of a detection by number.

    Raises:
        DetectionNotFound: None is visible under this id.
        DetectionNotComputed: It has no answers.
    """
    await computed(session, detection_id)
    found = _with_names().where(ObjectivitySign.detection_id == detection_id)
    for name, value in wanted._asdict().items():
        if value is not None:
            found = found.where(getattr(ObjectivitySign, name) == value)
    rows = await keyset(session, found, order=(ObjectivitySign.id,), ask=ask)
    return [_shown(dict(row._mapping), numbers) for row in rows.items], rows  # noqa: SLF001  the public name of a row's mapping


async def sign(session: AsyncSession, sign_id: int) -> ObjectivitySign:
    """Read one sign.

    Raises:
        SignNotFound: None is visible under this id.
    """
    found = await session.get(ObjectivitySign, sign_id)
    if found is None:
        raise SignNotFound(f"Признак {sign_id} не найден")
    return found


async def sign_out(session: AsyncSession, sign_id: int, *, numbers: Told) -> SignOut:
    """Give a sign as it travels."""
    row = (await session.execute(_with_names().where(ObjectivitySign.id == sign_id))).one()
    return _shown(dict(row._mapping), numbers)  # noqa: SLF001  the public name of a row's mapping


def _shown(row: Mapping[str, Any], numbers: Told) -> SignOut:
    """Give a sign in words; without exact numbers, nothing of it counts pupils."""
    evidence = _EVIDENCE.validate_python(row["evidence"]) if numbers.is_exact else None
    # A probability of many digits belongs to few counts: they could be found by trying them.
    counted = {name: row[name] for name in ("n", "p_value", "p_adjusted")}
    hidden = (
        [] if numbers.is_exact else ["evidence", *(n for n, v in counted.items() if v is not None)]
    )
    if hidden:
        counted = dict.fromkeys(counted)
    words = statement(row["detector"], row["sample"], evidence, p_adjusted=counted["p_adjusted"])
    return SignOut.model_validate(
        {name: row[name] for name in SignOut.model_fields if name in row}
        | counted
        | {
            "evidence": evidence,
            "statement": words,
            "to_check": to_check(row["detector"]),
            "hint": HINT,
            "suppressed": hidden,
        }
    )


async def detected_schools(
    session: AsyncSession, detection_id: int, *, municipality_id: int | None, ask: PageAsk
) -> Rows:
    """List what could be asked of each school, by code.

    Raises:
        DetectionNotFound: None is visible under this id.
        DetectionNotComputed: It has no answers.
    """
    await computed(session, detection_id)
    school = ObjectivitySchool
    many = (
        select(func.count())
        .select_from(ObjectivitySign)
        .where(
            ObjectivitySign.detection_id == school.detection_id,
            ObjectivitySign.school_id == school.school_id,
            ObjectivitySign.review != "withdrawn",
        )
        .correlate(school)
        .scalar_subquery()
    )
    wanted = select(
        school.school_id, school.code, school.name, school.municipality_id,
        school.municipality_name, school.asked, school.limited, school.too_few, many.label("signs"),
    ).where(school.detection_id == detection_id)  # fmt: skip
    if municipality_id is not None:
        wanted = wanted.where(school.municipality_id == municipality_id)
    return await keyset(session, wanted, order=(school.code, school.school_id), ask=ask)
