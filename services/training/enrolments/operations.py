"""What changes enrolments."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.kit import etags
from services.kit.problems import Problem, constraint_problems
from services.training.courses.operations import CourseNotFound
from services.training.courses.queries import visible_course
from services.training.enrolments import queries
from services.training.enrolments.schemas import EnrolmentIn
from services.training.enrolments.tables import Enrolment

__all__ = [
    "AlreadyEnrolled",
    "AlreadyWithdrawn",
    "CourseFull",
    "EnrolmentNotFound",
    "SchoolNotFound",
    "enrol",
    "withdraw",
]


class EnrolmentNotFound(Problem):
    """There is no such enrolment for the caller."""

    status = 404
    title = "Запись на курс не найдена"


class SchoolNotFound(Problem):
    """There is no such school for the caller."""

    status = 404
    title = "Школа не найдена"


class AlreadyEnrolled(Problem):
    """A school enrols in a course once."""

    status = 409
    title = "Школа уже записана на этот курс"


class CourseFull(Problem):
    """The course has fewer places left than the school asks for."""

    status = 409
    title = "На курсе не хватает мест"


class AlreadyWithdrawn(Problem):
    """The school has already given its places back."""

    status = 409
    title = "Школа уже отказалась от этого курса"


async def enrol(session: AsyncSession, enrolment: EnrolmentIn) -> Enrolment:
    """Take places of a course for a school within the caller's reach.

    Raises:
        CourseNotFound: The caller has no such course.
        SchoolNotFound: The caller has no such school.
        AlreadyEnrolled: The school has enrolled before.
        CourseFull: Fewer places are left; the database counts, so two schools cannot both take the last.
    """
    course = await visible_course(session, enrolment.course_id)
    if course is None:
        raise CourseNotFound
    school = await queries.school(session, enrolment.school_id)
    if school is None:
        raise SchoolNotFound
    row = Enrolment(
        **enrolment.model_dump(),
        region_id=school.region_id,
        municipality_id=school.municipality_id,
    )
    session.add(row)
    full = CourseFull(
        f"Свободно мест: {course.places - course.taken_places}, запрошено: {enrolment.people}",
        hint="Уменьшите число людей или выберите другой курс",
        free_places=course.places - course.taken_places,
    )
    known = AlreadyEnrolled(hint="Найдите запись в списке GET /enrolments?course_id=…")
    async with constraint_problems(
        {"ck_course_taken_places": full, "uq_enrolment_course_id_school_id": known},
    ):
        await session.flush()
    return row


async def withdraw(
    session: AsyncSession,
    enrolment_id: int,
    reason: str,
    *,
    seen_version: int,
    at: datetime,
) -> Enrolment:
    """Give the school's places back; the enrolment stays with date and reason."""
    row = await queries.enrolment_to_change(session, enrolment_id)
    if row is None:
        raise EnrolmentNotFound
    if row.withdrawn_at is not None:
        raise AlreadyWithdrawn
    etags.check(seen_version, row.version)
    row.withdrawn_at, row.withdrawal_reason = at, reason
    await session.flush()
    return row
