"""The network of schools: who came from whom."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit.problems import Problem, constraint_problems
from services.registry.schools import queries
from services.registry.schools.schemas import SuccessionIn
from services.registry.schools.tables import School, Succession

__all__ = [
    "SchoolNotFound",
    "SuccessionExists",
    "SuccessionLoop",
    "locked_school",
    "record",
    "visible_school",
]


class SchoolNotFound(Problem):
    """The school does not exist for the caller."""

    status = 404
    title = "Школа не найдена"


class SuccessionExists(Problem):
    """The event is known already."""

    status = 409
    title = "Такое событие уже записано"


class SuccessionLoop(Problem):
    """A school would become its own ancestor."""

    status = 409
    title = "Школа стала бы предшественником самой себе"


async def visible_school(session: AsyncSession, school_id: int) -> School:
    """Return the school or raise `SchoolNotFound`."""
    found = await queries.school(session, school_id)
    if found is None:
        raise SchoolNotFound
    return found


async def locked_school(session: AsyncSession, school_id: int) -> School:
    """Return the school locked for a change, or raise `SchoolNotFound`."""
    found = await queries.school(session, school_id, for_update=True)
    if found is None:
        raise SchoolNotFound
    return found


async def record(session: AsyncSession, event: SuccessionIn) -> Succession:
    """Record an event of the network.

    Raises:
        SchoolNotFound: One of its schools is outside reach.
        SuccessionLoop: The predecessor came, over any number of steps, from the school.
        SuccessionExists: The event is recorded already.
    """
    school = await visible_school(session, event.school_id)
    if event.predecessor_id is not None:
        await visible_school(session, event.predecessor_id)
        # Two halves of a loop recorded at once would not see each other.
        await session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended('succession', :region_id))"),
            {"region_id": school.region_id},
        )
        if await queries.is_descendant(session, event.predecessor_id, of=event.school_id):
            raise SuccessionLoop(
                "Предшественник сам произошёл от этой школы",
                hint="Проверьте направление: school_id продолжает работу, predecessor_id нет",
            )
    row = Succession(
        **event.model_dump(), region_id=school.region_id, municipality_id=school.municipality_id
    )
    session.add(row)
    async with constraint_problems({"uq_succession_event": SuccessionExists()}):
        await session.flush()
    return row
