"""Reading drafts of the caller's region."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.methodology_drafts.tables import MethodologyDraft
from services.kit.pages import PageAsk, Rows, keyset
from services.kit.problems import Problem

__all__ = ["MethodologyDraftNotFound", "draft", "drafts"]


class MethodologyDraftNotFound(Problem):
    """There is no such draft in the caller's region."""

    status = 404
    title = "Черновик методики не найден"


async def drafts(session: AsyncSession, *, is_adopted: bool | None, ask: PageAsk) -> Rows:
    """List drafts, oldest first; ``is_adopted`` keeps those that became versions, or the others."""
    listed = select(
        MethodologyDraft.id,
        MethodologyDraft.note,
        MethodologyDraft.origin,
        MethodologyDraft.adopted_id,
        MethodologyDraft.created_by,
        MethodologyDraft.created_at,
        MethodologyDraft.changed_by,
        MethodologyDraft.changed_at,
        MethodologyDraft.version,
    )
    if is_adopted is not None:
        is_set = MethodologyDraft.adopted_id.is_not(None)
        listed = listed.where(is_set if is_adopted else ~is_set)
    return await keyset(session, listed, order=(MethodologyDraft.id,), ask=ask)


async def draft(session: AsyncSession, draft_id: int, *, is_to_change: bool = False) -> Any:
    """Read one draft, locked where it is to be changed.

    Raises:
        MethodologyDraftNotFound: None is visible under this id.
    """
    found = await session.get(MethodologyDraft, draft_id, with_for_update=is_to_change or None)
    if found is None:
        raise MethodologyDraftNotFound(f"Черновик {draft_id} не найден")
    return found
