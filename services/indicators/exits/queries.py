"""From the published lists, in the order of their years, to where each school is on its way out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.categories import Flag
from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.leaving import Stage, Step, YearAnswer, follow, year_is_clear
from services.indicators.exits.schemas import ExitsOut, ExitYearOut, SchoolExitOut
from services.indicators.exits.telling import reason_of, rule_text
from services.indicators.identification import queries as identification
from services.indicators.identification.queries import RunNotComputed, RunSchoolNotFound
from services.indicators.identification.tables import IdentificationRun, RunSchool
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.exits import ExitText
from services.indicators.methodologies.tables import MethodologyVersion

__all__ = ["exits", "school_exit"]

KnownRow = Row[*tuple[Any, ...]]

ASSESSED = "assessed"


async def exits(
    session: AsyncSession,
    run_id: int,
    *,
    stage: str | None = None,
    municipality_id: int | None = None,
) -> ExitsOut:
    """Follow every school of the run that was ever listed for low results, by code.

    Raises:
        RunNotFound: No such run is visible.
        RunNotComputed: It has no answers.
    """
    run, own_rule = await _asked(session, run_id)
    rule = own_rule or ExitText()
    runs = await _runs_of_years(session, run)
    found = await _followed(session, run, runs, rule)
    counts = Counter(str(school.stage) for school in found)
    shown = [
        school
        for school in found
        if stage in (None, school.stage) and municipality_id in (None, school.municipality_id)
    ]
    return ExitsOut(
        run_id=run.id,
        year=run.year,
        rule=rule,
        is_default_rule=own_rule is None,
        rule_text=rule_text(rule),
        run_ids=[one.id for one in runs],
        counts={one.value: counts[one.value] for one in Stage if one is not Stage.OUTSIDE},
        items=shown,
    )


async def school_exit(session: AsyncSession, run_id: int, school_id: int) -> SchoolExitOut:
    """Follow one school, whether it was ever listed or not.

    Raises:
        RunNotFound, RunNotComputed: As for all schools.
        RunSchoolNotFound: The run has no such school for the caller.
    """
    run, rule = await _asked(session, run_id)
    runs = await _runs_of_years(session, run)
    found = await _followed(session, run, runs, rule or ExitText(), only=school_id)
    if not found:
        raise RunSchoolNotFound(f"В прогоне {run_id} школы {school_id} нет")
    return found[0]


async def _asked(session: AsyncSession, run_id: int) -> tuple[IdentificationRun, ExitText | None]:
    """Read the run and its methodology's rule of leaving; None where it has none of its own."""
    run = await identification.run(session, run_id)
    if run.list_hash is None:
        raise RunNotComputed(f"Прогон {run.id} в состоянии {run.state}: списка нет")
    version = await session.get_one(MethodologyVersion, run.methodology_version_id)
    return run, Methodology.model_validate(version.document).exit


# The last published list of every year before, and the run that is asked about.
_RUNS = text(
    """
    SELECT DISTINCT ON (year) id, year FROM identification_run
    WHERE region_id = :region_id AND (id = :run_id OR (state = 'published' AND year < :year))
    ORDER BY year, published_at DESC, id DESC
    """
)


async def _runs_of_years(session: AsyncSession, run: IdentificationRun) -> Sequence[Any]:
    """List the runs that count, by year, as rows of id and year."""
    found = await session.execute(
        _RUNS, {"region_id": run.region_id, "run_id": run.id, "year": run.year}
    )
    return found.all()


async def _followed(
    session: AsyncSession,
    run: IdentificationRun,
    runs: Sequence[Any],
    rule: ExitText,
    *,
    only: int | None = None,
) -> list[SchoolExitOut]:
    rows = select(
        RunSchool.run_id,
        RunSchool.school_id,
        RunSchool.municipality_id,
        RunSchool.code,
        RunSchool.name,
        RunSchool.state,
        RunSchool.flags,
        RunSchool.certainty,
    ).where(RunSchool.run_id.in_([one.id for one in runs]))
    if only is not None:
        rows = rows.where(RunSchool.school_id == only)
    by_school: dict[int, dict[int, KnownRow]] = {}
    for row in await session.execute(rows):
        by_school.setdefault(row.school_id, {})[row.run_id] = row
    run_of_year = {one.year: one.id for one in runs}
    found = []
    for answers in by_school.values():
        known = answers.get(run.id)
        if known is None:
            continue
        told = _told(answers, run_of_year, rule)
        is_followed = any(year.stage != "outside" for year in told)
        # Long out of the list: nothing is to be decided about it any more.
        is_past = told[-1].stage == "outside"
        if only is None and (not is_followed or is_past):
            continue
        found.append(_school(known, told, rule))
    return sorted(found, key=lambda school: (school.code, school.school_id))


def _told(
    answers: dict[int, KnownRow], run_of_year: dict[int, int], rule: ExitText
) -> list[ExitYearOut]:
    first, last = min(run_of_year), max(run_of_year)
    rows = [answers.get(run_of_year.get(year, 0)) for year in range(first, last + 1)]
    at_most = Certainty[rule.clear_certainty.upper()]
    steps = follow(
        [(first + place, _answer(row, at_most)) for place, row in enumerate(rows)],
        clear_years=rule.clear_years,
        watch_years=rule.watch_years,
    )
    return [
        _year(step, run_of_year.get(step.year), row) for step, row in zip(steps, rows, strict=True)
    ]


def _answer(row: KnownRow | None, at_most: Certainty) -> YearAnswer:
    if row is None:
        return YearAnswer.UNKNOWN
    return year_is_clear(
        is_assessed=row.state == ASSESSED,
        is_low=bool(row.flags & Flag.LOW_RESULTS),
        certainty=Certainty(row.certainty),
        at_most=at_most,
    )


def _year(step: Step, run_id: int | None, row: KnownRow | None) -> ExitYearOut:
    return ExitYearOut.model_validate(
        {
            "year": step.year,
            "run_id": run_id,
            "certainty": None if row is None else Certainty(row.certainty).code,
            "answer": step.answer.value,
            "stage": step.stage.value,
            "clear_years": step.clear_years,
            "watch_year": step.watch_year,
        }
    )


def _school(row: KnownRow, years: Iterable[ExitYearOut], rule: ExitText) -> SchoolExitOut:
    told = list(years)
    return SchoolExitOut(
        school_id=row.school_id,
        municipality_id=row.municipality_id,
        code=row.code,
        name=row.name,
        stage=told[-1].stage,
        reason=reason_of(told, rule),
        years=told,
    )
