"""Adding versions of methodologies. There is no editing and no deleting."""

import hashlib
import json

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.schemas import MethodologyVersionIn
from services.indicators.methodologies.shipped import shipped_methodologies
from services.indicators.methodologies.tables import MethodologyVersion
from services.kit.principals import Principal
from services.kit.problems import Problem

__all__ = [
    "MethodologyAlreadyAdded",
    "RegionNotNamed",
    "ShippedMethodologyNotFound",
    "add_version",
    "document_hash",
]


class ShippedMethodologyNotFound(Problem):
    """No shipped document has this code."""

    status = 404
    title = "Поставляемая методика не найдена"


class MethodologyAlreadyAdded(Problem):
    """The region already has a version with this very document."""

    status = 409
    title = "Такая версия методики уже есть"


class RegionNotNamed(Problem):
    """A caller of no region (a service, an administrator of the system) cannot own a methodology."""

    status = 409
    title = "Методика принадлежит региону"


def document_hash(document: Methodology) -> str:
    """Name a document by its content: SHA-256, 64 hexadecimal digits."""
    canonical = json.dumps(document.canonical(), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


async def add_version(
    session: AsyncSession, wish: MethodologyVersionIn, *, by: Principal
) -> MethodologyVersion:
    """Add the next version of a methodology to the caller's region.

    Raises:
        ShippedMethodologyNotFound: The code names no shipped document.
        MethodologyAlreadyAdded: The same document is there already.
        RegionNotNamed: The caller belongs to no region.
    """
    if by.reach.region_id is None:
        raise RegionNotNamed(
            "Вызывающий не относится ни к одному региону",
            hint="Обратитесь с учётной записью или ключом клиента своего региона",
        )
    document = wish.document or _shipped(str(wish.shipped))
    mark = document_hash(document)
    # Two people adding versions of one code get consecutive numbers.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"methodology:{by.reach.region_id}:{document.code}"},
    )
    of_code = select(MethodologyVersion).where(
        MethodologyVersion.region_id == by.reach.region_id,
        MethodologyVersion.code == document.code,
    )
    same = await session.scalar(of_code.where(MethodologyVersion.document_hash == mark))
    if same is not None:
        raise MethodologyAlreadyAdded(
            f"Документ уже добавлен как версия {same.number}",
            hint="Используйте существующую версию или измените документ",
            methodology_version_id=same.id,
        )
    last = await session.scalar(
        select(func.max(MethodologyVersion.number)).where(
            MethodologyVersion.region_id == by.reach.region_id,
            MethodologyVersion.code == document.code,
        )
    )
    added = MethodologyVersion(
        region_id=by.reach.region_id,
        code=document.code,
        number=(last or 0) + 1,
        title=document.title,
        document=document.canonical(),
        document_hash=mark,
        created_by=by.subject,
    )
    session.add(added)
    await session.flush()
    await session.refresh(added)
    return added


def _shipped(code: str) -> Methodology:
    found = shipped_methodologies().get(code)
    if found is None:
        raise ShippedMethodologyNotFound(
            f"Методики «{code}» в поставке нет",
            hint="Список кодов: " + ", ".join(shipped_methodologies()),
        )
    return found
