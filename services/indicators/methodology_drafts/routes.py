"""Drafts of methodologies over HTTP."""

from typing import Annotated, Any

from fastapi import Path, Query, Response

from services.indicators.methodologies import queries as versions
from services.indicators.methodologies.operations import (
    MethodologyAlreadyAdded,
    RegionNotNamed,
    ReplacementUnsound,
    ShippedMethodologyNotFound,
)
from services.indicators.methodologies.queries import MethodologyVersionNotFound
from services.indicators.methodologies.schemas import MethodologyVersionOut
from services.indicators.methodology_drafts import operations, queries
from services.indicators.methodology_drafts.access import DraftEditor
from services.indicators.methodology_drafts.operations import DraftAdopted
from services.indicators.methodology_drafts.queries import MethodologyDraftNotFound
from services.indicators.methodology_drafts.schemas import (
    AdoptionIn,
    DraftIn,
    DraftOut,
    DraftPatch,
    DraftPut,
    DraftRow,
)
from services.kit.clock import Now
from services.kit.database import Session
from services.kit.etags import EntityTagMalformed, IfMatch, PreconditionRequired, StaleVersion, tag
from services.kit.http import router
from services.kit.idempotency import IdempotencyKeyReused, Idempotent
from services.kit.inputs import Id
from services.kit.pages import CursorInvalid, Page, PageAsk
from services.kit.problems import problems

__all__ = ["routes"]

routes = router(prefix="/methodology-drafts", tags=["methodologies"])

DraftId = Annotated[Id, Path(description="Номер черновика методики", examples=[7])]
_EDIT = (
    MethodologyDraftNotFound,
    DraftAdopted,
    StaleVersion,
    PreconditionRequired,
    EntityTagMalformed,
)


@routes.get(
    "",
    response_model=Page[DraftRow],
    summary="Черновики методик",
    responses=problems(CursorInvalid),
)
async def list_methodology_drafts(
    caller: DraftEditor,  # noqa: ARG001  the check is the use
    session: Session,
    ask: PageAsk,
    is_adopted: Annotated[
        bool | None,
        Query(
            description="true — только принятые версией, false — только в работе", examples=[False]
        ),
    ] = None,
) -> Any:
    """Черновики региона по порядку; видны только региону."""
    return await queries.drafts(session, is_adopted=is_adopted, ask=ask)


@routes.post(
    "",
    response_model=DraftOut,
    status_code=201,
    summary="Начать черновик методики",
    responses=problems(
        RegionNotNamed, ShippedMethodologyNotFound, MethodologyVersionNotFound, IdempotencyKeyReused
    ),
    dependencies=[Idempotent],
)
async def begin_methodology_draft(
    wish: DraftIn, caller: DraftEditor, session: Session, now: Now, response: Response
) -> Any:
    """Начать черновик: с поставляемой методики, со своей версии или с собственного документа.

    Черновик может быть неполным и с ошибками; замечания линтера возвращаются при каждом чтении.
    """
    draft = await operations.begin(session, wish, by=caller, at=now)
    response.headers["Location"] = f"/api/indicators/v1/methodology-drafts/{draft.id}"
    tag(response, draft.version)
    return await operations.told(session, draft, at=now)


@routes.get(
    "/{draft_id}",
    response_model=DraftOut,
    summary="Черновик методики",
    responses=problems(MethodologyDraftNotFound),
)
async def get_methodology_draft(
    draft_id: DraftId,
    caller: DraftEditor,  # noqa: ARG001  the check is the use
    session: Session,
    now: Now,
    response: Response,
) -> Any:
    """Черновик с документом и замечаниями линтера на сегодня."""
    draft = await queries.draft(session, draft_id)
    tag(response, draft.version)
    return await operations.told(session, draft, at=now)


@routes.put(
    "/{draft_id}",
    response_model=DraftOut,
    summary="Заменить черновик методики",
    responses=problems(*_EDIT),
)
async def replace_methodology_draft(
    draft_id: DraftId,
    wish: DraftPut,
    caller: DraftEditor,
    session: Session,
    now: Now,
    expected: IfMatch,
    response: Response,
) -> Any:
    """Заменить документ и заметку целиком."""
    draft = await operations.rewrite(
        session, draft_id, wish.document, note=wish.note, expected=expected, by=caller, at=now
    )
    tag(response, draft.version)
    return await operations.told(session, draft, at=now)


@routes.patch(
    "/{draft_id}",
    response_model=DraftOut,
    summary="Изменить черновик методики",
    responses=problems(*_EDIT),
)
async def change_methodology_draft(
    draft_id: DraftId,
    change: DraftPatch,
    caller: DraftEditor,
    session: Session,
    now: Now,
    expected: IfMatch,
    response: Response,
) -> Any:
    """Изменить документ частью: JSON Merge Patch (RFC 7396) в поле document.

    Списки (правила, признаки, категории) заменяются целиком: пришлите список таким, каким он должен
    стать.
    """
    draft = await operations.merge(
        session, draft_id, change.document, expected=expected, by=caller, at=now
    )
    tag(response, draft.version)
    return await operations.told(session, draft, at=now)


@routes.post(
    "/{draft_id}/adoption",
    response_model=MethodologyVersionOut,
    status_code=201,
    summary="Принять черновик версией методики",
    responses=problems(
        *_EDIT,
        MethodologyVersionNotFound,
        MethodologyAlreadyAdded,
        ReplacementUnsound,
        RegionNotNamed,
        IdempotencyKeyReused,
    ),
    dependencies=[Idempotent],
)
async def adopt_methodology_draft(
    draft_id: DraftId,
    wish: AdoptionIn,
    caller: DraftEditor,
    session: Session,
    now: Now,
    expected: IfMatch,
    response: Response,
) -> Any:
    """Сделать черновик следующей версией методики с кодом из документа.

    Документ с ошибками не принимается (422, места в errors). После этого черновик не меняется.
    """
    version = await operations.adopt(
        session, draft_id, replaces=wish.replaces_id, expected=expected, by=caller, at=now
    )
    found = await versions.described_version(session, version.id)
    response.headers["Location"] = f"/api/indicators/v1/methodology-versions/{version.id}"
    tag(response, found["version"])
    return found
