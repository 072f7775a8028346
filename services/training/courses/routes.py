"""Routes of courses."""

from typing import Annotated

from fastapi import Path, Query, Response

from services.kit import etags
from services.kit.database import Session
from services.kit.etags import IfMatch
from services.kit.http import router
from services.kit.idempotency import Idempotent
from services.kit.inputs import Id
from services.kit.pages import Page, PageAsk, Rows
from services.kit.problems import problems
from services.training.courses import operations, queries
from services.training.courses.access import CourseEditor, CourseReader
from services.training.courses.operations import (
    CourseAlreadyPlanned,
    CourseNotFound,
    PlacesAlreadyTaken,
)
from services.training.courses.schemas import CourseEdit, CourseIn, CourseOut
from services.training.courses.tables import Course

__all__ = ["routes"]

routes = router(prefix="/courses", tags=["courses"])

CourseId = Annotated[Id, Path(description="Номер курса", examples=[6])]


@routes.get("", summary="Курсы", response_model=Page[CourseOut])
async def list_courses(
    caller: CourseReader,  # noqa: ARG001  the check is the use
    session: Session,
    page: PageAsk,
    year: Annotated[
        int | None,
        Query(
            ge=2000,
            le=2100,
            description="Год окончания учебного года (2025 = 2024/2025)",
            examples=[2025],
        ),
    ] = None,
) -> Rows:
    """Курсы региона по дате начала."""
    return await queries.courses_of_year(session, year=year, page=page)


@routes.post(
    "",
    summary="Запланировать курс",
    status_code=201,
    response_model=CourseOut,
    responses=problems(CourseAlreadyPlanned),
    dependencies=[Idempotent],
)
async def plan_course(
    caller: CourseEditor, session: Session, course: CourseIn, response: Response
) -> Course:
    """Создаёт курс региона с числом мест."""
    planned = await operations.plan(session, course, by=caller)
    await session.refresh(planned)
    response.headers["Location"] = f"/api/training/v1/courses/{planned.id}"
    etags.tag(response, planned.version)
    return planned


@routes.get(
    "/{course_id}", summary="Курс", response_model=CourseOut, responses=problems(CourseNotFound)
)
async def get_course(
    caller: CourseReader,  # noqa: ARG001  the check is the use
    session: Session,
    course_id: CourseId,
    response: Response,
) -> Course:
    """Курс с числом занятых мест. ETag нужен для изменений."""
    course = await queries.visible_course(session, course_id)
    if course is None:
        raise CourseNotFound
    etags.tag(response, course.version)
    return course


@routes.patch(
    "/{course_id}",
    summary="Изменить курс",
    response_model=CourseOut,
    responses=problems(CourseNotFound, CourseAlreadyPlanned, PlacesAlreadyTaken),
)
async def edit_course(
    caller: CourseEditor,  # noqa: ARG001  the check is the use
    session: Session,
    course_id: CourseId,
    change: CourseEdit,
    version: IfMatch,
    response: Response,
) -> Course:
    """Меняет курс; мест не может стать меньше, чем занято."""
    course = await operations.edit(session, course_id, change, seen_version=version)
    etags.tag(response, course.version)
    return course
