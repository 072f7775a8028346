"""Beginning, changing and adopting drafts of methodologies."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.methodologies import operations as methodologies
from services.indicators.methodologies import queries as versions
from services.indicators.methodologies.findings import Severity
from services.indicators.methodologies.nesting import DEEPEST_DOCUMENT, is_shallow
from services.indicators.methodologies.tables import MethodologyVersion
from services.indicators.methodology_drafts import queries
from services.indicators.methodology_drafts.schemas import DraftIn
from services.indicators.methodology_drafts.tables import MethodologyDraft
from services.kit.etags import check
from services.kit.principals import Principal
from services.kit.problems import Problem, ValidationFailed

__all__ = ["DraftAdopted", "adopt", "begin", "merge", "merged", "rewrite", "told"]

LARGEST_DOCUMENT = 8000
"""Values of a document, counted through all its levels; a long one has a few hundred."""


class DraftAdopted(Problem):
    """The draft has become a version and does not change any more."""

    status = 409
    title = "Черновик уже принят версией"


async def begin(
    session: AsyncSession, wish: DraftIn, *, by: Principal, at: datetime
) -> MethodologyDraft:
    """Begin a draft in the caller's region.

    Raises:
        RegionNotNamed: The caller belongs to no region.
        ShippedMethodologyNotFound, MethodologyVersionNotFound: What it begins from is not there.
        ValidationFailed: The document is too large or too deep to be a methodology.
    """
    region_id = methodologies.region_of(by)
    origin: dict[str, Any] = {"kind": "own"}
    if wish.shipped is not None:
        document = methodologies.shipped_document(wish.shipped)
        origin = {"kind": "shipped", "code": wish.shipped}
    elif wish.version_id is not None:
        version = await versions.methodology_version(session, wish.version_id)
        document = version.document
        origin |= {"version_id": version.id, "code": version.code, "number": version.number}
    else:
        document = wish.document or {}
    _refuse_huge(document)
    draft = MethodologyDraft(
        region_id=region_id,
        note=wish.note,
        document=document,
        origin=origin,
        created_by=by.subject,
        created_at=at,
        changed_by=by.subject,
        changed_at=at,
    )
    session.add(draft)
    await session.flush()
    await session.refresh(draft)
    return draft


async def rewrite(
    session: AsyncSession,
    draft_id: int,
    document: dict[str, Any],
    *,
    note: str | None,
    expected: int,
    by: Principal,
    at: datetime,
) -> MethodologyDraft:
    """Replace the document and the note of a draft.

    Raises:
        MethodologyDraftNotFound: None is visible under this id.
        StaleVersion: It was changed since it was read.
        DraftAdopted: It has become a version.
        ValidationFailed: The document is too large or too deep to be a methodology.
    """
    draft = await _open(session, draft_id, expected)
    draft.note = note
    return await _keep(session, draft, document, by=by, at=at)


async def merge(
    session: AsyncSession,
    draft_id: int,
    patch: Mapping[str, Any],
    *,
    expected: int,
    by: Principal,
    at: datetime,
) -> MethodologyDraft:
    """Change the document of a draft by a JSON merge patch.

    Raises:
        MethodologyDraftNotFound, StaleVersion, DraftAdopted, ValidationFailed: See `rewrite`.
    """
    draft = await _open(session, draft_id, expected)
    _refuse_deep(patch)
    return await _keep(session, draft, merged(draft.document, patch), by=by, at=at)


def merged(target: Any, patch: Any) -> Any:
    """Apply a merge patch: objects field by field, null removes, everything else replaces.

    Source: RFC 7396, section 2.
    """
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for field, value in patch.items():
        if value is None:
            result.pop(field, None)
        else:
            result[field] = merged(result.get(field), value)
    return result


async def adopt(
    session: AsyncSession,
    draft_id: int,
    *,
    replaces: int | None,
    expected: int,
    by: Principal,
    at: datetime,
) -> MethodologyVersion:
    """Add the draft's document as the next version of its code.

    Raises:
        MethodologyDraftNotFound, StaleVersion, DraftAdopted: See `rewrite`.
        ValidationFailed, MethodologyAlreadyAdded, ReplacementUnsound: See `add_document`.
    """
    draft = await _open(session, draft_id, expected)
    version = await methodologies.add_document(
        session,
        draft.document,
        origin={"kind": "draft", "draft_id": draft.id},
        replaces=replaces,
        by=by,
        at=at,
    )
    draft.adopted_id = version.id
    draft.changed_by, draft.changed_at = by.subject, at
    await session.flush()
    return version


async def told(session: AsyncSession, draft: MethodologyDraft, *, at: datetime) -> dict[str, Any]:
    """Tell a draft with what the linter says of it today."""
    found = await methodologies.findings_of(
        session, draft.document, region_id=draft.region_id, today=at.date()
    )
    return {
        **{column.key: getattr(draft, column.key) for column in MethodologyDraft.__table__.columns},
        "is_addable": all(one.severity is not Severity.ERROR for one in found),
        "findings": found,
    }


async def _open(session: AsyncSession, draft_id: int, expected: int) -> MethodologyDraft:
    draft: MethodologyDraft = await queries.draft(session, draft_id, is_to_change=True)
    check(expected, draft.version)
    if draft.adopted_id is not None:
        raise DraftAdopted(
            f"Черновик {draft_id} стал версией {draft.adopted_id}",
            hint="Начните новый черновик с этой версии: POST /methodology-drafts с version_id",
            methodology_version_id=draft.adopted_id,
        )
    return draft


async def _keep(
    session: AsyncSession,
    draft: MethodologyDraft,
    document: dict[str, Any],
    *,
    by: Principal,
    at: datetime,
) -> MethodologyDraft:
    _refuse_huge(document)
    draft.document = document
    draft.changed_by, draft.changed_at = by.subject, at
    await session.flush()
    await session.refresh(draft)
    return draft


def _refuse_deep(document: Any) -> None:
    if not is_shallow(document):
        raise ValidationFailed(
            f"Вложено глубже {DEEPEST_DOCUMENT} уровней: такой части в методике нет",
            errors=[
                {
                    "pointer": "/document",
                    "code": "too_deep",
                    "detail": "Документ вложен слишком глубоко",
                }
            ],
        )


def _refuse_huge(document: Any) -> None:
    _refuse_deep(document)
    if _entries(document) > LARGEST_DOCUMENT:
        raise ValidationFailed(
            f"Больше {LARGEST_DOCUMENT} значений: это не методика",
            errors=[
                {"pointer": "/document", "code": "too_large", "detail": "Документ слишком велик"}
            ],
        )


def _entries(value: Any) -> int:
    waiting, counted = [value], 0
    while waiting:
        one = waiting.pop()
        counted += 1
        if isinstance(one, Mapping):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return counted
