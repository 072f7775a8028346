"""Adding versions of methodologies. There is no editing and no deleting."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.methodologies import packages, queries
from services.indicators.methodologies.document import Methodology, MethodologyText
from services.indicators.methodologies.findings import Finding
from services.indicators.methodologies.linting.linter import errors, lint, sound
from services.indicators.methodologies.linting.structure import read
from services.indicators.methodologies.schemas import LintIn, MethodologyVersionIn, PackageIn
from services.indicators.methodologies.shipped import shipped_methodologies
from services.indicators.methodologies.surrounding import surroundings
from services.indicators.methodologies.tables import MethodologyVersion
from services.kit.inputs import MAX_ID
from services.kit.principals import Principal
from services.kit.problems import Problem, ValidationFailed

__all__ = [
    "MethodologyAlreadyAdded",
    "RegionNotNamed",
    "ReplacementUnsound",
    "ShippedMethodologyNotFound",
    "add_document",
    "add_package",
    "add_version",
    "document_hash",
    "findings_of",
    "lint_document",
    "region_of",
    "shipped_document",
    "told",
]


LONGEST_WORD = 100
"""Characters of a code in the origin of a package."""


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


class ReplacementUnsound(Problem):
    """The named version cannot be replaced by this one."""

    status = 409
    title = "Эту версию нельзя заменить"


def document_hash(document: MethodologyText) -> str:
    """Name a document by its content: SHA-256, 64 hexadecimal digits."""
    return packages.document_hash(document.canonical())


def region_of(by: Principal) -> int:
    """Name the caller's region.

    Raises:
        RegionNotNamed: The caller belongs to no region.
    """
    if by.reach.region_id is None:
        raise RegionNotNamed(
            "Вызывающий не относится ни к одному региону",
            hint="Обратитесь с учётной записью или ключом клиента своего региона",
        )
    return by.reach.region_id


def shipped_document(code: str) -> dict[str, Any]:
    """Give a shipped document as plain JSON values.

    Raises:
        ShippedMethodologyNotFound: The code names no shipped document.
    """
    found = shipped_methodologies().get(code)
    if found is None:
        raise ShippedMethodologyNotFound(
            f"Методики «{code}» в поставке нет",
            hint="Список кодов: " + ", ".join(shipped_methodologies()),
        )
    return found.canonical()


async def findings_of(
    session: AsyncSession,
    document: Any,
    *,
    region_id: int,
    today: dt.date,
    replaces: int | None = None,
) -> list[Finding]:
    """Hold a JSON value, perhaps no methodology at all, against the region."""
    code = document.get("code") if isinstance(document, Mapping) else None
    around = await surroundings(
        session,
        region_id=region_id,
        code=code if isinstance(code, str) else "",
        today=today,
        replaces=replaces,
    )
    return lint(document, around)


async def lint_document(
    session: AsyncSession, asked: LintIn, *, by: Principal, at: dt.datetime
) -> list[Finding]:
    """Say what would be said on adding; nothing is stored.

    Raises:
        RegionNotNamed: The caller belongs to no region.
    """
    return await findings_of(
        session,
        asked.document,
        region_id=region_of(by),
        today=at.date(),
        replaces=asked.replaces_id,
    )


async def add_version(
    session: AsyncSession, wish: MethodologyVersionIn, *, by: Principal, at: dt.datetime
) -> MethodologyVersion:
    """Add the next version of a methodology to the caller's region.

    Raises:
        ShippedMethodologyNotFound: The code names no shipped document.
        RegionNotNamed: The caller belongs to no region.
        ValidationFailed, MethodologyAlreadyAdded, ReplacementUnsound: See `add_document`.
    """
    region_of(by)
    document: Any
    if wish.shipped is not None:
        document, kind = shipped_document(wish.shipped), "shipped"
    else:
        document, kind = wish.document, "own"
    if wish.required_use is not None and isinstance(document, dict):
        document = document | {"required_use": wish.required_use.value}
    return await add_document(
        session, document, origin={"kind": kind}, replaces=wish.replaces_id, by=by, at=at
    )


async def add_document(
    session: AsyncSession,
    document: Any,
    *,
    origin: dict[str, Any],
    replaces: int | None,
    by: Principal,
    at: dt.datetime,
) -> MethodologyVersion:
    """Lint a document and add it as the next version of its code, with what lint found.

    Raises:
        ValidationFailed: The linter found errors; `errors` has their places, `findings` all of them.
        MethodologyAlreadyAdded: The same document is there already.
        ReplacementUnsound: The named version cannot be replaced by this one.
        RegionNotNamed: The caller belongs to no region.
    """
    region_id = region_of(by)
    found = await findings_of(
        session, document, region_id=region_id, today=at.date(), replaces=replaces
    )
    if wrong := errors(found):
        raise ValidationFailed(
            f"Документ методики нельзя добавить: ошибок {len(wrong)}",
            hint="Исправьте названное в errors; то же без добавления: POST /methodology-versions/lint",
            errors=[
                {"pointer": f"/document{one.pointer}", "code": one.code, "detail": one.text}
                for one in wrong
            ],
            findings=told(found),
        )
    methodology = sound(document)
    # Two people adding versions of one code get consecutive numbers.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"methodology:{region_id}:{methodology.code}"},
    )
    same = await _same(session, region_id, methodology)
    if same is not None:
        raise MethodologyAlreadyAdded(
            f"Документ уже добавлен как версия {same.number}",
            hint="Используйте существующую версию или измените документ",
            methodology_version_id=same.id,
        )
    if replaces is not None:
        await _refuse_unsound(session, replaces, methodology)
    last = await session.scalar(
        select(func.max(MethodologyVersion.number)).where(
            MethodologyVersion.region_id == region_id,
            MethodologyVersion.code == methodology.code,
        )
    )
    added = MethodologyVersion(
        region_id=region_id,
        code=methodology.code,
        number=(last or 0) + 1,
        title=methodology.title,
        document=methodology.canonical(),
        document_hash=document_hash(methodology),
        findings=told(found),
        origin=origin,
        replaces_id=replaces,
        created_by=by.subject,
    )
    session.add(added)
    await session.flush()
    await session.refresh(added)
    return added


def told(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Write findings as plain JSON values."""
    return [asdict(one) | {"severity": one.severity.value} for one in findings]


