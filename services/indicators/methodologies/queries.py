"""Reading methodologies of the caller's region."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.methodologies.tables import MethodologyVersion
from services.kit.pages import PageAsk, Rows, keyset
from services.kit.problems import Problem

__all__ = ["MethodologyVersionNotFound", "methodology_version", "methodology_versions"]


class MethodologyVersionNotFound(Problem):
    """There is no such version in the caller's region."""

    status = 404
    title = "Версия методики не найдена"


async def methodology_versions(session: AsyncSession, *, code: str | None, ask: PageAsk) -> Rows:
    """List the versions, oldest first, optionally of one code."""
    versions = select(
        MethodologyVersion.id,
        MethodologyVersion.code,
        MethodologyVersion.number,
        MethodologyVersion.title,
        MethodologyVersion.document_hash,
        MethodologyVersion.created_by,
        MethodologyVersion.created_at,
    )
    if code is not None:
        versions = versions.where(MethodologyVersion.code == code)
    return await keyset(session, versions, order=(MethodologyVersion.id,), ask=ask)


async def methodology_version(session: AsyncSession, version_id: int) -> MethodologyVersion:
    """Read one version.

    Raises:
        MethodologyVersionNotFound: None is visible under this id.
    """
    found = await session.get(MethodologyVersion, version_id)
    if found is None:
        raise MethodologyVersionNotFound(f"Версия методики {version_id} не найдена")
    return found
