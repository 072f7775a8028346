"""Reading appeals and their sandboxes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.indicators.appeals.schemas import AppealOut, SandboxOut
from services.indicators.appeals.tables import Appeal, AppealSandbox
from services.indicators.identification.tables import IdentificationRun
from services.kit.pages import Page, PageAsk, keyset
from services.kit.problems import Problem

__all__ = [
    "OPEN",
    "AppealFilter",
    "AppealNotFound",
    "appeal",
    "appeal_out",
    "appeals",
    "sandbox_out",
    "sandboxes",
]

OPEN = ("filed", "under_review")


class AppealNotFound(Problem):
    """There is no such appeal for the caller."""

    status = 404
    title = "Апелляция не найдена"


class AppealFilter(NamedTuple):
    """Which appeals are asked for; None asks for all."""

    run_id: int | None = None
    school_id: int | None = None
    municipality_id: int | None = None
    kind: str | None = None
    state: str | None = None
    is_overdue: bool | None = None

    def clauses(self, at: datetime) -> list[ColumnElement[bool]]:
        """Write the filter as conditions."""
        plain = {
            Appeal.run_id: self.run_id,
            Appeal.school_id: self.school_id,
            Appeal.municipality_id: self.municipality_id,
            Appeal.kind: self.kind,
            Appeal.state: self.state,
        }
        clauses = [column == value for column, value in plain.items() if value is not None]
        if self.is_overdue is not None:
            overdue = and_(Appeal.state.in_(OPEN), Appeal.due_at < at)
            clauses.append(overdue if self.is_overdue else ~overdue)
        return clauses


async def appeal(session: AsyncSession, appeal_id: int) -> Appeal:
    """Read one appeal.

    Raises:
        AppealNotFound: None is visible under this id.
    """
    found = await session.get(Appeal, appeal_id)
    if found is None:
        raise AppealNotFound("Такой апелляции нет в вашем охвате")
    return found


# The first list that follows the decision: of the same year, computed after it, published.
_later = aliased(IdentificationRun)
_CARRIED_OUT = (
    select(func.min(_later.id))
    .where(
        _later.region_id == Appeal.region_id,
        _later.year == Appeal.year,
        _later.state == "published",
        _later.computed_at > Appeal.decided_at,
        Appeal.state == "accepted",
    )
    .correlate(Appeal)
    .scalar_subquery()
    .label("carried_out_run_id")
)
_DERIVED = ("carried_out_run_id", "is_overdue", "next_step")
_COLUMNS = [getattr(Appeal, name) for name in AppealOut.model_fields if name not in _DERIVED]


async def appeals(
    session: AsyncSession, *, wanted: AppealFilter, at: datetime, is_exact: bool, ask: PageAsk
) -> Page[AppealOut]:
    """List the appeals by number."""
    found = select(*_COLUMNS, _CARRIED_OUT).where(*wanted.clauses(at))
    page = await keyset(session, found, order=(Appeal.id,), ask=ask)
    return Page(
        items=[_out(row, at=at, is_exact=is_exact) for row in page.items],
        next=page.next,
        total=page.total,
    )


async def appeal_out(
    session: AsyncSession, found: Appeal, *, at: datetime, is_exact: bool
) -> AppealOut:
    """Give an appeal as it travels."""
    await session.flush()
    row = await session.execute(select(*_COLUMNS, _CARRIED_OUT).where(Appeal.id == found.id))
    return _out(row.one(), at=at, is_exact=is_exact)


def _out(row: Any, *, at: datetime, is_exact: bool) -> AppealOut:
    plain = dict(row._mapping)  # noqa: SLF001  a row's public mapping
    for name in ("contested", "claimed", "corrected"):
        plain[name] = _told(plain[name], is_exact=is_exact)
    plain["is_overdue"] = row.state in OPEN and row.due_at < at
    plain["next_step"] = _next_step(row)
    return AppealOut.model_validate(plain)


def _told(cell: Mapping[str, Any] | None, *, is_exact: bool) -> dict[str, Any] | None:
    """Hide the numbers from whoever has no right to exact ones: a dispute is about a few people."""
    if cell is None or is_exact:
        return None if cell is None else dict(cell)
    hidden = {"result": ("n", "low", "failed"), "attribute": ("state", "value")}
    names = hidden.get(cell["kind"], ())
    told = dict(cell) | dict.fromkeys(names)
    return told | {"suppressed": list(names)} if cell["kind"] == "result" else told


_NEXT = {
    "result": "Поправка ляжет на данные следующего прогона; опубликованный список меняет только новый "
    "утверждённый прогон",
    "attribute": "Регион вносит исправление в профиль школы и начинает новый прогон",
    "mark": "Регион исправляет отметку в карточке школы в реестре и начинает новый прогон",
    "sign": "Регион отзывает признак в разделе «Признаки необъективности» и начинает новый прогон",
}


def _next_step(row: Any) -> str | None:
    if row.state != "accepted" or row.carried_out_run_id is not None:
        return None
    return _NEXT[row.kind]


async def sandboxes(session: AsyncSession, appeal_id: int, *, ask: PageAsk) -> Page[SandboxOut]:
    """List the sandboxes of an appeal in the order in which they were computed.

    Raises:
        AppealNotFound: No such appeal is visible.
    """
    await appeal(session, appeal_id)
    found = select(*(getattr(AppealSandbox, name) for name in SandboxOut.model_fields)).where(
        AppealSandbox.appeal_id == appeal_id
    )
    page = await keyset(session, found, order=(AppealSandbox.id,), ask=ask)
    return Page(
        items=[SandboxOut.model_validate(row) for row in page.items],
        next=page.next,
        total=page.total,
    )


def sandbox_out(found: AppealSandbox) -> SandboxOut:
    """Give a sandbox as it travels."""
    return SandboxOut.model_validate(found)
