"""What changes waves. Features never commit; the session does when the request ends well."""

from datetime import datetime

from sqlalchemy import literal, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit import etags
from services.kit.principals import Principal
from services.kit.problems import Problem, ValidationFailed, constraint_problems
from services.monitoring.peers.registry import Registry
from services.monitoring.projection.tables import School
from services.monitoring.waves import queries
from services.monitoring.waves.schemas import RosterIn, WaveEdit, WaveIn
from services.monitoring.waves.tables import ExpectedSchool, Wave
from services.monitoring.waves.words import WaveState

__all__ = ["add_schools", "close", "edit", "open_for_answers", "plan"]


class WaveNotFound(Problem):
    """There is no such wave for the caller."""

    status = 404
    title = "Волна не найдена"


class WaveTitleTaken(Problem):
    """The year already has a wave of this title."""

    status = 409
    title = "Волна с таким названием в этом году уже есть"


class WaveStateConflict(Problem):
    """The wave's state does not allow this; `allowed_states` says which would."""

    status = 409
    title = "Волна в другом состоянии"


class WaveEmpty(Problem):
    """A wave without schools expects nobody's answer."""

    status = 409
    title = "В волне нет школ"


async def plan(session: AsyncSession, wave: WaveIn, *, by: Principal) -> Wave:
    """Plan a wave in the caller's region.

    Raises:
        WaveTitleTaken: The year already has a wave of this title.
    """
    row = Wave(region_id=by.reach.region_id, **wave.model_dump())
    session.add(row)
    taken = WaveTitleTaken("Выберите другое название", hint="Например, добавьте месяц проведения")
    async with constraint_problems({"uq_wave_region_id_year_title": taken}):
        await session.flush()
    return row


async def edit(session: AsyncSession, wave_id: int, change: WaveEdit, *, seen_version: int) -> None:
    """Change title or dates of a wave that is not closed."""
    wave = await _in_state(session, wave_id, WaveState.PLANNED, WaveState.OPEN)
    etags.check(seen_version, wave.version)
    for name, value in change.model_dump(exclude_none=True).items():
        setattr(wave, name, value)
    order = ValidationFailed(
        errors=[
            {"pointer": "/closes_on", "detail": "Волна не может закончиться раньше, чем начнётся"}
        ],
    )
    taken = WaveTitleTaken("Выберите другое название")
    async with constraint_problems(
        {"ck_wave_closes_after_opening": order, "uq_wave_region_id_year_title": taken},
    ):
        await session.flush()


async def add_schools(
    session: AsyncSession, wave_id: int, roster: RosterIn, *, registry: Registry
) -> int:
    """Put schools on the roster of a planned wave; return how many were new.

    Raises:
        ValidationFailed: A school is not known to the caller; nothing is added.
    """
    wave = await _in_state(session, wave_id, WaveState.PLANNED)
    wanted = roster.school_ids or await registry.participating_schools(wave.year)
    found = select(
        literal(wave.id),
        School.region_id,
        School.municipality_id,
        School.id,
    ).where(School.id.in_(wanted))
    known = {row.id for row in await session.execute(found)}
    unknown = [
        {"pointer": f"/school_ids/{position}", "detail": f"Школа {school_id} не найдена"}
        for position, school_id in enumerate(roster.school_ids or ())
        if school_id not in known
    ]
    if unknown:
        raise ValidationFailed("Список не изменён", errors=unknown)
    added = await session.execute(
        upsert(ExpectedSchool)
        .from_select(["wave_id", "region_id", "municipality_id", "school_id"], found)
        .on_conflict_do_nothing()
        .returning(ExpectedSchool.id),
    )
    return len(added.all())


async def open_for_answers(
    session: AsyncSession, wave_id: int, *, seen_version: int, at: datetime
) -> None:
    """Open a planned wave; its roster is frozen from now on.

    Raises:
        WaveEmpty: No school is on the roster.
    """
    wave = await _in_state(session, wave_id, WaveState.PLANNED)
    etags.check(seen_version, wave.version)
    shown = await queries.visible_wave(session, wave_id)
    if shown is None or shown.expected_schools == 0:
        raise WaveEmpty(
            "Сначала внесите школы",
            hint="POST …/schools с participants=true внесёт всех участников года",
        )
    wave.state, wave.opened_at = WaveState.OPEN, at
    await session.flush()


async def close(session: AsyncSession, wave_id: int, *, seen_version: int, at: datetime) -> None:
    """Close an open wave for ever."""
    wave = await _in_state(session, wave_id, WaveState.OPEN)
    etags.check(seen_version, wave.version)
    wave.state, wave.closed_at = WaveState.CLOSED, at
    await session.flush()


async def _in_state(session: AsyncSession, wave_id: int, *allowed: WaveState) -> Wave:
    wave = await queries.wave_to_change(session, wave_id)
    if wave is None:
        raise WaveNotFound
    if wave.state not in allowed:
        raise WaveStateConflict(
            f"Сейчас волна в состоянии {wave.state}",
            state=wave.state,
            allowed_states=list(allowed),
        )
    return wave
