"""What changes enrolments."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.kit import etags
from services.kit.problems import Problem, ValidationFailed, constraint_problems
from services.training.courses.operations import CourseNotFound
from services.training.courses.queries import visible_course
from services.training.enrolments import queries
from services.training.enrolments.schemas import (
    EnrolmentBulkIn,
    EnrolmentBulkOut,
    EnrolmentBulkRow,
    EnrolmentIn,
)
from services.training.enrolments.tables import Enrolment
from services.training.projection.tables import School

__all__ = [
    "AlreadyEnrolled",
    "AlreadyWithdrawn",
    "CourseFull",
    "EnrolmentNotFound",
    "SchoolNotFound",
    "enrol",
    "enrol_many",
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


async def enrol_many(session: AsyncSession, bulk: EnrolmentBulkIn) -> EnrolmentBulkOut:
    """Enrol many schools in one course, or none; a school that has these places keeps them.

    Raises:
        CourseNotFound: The caller has no such course.
        ValidationFailed: With a pointer for every school that cannot be enrolled.
        CourseFull: Fewer places are left than all of them ask for.
        AlreadyEnrolled: One of the schools enrolled in the same moment.
    """
    course = await visible_course(session, bulk.course_id)
    if course is None:
        raise CourseNotFound
    wanted = {entry.school_id for entry in bulk.enrolments}
    schools = await queries.schools(session, wanted)
    known = await queries.of_course(session, course.id, wanted)
    if errors := _refused(bulk, schools, known):
        raise ValidationFailed("Ничего не записано: исправьте перечисленное", errors=errors)
    free = course.places - course.taken_places
    rows = []
    for entry in bulk.enrolments:
        row = known.get(entry.school_id)
        if row is None:
            school = schools[entry.school_id]
            row = Enrolment(
                course_id=course.id,
                **entry.model_dump(),
                region_id=school.region_id,
                municipality_id=school.municipality_id,
            )
            session.add(row)
        rows.append(row)
    asked = sum(entry.people for entry in bulk.enrolments if entry.school_id not in known)
    full = CourseFull(
        f"Свободно мест: {free}, запрошено: {asked}",
        hint="Уменьшите число людей или выберите другой курс",
        free_places=free,
    )
    async with constraint_problems(
        {
            "ck_course_taken_places": full,
            "uq_enrolment_course_id_school_id": AlreadyEnrolled(hint="Повторите запрос"),
        },
    ):
        await session.flush()
    return EnrolmentBulkOut(
        created=len(rows) - len(known),
        unchanged=len(known),
        enrolments=[
            EnrolmentBulkRow(
                id=row.id,
                school_id=row.school_id,
                outcome="unchanged" if row.school_id in known else "created",
            )
            for row in rows
        ],
    )


def _refused(
    bulk: EnrolmentBulkIn, schools: Mapping[int, School], known: Mapping[int, Enrolment]
) -> list[dict[str, Any]]:
    errors = []
    first: dict[int, int] = {}
    for position, entry in enumerate(bulk.enrolments):
        earlier = first.setdefault(entry.school_id, position)
        enrolled = known.get(entry.school_id)
        if entry.school_id not in schools:
            code, told = "school_not_found", "Школа не найдена"
        elif earlier != position:
            code, told = "repeated", f"Повторяет школу с номером {earlier} в списке"
        elif enrolled is not None and enrolled.withdrawn_at is not None:
            code, told = "withdrawn", "Школа отказалась от этого курса"
        elif enrolled is not None and enrolled.people != entry.people:
            code, told = "already_enrolled", f"Школа уже записана: человек {enrolled.people}"
        else:
            continue
        pointer = f"/enrolments/{position}/school_id"
        errors.append({"pointer": pointer, "code": code, "detail": told})
    return errors


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
