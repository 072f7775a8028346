"""Reading scenarios: which there are, one with its effect, its schools, two side by side, a ladder."""

import asyncio
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy import Row, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.agreement import agreement
from services.indicators.algebra.categories import Flag
from services.indicators.algebra.certainty import Certainty
from services.indicators.identification import queries as runs
from services.indicators.identification.tables import RunSchool
from services.indicators.methodologies.document import Methodology
from services.indicators.scenarios.documents import in_words
from services.indicators.scenarios.effect import WITHIN, agreement_out
from services.indicators.scenarios.inputs import base_of
from services.indicators.scenarios.ladder import ladder
from services.indicators.scenarios.schemas import (
    AnswerSideOut,
    ComparedSchoolOut,
    ComparisonOut,
    LadderOut,
    ReasonOut,
    ScenarioOut,
    ScenarioRow,
    ScenarioSchoolOut,
)
from services.indicators.scenarios.tables import Scenario, ScenarioSchool
from services.kit.pages import Page, PageAsk, Rows, keyset
from services.kit.problems import Problem

__all__ = [
    "ScenarioNotFound",
    "ScenarioSchoolFilter",
    "comparison",
    "not_found",
    "scenario",
    "scenario_out",
    "scenario_schools",
    "scenarios",
    "sensitivity",
]


class ScenarioNotFound(Problem):
    """The run has no such scenario for the caller."""

    status = 404
    title = "Сценарий не найден"


class ScenarioSchoolFilter(NamedTuple):
    """Which schools of a scenario are asked for; None asks for all."""

    change: str | None = None
    municipality_id: int | None = None
    is_listed: bool | None = None
    border: Literal["lost_by_one", "gained_by_one", "within_interval", "any"] | None = None


def not_found(run_id: int, scenario_id: int) -> ScenarioNotFound:
    """Say that a run has no such scenario."""
    return ScenarioNotFound(f"У прогона {run_id} сценария {scenario_id} нет")


_ROW = tuple(getattr(Scenario, name) for name in ScenarioRow.model_fields)


async def scenarios(
    session: AsyncSession, run_id: int, *, is_voided: bool | None, ask: PageAsk
) -> Rows:
    """List the scenarios of a run by number."""
    await runs.run(session, run_id)
    found = select(*_ROW).where(Scenario.run_id == run_id)
    if is_voided is not None:
        voided = Scenario.voided_at.is_not(None)
        found = found.where(voided if is_voided else ~voided)
    return await keyset(session, found, order=(Scenario.id,), ask=ask)


async def scenario(session: AsyncSession, run_id: int, scenario_id: int) -> Scenario:
    """Read one scenario.

    Raises:
        ScenarioNotFound: The run has none with this number for the caller.
    """
    found = await session.scalar(
        select(Scenario).where(Scenario.id == scenario_id, Scenario.run_id == run_id)
    )
    if found is None:
        raise not_found(run_id, scenario_id)
    return found


def scenario_out(found: Scenario) -> ScenarioOut:
    """Give a scenario as it travels."""
    return ScenarioOut.model_validate(found)


_SCHOOL = (
    ScenarioSchool.school_id,
    ScenarioSchool.municipality_id,
    ScenarioSchool.code,
    RunSchool.name,
    RunSchool.municipality_name,
    ScenarioSchool.change,
    ScenarioSchool.causes,
    ScenarioSchool.is_combination,
    ScenarioSchool.is_lost_by_one,
    ScenarioSchool.is_gained_by_one,
    ScenarioSchool.participants,
    *(getattr(ScenarioSchool, name) for name in ("state", "flags", "category", "certainty")),
    *(
        getattr(RunSchool, name).label(f"{name}_before")
        for name in ("state", "flags", "category", "certainty")
    ),
)


async def scenario_schools(
    session: AsyncSession,
    run_id: int,
    scenario_id: int,
    *,
    wanted: ScenarioSchoolFilter,
    ask: PageAsk,
) -> Page[ScenarioSchoolOut]:
    """List the schools of a scenario by code, each beside the run's answer.

    Raises:
        ScenarioNotFound: The run has none with this number for the caller.
    """
    found = await scenario(session, run_id, scenario_id)
    schools = (
        select(*_SCHOOL)
        .join(
            RunSchool,
            (RunSchool.school_id == ScenarioSchool.school_id) & (RunSchool.run_id == run_id),
        )
        .where(ScenarioSchool.scenario_id == scenario_id)
    )
    if wanted.change is not None:
        schools = schools.where(ScenarioSchool.change == wanted.change)
    if wanted.municipality_id is not None:
        schools = schools.where(ScenarioSchool.municipality_id == wanted.municipality_id)
    if wanted.is_listed is not None:
        listed = ScenarioSchool.category.is_not(None)
        schools = schools.where(listed if wanted.is_listed else ~listed)
    if wanted.border is not None:
        schools = schools.where(_at_border(wanted.border))
    order = (ScenarioSchool.code, ScenarioSchool.school_id)
    page = await keyset(session, schools, order=order, ask=ask)
    return Page(
        items=[_school_out(row, found.settings) for row in page.items],
        next=page.next,
        total=page.total,
    )


