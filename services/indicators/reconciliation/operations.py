"""Keeping printed splits. There is no editing: a corrected split is another record."""

import hashlib
import json
from dataclasses import asdict

from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.reconciliation import queries
from services.indicators.reconciliation.checking import check_split, sums_of
from services.indicators.reconciliation.schemas import PrintedSplitIn, SplitSeverity
from services.indicators.reconciliation.tables import PrintedSplit
from services.kit.principals import Principal
from services.kit.problems import Problem, constraint_problems

__all__ = ["FiguresInconsistent", "SplitAlreadyKept", "SplitOfNoRegion", "keep"]


class FiguresInconsistent(Problem):
    """The printed figures cannot all be true."""

    status = 422
    title = "Напечатанные числа не сходятся"


class SplitAlreadyKept(Problem):
    """The region has kept this very split."""

    status = 409
    title = "Такой список уже загружен"


class SplitOfNoRegion(Problem):
    """A caller of no region cannot keep a split."""

    status = 409
    title = "Список принадлежит региону"


async def keep(session: AsyncSession, wish: PrintedSplitIn, *, by: Principal) -> PrintedSplit:
    """Check a printed split and keep it with what was found.

    Raises:
        FiguresInconsistent: The figures contradict each other and nobody takes them as printed.
        SplitAlreadyKept: The same split is there.
        SplitOfNoRegion: The caller belongs to no region.
    """
    if by.reach.region_id is None:
        raise SplitOfNoRegion(
            "Вызывающий не относится ни к одному региону",
            hint="Обратитесь с учётной записью или ключом клиента своего региона",
        )
    printed = wish.printed()
    names = await queries.municipality_names(session, region_id=by.reach.region_id)
    findings = check_split(printed, names)
    told = [asdict(one) | {"severity": one.severity.value} for one in findings]
    wrong = [one for one in findings if one.severity is SplitSeverity.ERROR]
    if wrong and not wish.accept_as_printed:
        raise FiguresInconsistent(
            "; ".join(one.text for one in wrong),
            hint="Исправьте числа по документу или сохраните как напечатано: accept_as_printed: true и "
            "reason",
            errors=[
                {"pointer": one.pointer, "code": one.code, "detail": one.text} for one in wrong
            ],
            findings=told,
        )
    content = printed.model_dump(mode="json")
    written = json.dumps(content, sort_keys=True, ensure_ascii=False)
    kept = PrintedSplit(
        region_id=by.reach.region_id,
        year=printed.year,
        title=printed.title,
        printed=content,
        content_hash=hashlib.sha256(written.encode()).hexdigest(),
        is_consistent=not wrong,
        findings=told,
        sums=sums_of(printed),
        accepted_reason=wish.reason if wrong else None,
        created_by=by.subject,
    )
    session.add(kept)
    twice = SplitAlreadyKept(
        "Тот же список уже загружен", hint="Найдите его: GET /printed-splits?year=…"
    )
    async with constraint_problems({"uq_printed_split_region_id_content_hash": twice}):
        await session.flush()
    await session.refresh(kept)
    return kept
