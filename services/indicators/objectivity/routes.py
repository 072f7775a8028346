"""Detections and signs over HTTP."""

from typing import Annotated, Any

from fastapi import Path, Query, Response

from services.indicators.objectivity import markers, operations, queries
from services.indicators.objectivity.access import SignEditor, SignReader, SignReviewer
from services.indicators.objectivity.operations import (
    DetectionNeedsRegion,
    DetectionSuperseded,
    NothingToDetect,
    WrongDetectionState,
)
from services.indicators.objectivity.queries import (
    DetectionNotComputed,
    DetectionNotFound,
    SignFilter,
    SignNotFound,
)
from services.indicators.objectivity.schemas import (
    DetectedSchoolOut,
    DetectionIn,
    DetectionOut,
    DetectionRow,
    DetectionState,
    DetectionVoidingIn,
    DetectorCode,
    MarkersOut,
    ReviewCode,
    ReviewIn,
    SignOut,
)
from services.indicators.objectivity.workbook import workbook
from services.indicators.suppression.access import Numbers
from services.kit.clock import Now
from services.kit.database import Session
from services.kit.etags import (
    EntityTagMalformed,
    IfMatch,
    PreconditionRequired,
    StaleVersion,
    tag,
)
from services.kit.http import router
from services.kit.idempotency import (
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    IdempotencyRequired,
    Idempotent,
)
from services.kit.inputs import Id
from services.kit.pages import CursorInvalid, Page, PageAsk
from services.kit.problems import problems
from services.kit.spreadsheets import XLSX

__all__ = ["detections", "signs"]

detections = router(prefix="/objectivity-detections", tags=["objectivity"])
signs = router(prefix="/objectivity-signs", tags=["objectivity"])

# What every step from one state of a detection to the next may answer.
STEP = (
    DetectionNotFound,
    WrongDetectionState,
    PreconditionRequired,
    EntityTagMalformed,
    StaleVersion,
)

DetectionId = Annotated[Id, Path(description="Номер выявления признаков", examples=[7])]
SignId = Annotated[Id, Path(description="Номер признака", examples=[31])]
Municipality = Annotated[Id | None, Query(description="Только этого муниципалитета", examples=[3])]


@detections.get(
    "",
    response_model=Page[DetectionRow],
    summary="Выявления признаков",
    responses=problems(CursorInvalid),
)
async def list_objectivity_detections(
    caller: SignReader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    year: Annotated[
        int | None, Query(ge=2000, le=2100, description="Только этот год", examples=[2025])
    ] = None,
    state: Annotated[
        DetectionState | None, Query(description="Только в этом состоянии", examples=["computed"])
    ] = None,
) -> Any:
    """Выявления признаков по порядку; муниципалитету видны только открытые регионом."""
    shown, rows = await queries.detections(session, year=year, state=state, ask=ask)
    return {"items": shown, "next": rows.next, "total": rows.total}


@detections.post(
    "",
    response_model=DetectionOut,
    status_code=202,
    summary="Начать выявление признаков",
    responses=problems(
        DetectionNeedsRegion, NothingToDetect, IdempotencyKeyMissing, IdempotencyKeyReused
    ),
    dependencies=[IdempotencyRequired],
)
async def start_objectivity_detection(
    wish: DetectionIn, caller: SignEditor, session: Session, response: Response, at: Now
) -> Any:
    """Сравнить школы региона пятью детекторами по результатам года.

    Считает фоновое задание: опрашивайте, пока state — computing. Признаком становится только то, что
    остаётся после контроля ложных срабатываний по всем школам; это повод проверить, а не вывод о школе.
    """
    found = await operations.start(session, wish, by=caller, at=at)
    response.headers["Location"] = f"/api/indicators/v1/objectivity-detections/{found.id}"
    tag(response, found.version)
    return await queries.detection_out(session, found)


@detections.get(
    "/{detection_id}",
    response_model=DetectionOut,
    summary="Выявление признаков",
    responses=problems(DetectionNotFound),
)
async def get_objectivity_detection(
    detection_id: DetectionId,
    caller: SignReader,  # noqa: ARG001  the check is the use
    session: Session,
    response: Response,
) -> Any:
    """Настройки, процедуры, хеши, что и о скольких школах спрошено, почему что-то не спрошено."""
    found = await queries.detection(session, detection_id)
    tag(response, found.version)
    return await queries.detection_out(session, found)


@detections.get(
    "/{detection_id}/signs",
    response_model=Page[SignOut],
    summary="Признаки",
    responses=problems(DetectionNotFound, DetectionNotComputed, CursorInvalid),
)
async def list_objectivity_signs(
    detection_id: DetectionId,
    caller: SignReader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    numbers: Numbers,
    detector: Annotated[
        DetectorCode | None, Query(description="Только этот детектор", examples=["border_peak"])
    ] = None,
    procedure_id: Annotated[
        Id | None, Query(description="Только этой процедуры", examples=[3])
    ] = None,
    municipality_id: Municipality = None,
    school_id: Annotated[Id | None, Query(description="Только этой школы", examples=[12])] = None,
    review: Annotated[
        ReviewCode | None, Query(description="Только с таким рассмотрением", examples=["open"])
    ] = None,
) -> Any:
    """Признаки с основаниями, по порядку школ; муниципалитету — его школ, школам не показываются."""
    wanted = SignFilter(detector, procedure_id, municipality_id, school_id, review)
    shown, rows = await queries.signs_of(
        session, detection_id, wanted=wanted, ask=ask, numbers=numbers
    )
    return {"items": shown, "next": rows.next, "total": rows.total}