def _at_border(border: str) -> Any:
    within = ScenarioSchool.certainty.in_([int(one) for one in WITHIN])
    by_one = {
        "lost_by_one": ScenarioSchool.is_lost_by_one,
        "gained_by_one": ScenarioSchool.is_gained_by_one,
    }
    if border == "any":
        return or_(within, *by_one.values())
    return by_one.get(border, within)


def _school_out(row: Row[Any], settings: Sequence[dict[str, Any]]) -> ScenarioSchoolOut:
    return ScenarioSchoolOut(
        school_id=row.school_id,
        municipality_id=row.municipality_id,
        code=row.code,
        name=row.name,
        municipality_name=row.municipality_name,
        change=row.change,
        before=_side(row.state_before, row.flags_before, row.category_before, row.certainty_before),
        after=_side(row.state, row.flags, row.category, row.certainty),
        reason=_reason(row, settings),
        is_lost_by_one=row.is_lost_by_one,
        is_gained_by_one=row.is_gained_by_one,
        is_within_interval=Certainty(row.certainty) in WITHIN,
        participants=row.participants,
    )


def _side(state: str, flags: int, category: str | None, certainty: int) -> AnswerSideOut:
    return AnswerSideOut.model_validate(
        {
            "state": state,
            "flags": [flag.code for flag in Flag if flags & flag],
            "category": category,
            "certainty": Certainty(certainty).code,
        }
    )


_DONE = {
    "entered": "Вошла в список",
    "left": "Вышла из списка",
    "changed": "Ответ изменился",
}


def _reason(row: Row[Any], settings: Sequence[dict[str, Any]]) -> ReasonOut | None:
    if row.change == "none":
        return None
    named = [settings[place - 1] for place in row.causes]
    texts = [setting["text"] for setting in named]
    if row.is_combination:
        why = "сочетание правок: " + "; ".join(texts)
    elif len(texts) > 1:
        why = "достаточно любой из правок: " + "; ".join(texts)
    else:
        why = texts[0]
    return ReasonOut(
        sentence=f"{_DONE[row.change]}: {why}",
        settings=[setting["setting"] for setting in named],
        is_combination=row.is_combination,
    )


async def comparison(
    session: AsyncSession, run_id: int, scenario_id: int, *, other_scenario_id: int
) -> ComparisonOut:
    """Put two scenarios of one run side by side.

    Raises:
        ScenarioNotFound: The run has one of them not, for the caller.
    """
    here = await scenario(session, run_id, scenario_id)
    there = await scenario(session, run_id, other_scenario_id)
    mine, theirs = await _answers(session, here.id), await _answers(session, there.id)
    differing = [school for school in mine if mine[school] != theirs.get(school)]
    cards = await session.execute(
        select(
            RunSchool.school_id, RunSchool.code, RunSchool.name, RunSchool.municipality_name
        ).where(RunSchool.run_id == run_id, RunSchool.school_id.in_(differing))
    )
    run = await runs.run(session, run_id)
    found = agreement(mine.keys() & theirs.keys(), _listed(mine), _listed(theirs))
    return ComparisonOut(
        scenario_id=here.id,
        other_scenario_id=there.id,
        settings=in_words(
            Methodology.model_validate(there.document), Methodology.model_validate(here.document)
        ),
        agreement=agreement_out("scenario", there.id, run.year, found),
        schools=sorted(
            (
                ComparedSchoolOut(
                    school_id=card.school_id,
                    code=card.code,
                    name=card.name,
                    municipality_name=card.municipality_name,
                    here=mine[card.school_id],
                    there=theirs.get(card.school_id),
                )
                for card in cards
            ),
            key=lambda school: (school.code, school.school_id),
        ),
    )


async def _answers(session: AsyncSession, scenario_id: int) -> dict[int, str | None]:
    rows = await session.execute(
        select(ScenarioSchool.school_id, ScenarioSchool.category).where(
            ScenarioSchool.scenario_id == scenario_id
        )
    )
    return {row.school_id: row.category for row in rows}


def _listed(answers: dict[int, str | None]) -> set[int]:
    return {school for school, category in answers.items() if category is not None}


async def sensitivity(
    session: AsyncSession, run_id: int, *, setting: str, values: Sequence[str]
) -> LadderOut:
    """Move one setting of the run's methodology and count the list at every value; nothing is kept.

    Raises:
        RunNotFound, RunNotComputed, RunNotReproduced: See `inputs`.
        SettingNotFound: The document has no single value there.
    """
    base = await base_of(session, run_id)
    return await asyncio.to_thread(ladder, base, setting, values)
