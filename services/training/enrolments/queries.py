"""What is asked about enrolments."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit.pages import PageAsk, Rows, keyset
from services.training.enrolments.tables import Enrolment
from services.training.projection.tables import School

__all__ = [
    "enrolment_to_change",
    "enrolments",
    "of_course",
    "school",
    "schools",
    "visible_enrolment",
]


async def enrolments(session: AsyncSession, *, course_id: int | None, page: PageAsk) -> Rows:
    """Return a page of enrolments the caller can see, of one course or of all."""
    statement = select(*Enrolment.__table__.columns)
    if course_id is not None:
        statement = statement.where(Enrolment.course_id == course_id)
    return await keyset(session, statement, order=(Enrolment.id,), ask=page)


async def visible_enrolment(session: AsyncSession, enrolment_id: int) -> Enrolment | None:
    """Return the enrolment; None when the caller has no such enrolment."""
    return await session.get(Enrolment, enrolment_id)


async def enrolment_to_change(session: AsyncSession, enrolment_id: int) -> Enrolment | None:
    """Return the enrolment locked until the end of the transaction."""
    return await session.get(Enrolment, enrolment_id, with_for_update=True)


async def school(session: AsyncSession, school_id: int) -> School | None:
    """Return the school; None when the caller has no such school."""
    return await session.scalar(select(School).where(School.id == school_id))


async def schools(session: AsyncSession, school_ids: Collection[int]) -> dict[int, School]:
    """Return of these schools those the caller has, by id."""
    found = await session.scalars(select(School).where(School.id.in_(school_ids)))
    return {school.id: school for school in found}


async def of_course(
    session: AsyncSession, course_id: int, school_ids: Collection[int]
) -> dict[int, Enrolment]:
    """Return what these schools have enrolled in the course, withdrawn or not, by school."""
    found = await session.scalars(
        select(Enrolment).where(
            Enrolment.course_id == course_id, Enrolment.school_id.in_(school_ids)
        )
    )
    return {enrolment.school_id: enrolment for enrolment in found}
