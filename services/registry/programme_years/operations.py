"""Changes of programme years."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit import etags
from services.kit.problems import Problem, ValidationFailed, constraint_problems
from services.registry.programme_years import queries
from services.registry.programme_years.schemas import ProgrammeYearIn, ProgrammeYearPatch
from services.registry.programme_years.tables import ProgrammeYear

__all__ = [
    "ProgrammeYearExists",
    "ProgrammeYearNotFound",
    "change",
    "ensure",
    "open_year",
    "visible_year",
]


class ProgrammeYearNotFound(Problem):
    """The programme year does not exist for the caller."""

    status = 404
    title = "Программный год не найден"


class ProgrammeYearExists(Problem):
    """The region has the year already."""

    status = 409
    title = "Такой программный год в регионе уже есть"


async def visible_year(session: AsyncSession, programme_year_id: int) -> ProgrammeYear:
    """Return the programme year or raise `ProgrammeYearNotFound`."""
    found = await queries.programme_year(session, programme_year_id)
    if found is None:
        raise ProgrammeYearNotFound
    return found


async def open_year(
    session: AsyncSession, new: ProgrammeYearIn, *, region_id: int | None
) -> ProgrammeYear:
    """Open a programme year in the caller's region.

    Raises:
        ProgrammeYearExists: The region has it.
    """
    if region_id is None:
        raise ValidationFailed(
            errors=[{"pointer": "", "code": "no_region", "detail": "Токен не привязан к региону"}]
        )
    year = ProgrammeYear(**new.model_dump(), region_id=region_id)
    session.add(year)
    async with constraint_problems({"uq_programme_year_region_id_year": ProgrammeYearExists()}):
        await session.flush()
    return year


async def ensure(session: AsyncSession, region_id: int, year: int) -> None:
    """Open the year, without a window, unless it is there: an approved list implies its year."""
    await session.execute(
        insert(ProgrammeYear)
        .values(region_id=region_id, year=year)
        .on_conflict_do_nothing(index_elements=["region_id", "year"])
    )


async def change(
    session: AsyncSession, programme_year_id: int, patch: ProgrammeYearPatch, *, expected: int
) -> ProgrammeYear:
    """Move the window in which schools join by hand.

    Raises:
        ProgrammeYearNotFound: Outside reach.
    """
    year = await queries.programme_year(session, programme_year_id, for_update=True)
    if year is None:
        raise ProgrammeYearNotFound
    etags.check(expected, year.version)
    for name, value in patch.model_dump(exclude_unset=True).items():
        setattr(year, name, value)
    if year.opens_on and year.closes_on and year.closes_on < year.opens_on:
        raise ValidationFailed(
            errors=[
                {
                    "pointer": "/closes_on",
                    "code": "window",
                    "detail": "Окно включения закрывается раньше, чем открывается",
                }
            ]
        )
    await session.flush()
    return year
