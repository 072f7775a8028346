"""What a scenario starts from: the run with its frozen inputs, its methodology and its stored answers."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.identification import queries as runs
from services.indicators.identification.answering.outcomes import Outcomes
from services.indicators.identification.freezing.frozen import frozen
from services.indicators.identification.freezing.inputs import Inputs, TornInputsError
from services.indicators.identification.queries import RunNotComputed
from services.indicators.identification.tables import IdentificationRun, RunSchool
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.tables import MethodologyVersion
from services.indicators.projection.tables import School
from services.indicators.scenarios.effect import Card, PublishedList
from services.kit.problems import Problem

__all__ = ["Base", "RunNotReproduced", "base_of", "cards_of", "last_years_list"]


class RunNotReproduced(Problem):
    """The frozen rows do not give the answers of the run any more: nothing can be compared with it."""

    status = 409
    title = "Ответы прогона не следуют из его замороженных данных"


@dataclass(frozen=True, slots=True)
class Base:
    """A computed run as a scenario needs it."""

    run: IdentificationRun
    methodology: Methodology
    inputs: Inputs
    stored: Outcomes
    """What the run has answered, in the order of the schools of the inputs."""


async def base_of(session: AsyncSession, run_id: int) -> Base:
    """Read a run with everything its what-ifs start from.

    Raises:
        RunNotFound: It is not visible.
        RunNotComputed: It has no answers yet, or was refused.
        RunNotReproduced: Its frozen rows do not belong together.
    """
    run = await runs.run(session, run_id)
    if run.input_hash is None:
        raise RunNotComputed(
            f"Прогон {run.id} в состоянии {run.state}: замороженных данных нет",
            hint="Дождитесь состояния draft; причина отказа — в поле refusal прогона",
            state=run.state,
        )
    version = await session.get_one(MethodologyVersion, run.methodology_version_id)
    methodology = Methodology.model_validate(version.document)
    try:
        inputs = await frozen(session, run.id)
    except TornInputsError as torn:
        raise not_reproduced(run.id) from torn
    return Base(run, methodology, inputs, await _stored(session, run.id, inputs))


def not_reproduced(run_id: int) -> RunNotReproduced:
    """Say that a run cannot be compared with."""
    return RunNotReproduced(
        f"Прогон {run_id} посчитан иначе или его строки изменены: сценарий не с чем сравнить",
        hint="Проверьте прогон (verification) и начните новый прогон по той же методике",
        run_id=run_id,
    )


async def _stored(session: AsyncSession, run_id: int, inputs: Inputs) -> Outcomes:
    rows = (
        await session.execute(
            select(
                RunSchool.school_id,
                RunSchool.state,
                RunSchool.flags,
                RunSchool.category,
                RunSchool.certainty,
            ).where(RunSchool.run_id == run_id)
        )
    ).all()
    places = inputs.places
    listed = sorted(rows, key=lambda row: places[row.school_id])
    return Outcomes(
        is_known=np.ones(len(listed), dtype=np.bool_),
        state=np.array([row.state for row in listed], dtype=object),
        flags=np.array([row.flags for row in listed], dtype=np.int64),
        category=np.array([row.category for row in listed], dtype=object),
        certainty=np.array([row.certainty for row in listed], dtype=np.int64),
    )


async def cards_of(session: AsyncSession, region_id: int) -> dict[int, Card]:
    """Read where and how big the schools of a region are, as the registry tells today."""
    rows = await session.execute(
        select(School.id, School.is_rural, School.is_small).where(School.region_id == region_id)
    )
    return {row.id: Card(row.is_rural, row.is_small) for row in rows}


async def last_years_list(
    session: AsyncSession, *, region_id: int, year: int
) -> PublishedList | None:
    """Read the list published last for the year before ``year``; None where there is none."""
    run = await session.scalar(
        select(IdentificationRun)
        .where(
            IdentificationRun.region_id == region_id,
            IdentificationRun.year == year - 1,
            IdentificationRun.state == "published",
        )
        .order_by(IdentificationRun.published_at.desc(), IdentificationRun.id.desc())
        .limit(1)
    )
    if run is None:
        return None
    rows = (
        await session.execute(
            select(RunSchool.school_id, RunSchool.category).where(RunSchool.run_id == run.id)
        )
    ).all()
    return PublishedList(
        run_id=run.id,
        year=run.year,
        schools={row.school_id for row in rows},
        listed={row.school_id for row in rows if row.category is not None},
    )
