"""Routes of enrolments."""

from typing import Annotated

from fastapi import Path, Query, Response

from services.kit import etags
from services.kit.clock import Now
from services.kit.database import Session
from services.kit.etags import IfMatch
from services.kit.http import router
from services.kit.idempotency import IdempotencyRequired, Idempotent
from services.kit.inputs import Id
from services.kit.pages import Page, PageAsk, Rows
from services.kit.problems import problems
from services.training.courses.operations import CourseNotFound
from services.training.enrolments import operations, queries
from services.training.enrolments.access import EnrolmentEditor, EnrolmentReader
from services.training.enrolments.operations import (
    AlreadyEnrolled,
    AlreadyWithdrawn,
    CourseFull,
    EnrolmentNotFound,
    SchoolNotFound,
)
from services.training.enrolments.schemas import (
    EnrolmentBulkIn,
    EnrolmentBulkOut,
    EnrolmentIn,
    EnrolmentOut,
    WithdrawalIn,
)
from services.training.enrolments.tables import Enrolment

__all__ = ["routes"]

routes = router(prefix="/enrolments", tags=["enrolments"])

EnrolmentId = Annotated[Id, Path(description="Номер записи на курс", examples=[9])]


@routes.get("", summary="Записи на курсы", response_model=Page[EnrolmentOut])
async def list_enrolments(
    caller: EnrolmentReader,  # noqa: ARG001  the check is the use
    session: Session,
    page: PageAsk,
    course_id: Annotated[Id | None, Query(description="Только этот курс", examples=[6])] = None,
) -> Rows:
    """Записи школ, которые вам видны, вместе с отозванными."""
    return await queries.enrolments(session, course_id=course_id, page=page)


@routes.post(
    "",
    summary="Записать школу на курс",
    status_code=201,
    response_model=EnrolmentOut,
    responses=problems(CourseNotFound, SchoolNotFound, AlreadyEnrolled, CourseFull),
    dependencies=[Idempotent],
)
async def enrol_school(
    caller: EnrolmentEditor,  # noqa: ARG001  the check is the use
    session: Session,
    enrolment: EnrolmentIn,
    response: Response,
) -> Enrolment:
    """Занимает места на курсе. Последнее место достаётся ровно одной школе."""
    row = await operations.enrol(session, enrolment)
    response.headers["Location"] = f"/api/training/v1/enrolments/{row.id}"
    etags.tag(response, row.version)
    return row


@routes.post(
    "/bulk",
    summary="Записать много школ на курс",
    response_model=EnrolmentBulkOut,
    responses=problems(CourseNotFound, CourseFull, AlreadyEnrolled),
    dependencies=[IdempotencyRequired],
)
async def enrol_schools(
    caller: EnrolmentEditor,  # noqa: ARG001  the check is the use
    session: Session,
    bulk: EnrolmentBulkIn,
) -> EnrolmentBulkOut:
    """Записывает до 1000 школ на один курс: всё или ничего. Места считает база данных."""
    return await operations.enrol_many(session, bulk)


@routes.get(
    "/{enrolment_id:int}",
    summary="Запись на курс",
    response_model=EnrolmentOut,
    responses=problems(EnrolmentNotFound),
)
async def get_enrolment(
    caller: EnrolmentReader,  # noqa: ARG001  the check is the use
    session: Session,
    enrolment_id: EnrolmentId,
    response: Response,
) -> Enrolment:
    """Запись школы на курс. ETag нужен для отказа."""
    row = await queries.visible_enrolment(session, enrolment_id)
    if row is None:
        raise EnrolmentNotFound
    etags.tag(response, row.version)
    return row


@routes.post(
    "/{enrolment_id}/withdrawal",
    summary="Отказаться от курса",
    response_model=EnrolmentOut,
    responses=problems(EnrolmentNotFound, AlreadyWithdrawn),
    dependencies=[Idempotent],
)
async def withdraw_enrolment(
    caller: EnrolmentEditor,  # noqa: ARG001  the check is the use
    session: Session,
    enrolment_id: EnrolmentId,
    withdrawal: WithdrawalIn,
    version: IfMatch,
    at: Now,
    response: Response,
) -> Enrolment:
    """Освобождает места; запись остаётся с датой и причиной."""
    row = await operations.withdraw(
        session, enrolment_id, withdrawal.reason, seen_version=version, at=at
    )
    etags.tag(response, row.version)
    return row
