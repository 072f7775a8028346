"""What changes courses."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.kit import etags
from services.kit.principals import Principal
from services.kit.problems import Problem, ValidationFailed, constraint_problems
from services.training.courses import queries
from services.training.courses.schemas import CourseEdit, CourseIn
from services.training.courses.tables import Course

__all__ = ["CourseAlreadyPlanned", "CourseNotFound", "PlacesAlreadyTaken", "edit", "plan"]


class CourseNotFound(Problem):
    """There is no such course for the caller."""

    status = 404
    title = "Курс не найден"


class CourseAlreadyPlanned(Problem):
    """The year already has this course with this first day."""

    status = 409
    title = "Такой курс с этой датой начала уже есть"


class PlacesAlreadyTaken(Problem):
    """More people are enrolled than the course would have places."""

    status = 409
    title = "Занято больше мест, чем вы оставляете"


async def plan(session: AsyncSession, course: CourseIn, *, by: Principal) -> Course:
    """Plan a course in the caller's region.

    Raises:
        CourseAlreadyPlanned: The year already has this course with this first day.
    """
    row = Course(region_id=by.reach.region_id, **course.model_dump())
    session.add(row)
    async with constraint_problems(_broken()):
        await session.flush()
    return row


async def edit(
    session: AsyncSession, course_id: int, change: CourseEdit, *, seen_version: int
) -> Course:
    """Change a course; its places never fall below those taken."""
    course = await queries.course_to_change(session, course_id)
    if course is None:
        raise CourseNotFound
    etags.check(seen_version, course.version)
    for name, value in change.model_dump(exclude_none=True).items():
        setattr(course, name, value)
    async with constraint_problems(_broken()):
        await session.flush()
    return course


def _broken() -> dict[str, Problem]:
    order = {"pointer": "/ends_on", "detail": "Курс не может закончиться раньше, чем начнётся"}
    return {
        "uq_course_region_id_year_title_starts_on": CourseAlreadyPlanned(
            "Измените название или дату начала",
        ),
        "ck_course_taken_places": PlacesAlreadyTaken("Сначала освободите места"),
        "ck_course_ends_after_start": ValidationFailed(errors=[order]),
    }