async def _same(
    session: AsyncSession, region_id: int, methodology: MethodologyText
) -> MethodologyVersion | None:
    found: MethodologyVersion | None = await session.scalar(
        select(MethodologyVersion).where(
            MethodologyVersion.region_id == region_id,
            MethodologyVersion.code == methodology.code,
            MethodologyVersion.document_hash == document_hash(methodology),
        )
    )
    return found


async def _refuse_unsound(session: AsyncSession, replaces: int, by: Methodology) -> None:
    """Refuse to end a version of another code, one that begins later, or one that has an heir.

    Raises:
        ReplacementUnsound: With the reason.
        MethodologyVersionNotFound: No such version is visible.
    """
    former = await queries.described_version(session, replaces)
    reason = None
    if former["code"] != by.code:
        reason = f"Это версия методики «{former['code']}», а документ — «{by.code}»"
    elif former["replaced_by_id"] is not None:
        reason = f"Её уже заменила версия {former['replaced_by_id']}"
    elif former["in_force_from"] >= by.in_force_from:
        reason = f"Она действует с {former['in_force_from']:%d.%m.%Y}, не раньше новой"
    if reason:
        raise ReplacementUnsound(
            reason, hint="Заменяется последняя версия того же кода, действующая раньше новой"
        )


async def add_package(
    session: AsyncSession, package: PackageIn, *, by: Principal, at: dt.datetime
) -> tuple[MethodologyVersion, bool]:
    """Add the document of a package, or find the version that has it already; True if added.

    Raises:
        PackageFormatUnknown: The package is of a later format.
        ValidationFailed: A hash differs, or lint finds errors in this region.
        RegionNotNamed: The caller belongs to no region.
    """
    packages.refuse_tampered(package.model_dump())
    region_id = region_of(by)
    text_of, _ = read(package.document)
    if text_of is not None and (same := await _same(session, region_id, text_of)) is not None:
        return same, False
    origin = {"kind": "package"} | _named(package.origin)
    added = await add_document(
        session, package.document, origin=origin, replaces=None, by=by, at=at
    )
    return added, True


def _named(origin: Mapping[str, Any]) -> dict[str, Any]:
    """Take from a package's origin what an origin tells, where it is what it should be."""
    number = origin.get("number")
    told = {
        field: origin[field] for field in ("region_code", "code") if _is_word(origin.get(field))
    }
    # A forger may hash what he likes; `true` is an int to Python.
    if type(number) is int and 0 < number <= MAX_ID:
        told["number"] = number
    return told


def _is_word(told: Any) -> bool:
    return isinstance(told, str) and told.isprintable() and 0 < len(told) <= LONGEST_WORD
