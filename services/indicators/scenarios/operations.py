"""Making scenarios and setting them aside. Nothing of a run is changed by either."""

import asyncio
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.methodologies.changes import setting_words, value_at
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.operations import document_hash
from services.indicators.scenarios import queries
from services.indicators.scenarios.answerable import refuse_unanswerable
from services.indicators.scenarios.computing import Computed, compute, written
from services.indicators.scenarios.documents import asked_document
from services.indicators.scenarios.effect import effect_of
from services.indicators.scenarios.inputs import (
    Base,
    base_of,
    cards_of,
    last_years_list,
    not_reproduced,
)
from services.indicators.scenarios.keeping import answers_hash, keep_schools
from services.indicators.scenarios.schemas import ScenarioIn, ScenarioVoidingIn
from services.indicators.scenarios.tables import Scenario
from services.kit import etags
from services.kit.principals import Principal
from services.kit.problems import Problem

__all__ = ["ScenarioVoided", "create", "void"]


class ScenarioVoided(Problem):
    """The scenario is set aside already."""

    status = 409
    title = "Сценарий уже отменён"


async def create(
    session: AsyncSession, run_id: int, wish: ScenarioIn, *, by: Principal
) -> Scenario:
    """Answer for every school of a run under other settings, and keep the answers beside the run.

    The arithmetic runs in a thread: other requests of the process go on meanwhile.

    Raises:
        RunNotFound, RunNotComputed, RunNotReproduced: See `inputs`.
        ValidationFailed, NothingChanged: See `documents`.
        InputsNotFrozen: The run has not frozen what the settings ask for.
    """
    base = await base_of(session, run_id)
    after = asked_document(wish, base.methodology)
    refuse_unanswerable(base.inputs, base.methodology, after)
    computed = await asyncio.to_thread(
        compute, base.inputs, base.methodology, after, stored=base.stored
    )
    if not computed.is_reproduced:
        raise not_reproduced(run_id)
    scenario = await _kept(session, base, after, computed, title=wish.title, by=by)
    await keep_schools(
        session,
        scenario_id=scenario.id,
        region_id=scenario.region_id,
        inputs=base.inputs,
        computed=computed,
    )
    return scenario


async def _kept(
    session: AsyncSession,
    base: Base,
    after: Methodology,
    computed: Computed,
    *,
    title: str,
    by: Principal,
) -> Scenario:
    run = base.run
    effect = effect_of(
        base.inputs,
        computed,
        run_id=run.id,
        cards=await cards_of(session, run.region_id),
        last_year=await last_years_list(session, region_id=run.region_id, year=run.year),
    )
    mark = document_hash(after)
    scenario = Scenario(
        region_id=run.region_id,
        run_id=run.id,
        title=title,
        document=after.canonical(),
        document_hash=mark,
        settings=_settings(base.methodology, after, computed),
        effect=effect.model_dump(mode="json"),
        answers_hash=answers_hash(base.inputs, computed, mark),
        created_by=by.subject,
    )
    session.add(scenario)
    await session.flush()
    await session.refresh(scenario)
    return scenario


def _settings(before: Methodology, after: Methodology, computed: Computed) -> list[dict[str, Any]]:
    whole, other = written(before), written(after)
    return [
        {
            "setting": setting,
            "before": value_at(whole, setting),
            "after": value_at(other, setting),
            "text": setting_words(before, after, setting),
            "entered_alone": computed.alone[setting].entered,
            "left_alone": computed.alone[setting].left,
        }
        for setting in computed.settings
    ]


async def void(
    session: AsyncSession,
    run_id: int,
    scenario_id: int,
    why: ScenarioVoidingIn,
    *,
    seen: int,
    by: Principal,
    at: datetime,
) -> Scenario:
    """Set a scenario aside, with the reason; nothing is deleted.

    Raises:
        ScenarioNotFound: The run has no such scenario for the caller.
        StaleVersion: It was changed since the caller read it.
        ScenarioVoided: It is set aside already.
    """
    scenario = await session.scalar(
        select(Scenario)
        .where(Scenario.id == scenario_id, Scenario.run_id == run_id)
        .with_for_update()
    )
    if scenario is None:
        raise queries.not_found(run_id, scenario_id)
    etags.check(seen, scenario.version)
    if scenario.voided_at is not None:
        raise ScenarioVoided(f"Сценарий {scenario_id} отменён {scenario.voided_at:%d.%m.%Y}")
    scenario.voided_by, scenario.voided_at, scenario.void_reason = by.subject, at, why.reason
    await session.flush()
    return scenario
