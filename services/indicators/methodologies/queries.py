"""Reading methodologies of the caller's region."""

import datetime as dt
from typing import Any

from sqlalchemy import Date, Select, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.indicators.methodologies import packages
from services.indicators.methodologies.comparison import differences
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.tables import MethodologyVersion
from services.kit.pages import PageAsk, Rows, keyset
from services.kit.problems import Problem

__all__ = [
    "MethodologyVersionNotFound",
    "compared_versions",
    "days_in_force",
    "described_version",
    "methodology_version",
    "methodology_versions",
    "package_of",
]

_later = aliased(MethodologyVersion)
_BEGINS = cast(MethodologyVersion.document["in_force_from"].astext, Date)
# A version ends with its own last day or on the day before its successor begins, whichever is earlier.
_ENDS = func.least(
    cast(MethodologyVersion.document["in_force_to"].astext, Date),
    cast(_later.document["in_force_from"].astext, Date) - 1,
)


class MethodologyVersionNotFound(Problem):
    """There is no such version in the caller's region."""

    status = 404
    title = "Версия методики не найдена"


def _rows() -> Select[Any]:
    return select(
        MethodologyVersion.id,
        MethodologyVersion.code,
        MethodologyVersion.number,
        MethodologyVersion.title,
        MethodologyVersion.document_hash,
        MethodologyVersion.origin,
        MethodologyVersion.replaces_id,
        _later.id.label("replaced_by_id"),
        _BEGINS.label("in_force_from"),
        _ENDS.label("in_force_to"),
        MethodologyVersion.created_by,
        MethodologyVersion.created_at,
    ).outerjoin(_later, _later.replaces_id == MethodologyVersion.id)


async def methodology_versions(session: AsyncSession, *, code: str | None, ask: PageAsk) -> Rows:
    """List the versions, oldest first, optionally of one code."""
    versions = _rows()
    if code is not None:
        versions = versions.where(MethodologyVersion.code == code)
    return await keyset(session, versions, order=(MethodologyVersion.id,), ask=ask)


async def described_version(session: AsyncSession, version_id: int) -> dict[str, Any]:
    """Read one version as it is told: with its document, its findings and its days in force.

    Raises:
        MethodologyVersionNotFound: None is visible under this id.
    """
    asked = (
        _rows()
        .add_columns(
            MethodologyVersion.document, MethodologyVersion.findings, MethodologyVersion.version
        )
        .where(MethodologyVersion.id == version_id)
    )
    found = (await session.execute(asked)).one_or_none()
    if found is None:
        raise MethodologyVersionNotFound(f"Версия методики {version_id} не найдена")
    return dict(found._mapping)  # noqa: SLF001  the documented way to a row's names


async def methodology_version(session: AsyncSession, version_id: int) -> MethodologyVersion:
    """Read one version.

    Raises:
        MethodologyVersionNotFound: None is visible under this id.
    """
    found = await session.get(MethodologyVersion, version_id)
    if found is None:
        raise MethodologyVersionNotFound(f"Версия методики {version_id} не найдена")
    return found


async def days_in_force(session: AsyncSession, version_id: int) -> tuple[dt.date, dt.date | None]:
    """Tell the first and the last day on which a run may take the version; None for no end.

    Raises:
        MethodologyVersionNotFound: None is visible under this id.
    """
    found = (
        await session.execute(_rows().where(MethodologyVersion.id == version_id))
    ).one_or_none()
    if found is None:
        raise MethodologyVersionNotFound(f"Версия методики {version_id} не найдена")
    return found.in_force_from, found.in_force_to


async def compared_versions(
    session: AsyncSession, *, before_id: int, after_id: int
) -> dict[str, Any]:
    """Compare the documents of two versions in words.

    Raises:
        MethodologyVersionNotFound: One of them is not visible.
    """
    before = await methodology_version(session, before_id)
    after = await methodology_version(session, after_id)
    found = differences(
        Methodology.model_validate(before.document), Methodology.model_validate(after.document)
    )
    return {
        "before_id": before_id,
        "after_id": after_id,
        "is_equal": not found,
        "differences": found,
    }


async def package_of(session: AsyncSession, version_id: int) -> dict[str, Any]:
    """Make the package of a version.

    Raises:
        MethodologyVersionNotFound: None is visible under this id.
    """
    version = await methodology_version(session, version_id)
    region = await session.scalar(
        text("SELECT code FROM region WHERE id = :id"), {"id": version.region_id}
    )
    return packages.make(
        document=version.document,
        origin={
            "region_code": region,
            "code": version.code,
            "number": version.number,
            "created_at": version.created_at.astimezone(dt.UTC).isoformat(),
        },
        findings=version.findings,
    )
