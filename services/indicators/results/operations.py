"""Verbs of an import over HTTP: create, ask for a check, commit, cancel."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.procedures.queries import visible_procedure
from services.indicators.results import queries
from services.indicators.results.schemas import CommitIn, ImportIn, ImportState
from services.indicators.results.tables import ResultImport
from services.kit.jobs import enqueue
from services.kit.principals import Principal
from services.kit.problems import Problem

__all__ = [
    "ImportNotReady",
    "ProcedureClosed",
    "RejectedRowsPresent",
    "cancel_import",
    "check_again",
    "commit_import",
    "create_import",
]


class ProcedureClosed(Problem):
    """A closed procedure takes no results."""

    status = 409
    title = "Процедура закрыта для загрузки"


class ImportNotReady(Problem):
    """The import is in a state in which this cannot be done."""

    status = 409
    title = "В этом состоянии импорта действие невозможно"


class RejectedRowsPresent(Problem):
    """Some rows are rejected, and the caller has not said to store the rest."""

    status = 409
    title = "В импорте есть отклонённые строки"


async def create_import(session: AsyncSession, new: ImportIn, *, by: Principal) -> ResultImport:
    """Start an import into a procedure.

    Raises:
        ProcedureNotFound: The caller sees no such procedure.
        ProcedureClosed: It takes no results.
    """
    procedure = await visible_procedure(session, new.procedure_id)
    if procedure.state != "open":
        raise ProcedureClosed(
            f"«{procedure.title}» закрыта", hint="Откройте её: PATCH /procedures, state=open"
        )
    made = ResultImport(
        region_id=procedure.region_id,
        procedure_id=procedure.id,
        layout=new.layout,
        note=new.note,
        subject=new.subject,
        created_by=by.subject,
    )
    session.add(made)
    await session.flush()
    await session.refresh(made)
    return made


async def check_again(session: AsyncSession, import_id: int) -> ResultImport:
    """Repeat the check: after schools or scales were added, or after a failed job.

    Raises:
        ImportNotFound: None is visible under this id.
        ImportNotReady: The import has no files, or is already decided.
    """
    found = await queries.visible_import(session, import_id, locked=True)
    _expect(found, ImportState.CHECKING, ImportState.CHECKED)
    found.state = ImportState.CHECKING
    found.job_id = await _enqueue(session, found, "check-import")
    await session.flush()
    return found


async def commit_import(
    session: AsyncSession, import_id: int, decision: CommitIn, *, by: Principal
) -> ResultImport:
    """Decide to put a checked import in force.

    Raises:
        ImportNotFound: None is visible under this id.
        ImportNotReady: It is not checked, or already decided.
        RejectedRowsPresent: Rows are rejected and `accept_rejected` was not given.
    """
    found = await queries.visible_import(session, import_id, locked=True)
    _expect(found, ImportState.CHECKED, ImportState.COMMITTING)
    if found.state == ImportState.CHECKED and found.rejected and not decision.accept_rejected:
        raise RejectedRowsPresent(
            f"Отклонено строк: {found.rejected} из {found.rows_in}",
            hint="Исправьте файл и загрузите его новым импортом либо передайте accept_rejected=true",
            rejected=found.rejected,
            rows_in=found.rows_in,
        )
    found.state = ImportState.COMMITTING
    found.committed_by = by.subject
    found.problem = None
    found.job_id = await _enqueue(session, found, "commit-import")
    await session.flush()
    return found


async def cancel_import(session: AsyncSession, import_id: int) -> ResultImport:
    """Give an import up; nothing of it is stored.

    Raises:
        ImportNotFound: None is visible under this id.
        ImportNotReady: It is being committed or is in force.
    """
    found = await queries.visible_import(session, import_id, locked=True)
    _expect(
        found,
        ImportState.DRAFT,
        ImportState.UPLOADED,
        ImportState.CHECKING,
        ImportState.CHECKED,
        ImportState.FAILED,
    )
    found.state = ImportState.CANCELLED
    found.job_id = await _enqueue(session, found, "discard-import")
    await session.flush()
    return found


def _expect(found: ResultImport, *states: ImportState) -> None:
    if found.state not in states:
        raise ImportNotReady(
            f"Импорт в состоянии {found.state}, ожидается: {', '.join(states)}",
            state=found.state,
            expected=list(states),
        )


async def _enqueue(session: AsyncSession, found: ResultImport, kind: str) -> int:
    params: dict[str, Any] = {"import_id": found.id}
    return await enqueue(
        session,
        kind=kind,
        region_id=found.region_id,
        params=params,
        dedupe_key=f"{kind}:{found.id}",
    )