@detections.get(
    "/{detection_id}/schools",
    response_model=Page[DetectedSchoolOut],
    summary="О чём спрошено по школам",
    responses=problems(DetectionNotFound, DetectionNotComputed, CursorInvalid),
)
async def list_objectivity_detection_schools(
    detection_id: DetectionId,
    caller: SignReader,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    municipality_id: Municipality = None,
) -> Any:
    """Школы по кодам: сколько вопросов задано. Нет признаков и не о чём было спросить — разное."""
    return await queries.detected_schools(
        session, detection_id, municipality_id=municipality_id, ask=ask
    )


@detections.get(
    "/{detection_id}/markers",
    response_model=MarkersOut,
    summary="Маркеры в формате списка ФИОКО",
    responses=problems(DetectionNotFound, DetectionNotComputed),
)
async def get_objectivity_markers(
    detection_id: DetectionId,
    caller: SignReader,  # noqa: ARG001  the check is the use
    session: Session,
) -> Any:
    """Маркеры 4 РУ, 4 МА, 5 РУ, 5 МА, их количество и доля школ с маркером.

    Доля — школы хотя бы с одним маркером к школам, писавшим русский язык в 4 классе; по школам,
    которые видны вызывающему.
    """
    return await markers.markers(session, detection_id)


@detections.get(
    "/{detection_id}/markers.xlsx",
    summary="Маркеры в формате списка ФИОКО, XLSX",
    response_class=Response,
    responses={
        200: {
            "description": "Книга: школы, четыре маркера, количество маркеров",
            "content": {XLSX: {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems(DetectionNotFound, DetectionNotComputed),
    },
)
async def download_objectivity_markers(
    detection_id: DetectionId,
    caller: SignReader,  # noqa: ARG001  the check is the use
    session: Session,
) -> Response:
    """Тот же список книгой Excel; чисел учеников в ней нет, одинаковый список — одинаковые байты."""
    listed = await markers.markers(session, detection_id)
    name = f"opora-markers-{listed.year}-detection-{detection_id}.xlsx"
    return Response(
        workbook(listed),
        media_type=XLSX,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@detections.post(
    "/{detection_id}/publication",
    response_model=DetectionOut,
    summary="Открыть признаки муниципалитетам",
    responses=problems(*STEP, DetectionSuperseded, IdempotencyKeyMissing, IdempotencyKeyReused),
    dependencies=[IdempotencyRequired],
)
async def publish_objectivity_detection(
    detection_id: DetectionId,
    caller: SignReviewer,
    session: Session,
    seen: IfMatch,
    response: Response,
    at: Now,
) -> Any:
    """Открыть каждому муниципалитету признаки его школ. Школам и кураторам они не показываются."""
    found = await operations.publish(session, detection_id, seen=seen, by=caller, at=at)
    tag(response, found.version)
    return await queries.detection_out(session, found)


@detections.post(
    "/{detection_id}/voiding",
    response_model=DetectionOut,
    summary="Отменить выявление признаков",
    responses=problems(*STEP, IdempotencyKeyReused),
    dependencies=[Idempotent],
)
async def void_objectivity_detection(
    detection_id: DetectionId,
    why: DetectionVoidingIn,
    caller: SignReviewer,
    session: Session,
    seen: IfMatch,
    response: Response,
    at: Now,
) -> Any:
    """Отменить с причиной; ничего не удаляется, действующим снова становится прежнее за этот год."""
    found = await operations.void(session, detection_id, why, seen=seen, by=caller, at=at)
    tag(response, found.version)
    return await queries.detection_out(session, found)


@signs.get(
    "/{sign_id}",
    response_model=SignOut,
    summary="Признак",
    responses=problems(SignNotFound),
)
async def get_objectivity_sign(
    sign_id: SignId,
    caller: SignReader,  # noqa: ARG001  the check is the use
    session: Session,
    response: Response,
    numbers: Numbers,
) -> Any:
    """Признак: что замечено, насколько это не случайно, что проверить, чем закончилась проверка."""
    found = await queries.sign(session, sign_id)
    tag(response, found.version)
    return await queries.sign_out(session, sign_id, numbers=numbers)


@signs.post(
    "/{sign_id}/review",
    response_model=SignOut,
    summary="Рассмотреть признак",
    responses=problems(
        SignNotFound,
        WrongDetectionState,
        PreconditionRequired,
        EntityTagMalformed,
        StaleVersion,
        IdempotencyKeyReused,
    ),
    dependencies=[Idempotent],
)
async def review_objectivity_sign(
    sign_id: SignId,
    outcome: ReviewIn,
    caller: SignReviewer,
    session: Session,
    seen: IfMatch,
    response: Response,
    at: Now,
    numbers: Numbers,
) -> Any:
    """Записать, что показала проверка: подтверждён, объяснён или снят, с причиной и документом.

    Снятый признак в правилах выявления не считается. Рассмотрение переходит на признак следующего
    выявления, если числа в нём те же.
    """
    found = await operations.review(session, sign_id, outcome, seen=seen, by=caller, at=at)
    tag(response, found.version)
    return await queries.sign_out(session, sign_id, numbers=numbers)
