"""The life of a detection: asked for, computed, opened to municipalities, voided; signs are reviewed."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.objectivity import detecting, gathering, queries
from services.indicators.objectivity.detecting import Detected, Earlier
from services.indicators.objectivity.gathering import Gathered
from services.indicators.objectivity.questions import Found
from services.indicators.objectivity.schemas import DetectionIn, DetectionVoidingIn, ReviewIn
from services.indicators.objectivity.tables import (
    ObjectivityDetection,
    ObjectivitySchool,
    ObjectivitySign,
)
from services.indicators.objectivity.thresholds import DetectionSettings
from services.kit import etags
from services.kit.jobs import Work, enqueue
from services.kit.principals import Principal
from services.kit.problems import Problem

__all__ = [
    "DetectionNeedsRegion",
    "DetectionSuperseded",
    "NothingToDetect",
    "ResultsMoved",
    "WrongDetectionState",
    "compute",
    "publish",
    "refuse",
    "review",
    "start",
    "void",
]


class DetectionNeedsRegion(Problem):
    """A caller of no region has no results to look at."""

    status = 409
    title = "Признаки ищутся в результатах региона"


class NothingToDetect(Problem):
    """The year has no procedure whose results may be looked at."""

    status = 409
    title = "Искать признаки не в чем"


class WrongDetectionState(Problem):
    """The detection is not in the state that this step starts from."""

    status = 409
    title = "Выявление признаков не в том состоянии"


class DetectionSuperseded(Problem):
    """A later detection of the same year has been computed."""

    status = 409
    title = "Есть более новое выявление признаков"


class ResultsMoved(Problem):
    """Results are being imported all the time: no state of them could be read whole."""

    status = 409
    title = "Результаты меняются прямо сейчас"


async def start(
    session: AsyncSession, wish: DetectionIn, *, by: Principal, at: datetime
) -> ObjectivityDetection:
    """Ask for a detection; a job computes it.

    Raises:
        DetectionNeedsRegion: The caller belongs to no region.
        NothingToDetect: The year has no procedure that may be used for analysis today.
    """
    region_id = by.reach.region_id
    if region_id is None:
        raise DetectionNeedsRegion(
            "Вызывающий не относится ни к одному региону",
            hint="Обратитесь с учётной записью или ключом клиента своего региона",
        )
    procedures = await gathering.procedures_of(
        session, region_id=region_id, year=wish.year, settings=wish.settings, on=at.date()
    )
    _refuse_nothing(procedures, wish.year)
    found = ObjectivityDetection(
        region_id=region_id,
        year=wish.year,
        state="computing",
        note=wish.note,
        settings=wish.settings.canonical(),
        settings_hash=detecting.digest(wish.settings.canonical()),
        created_by=by.subject,
    )
    session.add(found)
    await session.flush()
    found.job_id = await enqueue(
        session,
        kind="detect-signs",
        region_id=region_id,
        params={"detection_id": found.id},
        dedupe_key=f"detect-signs:{found.id}",
    )
    await session.flush()
    await session.refresh(found)
    return found


def _refuse_nothing(procedures: Sequence[gathering.ProcedureFacts], year: int) -> None:
    of_year = [procedure for procedure in procedures if procedure.year == year]
    if not of_year:
        raise NothingToDetect(
            f"За {year} год нет ни одной процедуры",
            hint="Создайте процедуры года и загрузите их результаты",
            year=year,
        )
    if not any(procedure.is_permitted for procedure in of_year):
        raise NothingToDetect(
            f"Ни одну процедуру {year} года нельзя использовать для анализа на сегодняшний день",
            hint="Укажите в процедуре разрешённое использование analysis с основанием и сроком",
            year=year,
            procedure_ids=[procedure.id for procedure in of_year],
        )


# Computing ----------------------------------------------------------------------------------------


async def compute(work: Work, detection_id: int, *, at: datetime) -> None:
    """Read the results, ask the detectors outside of any transaction, keep what they said.

    Raises:
        NothingToDetect: See `start`; permissions may have ended meanwhile.
        ResultsMoved: An import was put in force again and again while the results were read.
    """
    async with work.transaction() as session:
        found = await session.get(ObjectivityDetection, detection_id)
        if found is None or found.state != "computing":
            return
        settings = DetectionSettings.model_validate(found.settings)
        gathered = await _gathered(session, found, settings)
        earlier = await _earlier(session, found, settings)
        reviews = await _reviews(session, found)
    _refuse_nothing(gathered.procedures, gathered.year)
    await work.progress(1, 3, "Детекторы сравнивают школы")
    # Pure arithmetic of seconds to minutes: the loop stays free to prolong the lease.
    detected = await asyncio.to_thread(detecting.detect, gathered, settings)
    await work.progress(2, 3, "Признаки записываются")
    async with work.finish(result={"detection_id": detection_id}) as session:
        kept = await session.get(ObjectivityDetection, detection_id, with_for_update=True)
        if kept is None or kept.state != "computing":
            return
        await _keep(session, kept, gathered, detected, settings, earlier, reviews, at=at)


async def _gathered(
    session: AsyncSession, found: ObjectivityDetection, settings: DetectionSettings
) -> Gathered:
    """Read everything as of one state of the results: none was put in force in between."""
    attempts = 3
    for _ in range(attempts):
        facts: dict[str, Any] = {
            "region_id": found.region_id,
            "year": found.year,
            "settings": settings,
            "on": found.created_at.date(),
        }
        gathered = await gathering.gather(session, **facts)
        after = await gathering.procedures_of(session, **facts)
        if tuple(after) == gathered.procedures:
            return gathered
    raise ResultsMoved(
        "Пока результаты читались, загружались новые",
        hint="Дождитесь конца загрузки и начните выявление признаков снова",
    )


async def _earlier(
    session: AsyncSession, found: ObjectivityDetection, settings: DetectionSettings
) -> list[Earlier]:
    years = range(found.year - settings.repeated.years + 1, found.year)
    known = await queries.signs(session, region_id=found.region_id, years=list(years))
    return [Earlier(s.school_id, s.year, s.detector, s.procedure_id, s.subject) for s in known]


_Key = tuple[int, str, int | None, str | None]


async def _reviews(
    session: AsyncSession, found: ObjectivityDetection
) -> dict[_Key, ObjectivitySign]:
    """Read what people wrote about the signs of the detection that this one supersedes."""
    current = await queries.current_ids(session, region_id=found.region_id, years=[found.year])
    rows = await session.scalars(
        select(ObjectivitySign).where(
            ObjectivitySign.detection_id.in_(current), ObjectivitySign.review != "open"
        )
    )
    return {(s.school_id, s.detector, s.procedure_id, s.subject): s for s in rows}


async def _keep(
    session: AsyncSession,
    kept: ObjectivityDetection,
    gathered: Gathered,
    detected: Detected,
    settings: DetectionSettings,
    earlier: Sequence[Earlier],
    reviews: Mapping[_Key, ObjectivitySign],
    *,
    at: datetime,
) -> None:
    counted = [sign for sign in detected.signs if not _is_withdrawn(sign, reviews)]
    repeats = detecting.repeated(kept.year, counted, earlier, settings)
    signs = detecting.ordered(gathered, [*detected.signs, *repeats])
    place = {"region_id": kept.region_id, "detection_id": kept.id}
    rows = [place | row for row in detecting.school_rows(gathered, detected, settings)]
    if rows:
        await session.execute(insert(ObjectivitySchool), rows)
    municipality = {row["school_id"]: row["municipality_id"] for row in rows}
    for sign in signs:
        session.add(
            ObjectivitySign(
                **place,
                school_id=sign.school_id,
                municipality_id=municipality[sign.school_id],
                year=kept.year,
                detector=sign.detector.value,
                procedure_id=sign.procedure_id,
                subject=sign.subject,
                n=sign.n,
                sample=sign.sample.value,
                p_value=sign.p,
                p_adjusted=sign.p_adjusted,
                evidence=sign.evidence.model_dump(mode="json"),
                **_carried(sign, reviews),
            )
        )
    kept.procedures = [_procedure(procedure) for procedure in gathered.procedures]
    kept.tests = detecting.told_questions(detected)
    kept.counts = _counts(rows, signs)
    kept.input_hash = detecting.input_hash(gathered, earlier, settings)
    kept.result_hash = detecting.result_hash(gathered, signs, kept.input_hash)
    kept.state, kept.computed_at = "computed", at
    await session.flush()


def _same(sign: Found, reviews: Mapping[_Key, ObjectivitySign]) -> ObjectivitySign | None:
    """Find the reviewed sign that rests on the very same numbers; other numbers are another sign."""
    key = (sign.school_id, sign.detector.value, sign.procedure_id, sign.subject)
    reviewed = reviews.get(key)
    if reviewed is None or reviewed.evidence != sign.evidence.model_dump(mode="json"):
        return None
    return reviewed


def _is_withdrawn(sign: Found, reviews: Mapping[_Key, ObjectivitySign]) -> bool:
    reviewed = _same(sign, reviews)
    return reviewed is not None and reviewed.review == "withdrawn"


_REVIEW = (
    "review", "review_reason", "review_document", "review_document_on", "reviewed_by", "reviewed_at",
)  # fmt: skip


def _carried(sign: Found, reviews: Mapping[_Key, ObjectivitySign]) -> dict[str, Any]:
    reviewed = _same(sign, reviews)
    if reviewed is None:
        return {}
    return {name: getattr(reviewed, name) for name in _REVIEW} | {"reviewed_with_id": reviewed.id}


def _procedure(procedure: gathering.ProcedureFacts) -> dict[str, Any]:
    return {
        "procedure_id": procedure.id,
        "kind": procedure.kind,
        "grade": procedure.grade,
        "year": procedure.year,
        "title": procedure.title,
        "is_permitted": procedure.is_permitted,
        "result_revision": procedure.result_revision,
        "scale_revision": procedure.scale_revision,
    }


def _counts(rows: Sequence[Mapping[str, Any]], signs: Sequence[Found]) -> dict[str, Any]:
    by_detector = Counter(sign.detector.value for sign in signs)
    return {
        "schools": len(rows),
        "asked": sum(row["asked"] + row["limited"] > 0 for row in rows),
        "flagged": len({sign.school_id for sign in signs}),
        "signs": len(signs),
        "by_detector": dict(sorted(by_detector.items())),
    }


async def refuse(session: AsyncSession, detection_id: int, problem: Problem) -> None:
    """Write down why a detection cannot be computed."""
    await session.execute(
        update(ObjectivityDetection)
        .where(ObjectivityDetection.id == detection_id, ObjectivityDetection.state == "computing")
        .values(state="refused", refusal=problem.body(), version=ObjectivityDetection.version + 1)
    )


# Steps of people ----------------------------------------------------------------------------------


async def _locked(
    session: AsyncSession, detection_id: int, *, seen: int, states: Sequence[str]
) -> ObjectivityDetection:
    found = await session.get(ObjectivityDetection, detection_id, with_for_update=True)
    if found is None:
        raise queries.DetectionNotFound(f"Выявление признаков {detection_id} не найдено")
    etags.check(seen, found.version)
    if found.state not in states:
        raise WrongDetectionState(
            f"Выявление признаков в состоянии {found.state}, а нужно {' или '.join(states)}",
            hint="Порядок: computing, computed, published",
            state=found.state,
        )
    return found


async def publish(
    session: AsyncSession, detection_id: int, *, seen: int, by: Principal, at: datetime
) -> ObjectivityDetection:
    """Open the signs to the municipalities, to each those of its schools. Source: design 4.

    Raises:
        WrongDetectionState: It is not computed, or is open already.
        DetectionSuperseded: A later one of the year has been computed.
    """
    found = await _locked(session, detection_id, seen=seen, states=("computed",))
    current = await queries.current_ids(session, region_id=found.region_id, years=[found.year])
    if found.id not in current:
        raise DetectionSuperseded(
            f"За {found.year} год действует выявление признаков {current[0]}",
            hint="Откройте действующее",
            detection_id=current[0],
        )
    found.state, found.is_published = "published", True
    found.published_by, found.published_at = by.subject, at
    await session.flush()
    await _open(session, detection_id, is_published=True)
    return found


async def _open(session: AsyncSession, detection_id: int, *, is_published: bool) -> None:
    for part in (ObjectivitySchool, ObjectivitySign):
        await session.execute(
            update(part).where(part.detection_id == detection_id).values(is_published=is_published)
        )


async def void(
    session: AsyncSession,
    detection_id: int,
    why: DetectionVoidingIn,
    *,
    seen: int,
    by: Principal,
    at: datetime,
) -> ObjectivityDetection:
    """Set a detection aside, with the reason; nothing is deleted, municipalities see it no more.

    Raises:
        WrongDetectionState: It is voided already.
    """
    found = await _locked(
        session, detection_id, seen=seen, states=("computing", "refused", "computed", "published")
    )
    found.state, found.is_published = "voided", False
    found.void_reason, found.voided_by, found.voided_at = why.reason, by.subject, at
    await session.flush()
    await _open(session, detection_id, is_published=False)
    return found


async def review(
    session: AsyncSession,
    sign_id: int,
    outcome: ReviewIn,
    *,
    seen: int,
    by: Principal,
    at: datetime,
) -> ObjectivitySign:
    """Write down what a check of a sign found; a later review replaces it, the audit keeps both.

    Raises:
        SignNotFound: None is visible under this id.
        WrongDetectionState: Its detection is voided.
    """
    found = await session.get(ObjectivitySign, sign_id, with_for_update=True)
    if found is None:
        raise queries.SignNotFound(f"Признак {sign_id} не найден")
    etags.check(seen, found.version)
    detection = await session.get_one(ObjectivityDetection, found.detection_id)
    if detection.state not in ("computed", "published"):
        raise WrongDetectionState(
            f"Выявление признаков в состоянии {detection.state}",
            hint="Рассмотрите признак действующего выявления",
            state=detection.state,
        )
    found.review, found.review_reason = outcome.outcome, outcome.reason
    found.review_document, found.review_document_on = outcome.document, outcome.document_on
    found.reviewed_by, found.reviewed_at, found.reviewed_with_id = by.subject, at, None
    await session.flush()
    return found
