"""What is asked about courses."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit.pages import PageAsk, Rows, keyset
from services.training.courses.tables import Course

__all__ = ["course_to_change", "courses_of_year", "visible_course"]


async def courses_of_year(session: AsyncSession, *, year: int | None, page: PageAsk) -> Rows:
    """Return a page of courses, of one year or of all, by first day and id."""
    statement = select(*Course.__table__.columns)
    if year is not None:
        statement = statement.where(Course.year == year)
    return await keyset(session, statement, order=(Course.starts_on, Course.id), ask=page)


async def visible_course(session: AsyncSession, course_id: int) -> Course | None:
    """Return the course as the database has it now; None when the caller has no such course."""
    return await session.get(Course, course_id, populate_existing=True)


async def course_to_change(session: AsyncSession, course_id: int) -> Course | None:
    """Return the course locked until the end of the transaction."""
    return await session.get(Course, course_id, with_for_update=True)
