"""Uploading a file of schools, asking for its commit, and the commit itself."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Row, delete, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.kit.jobs import enqueue
from services.kit.problems import Problem, ValidationFailed
from services.registry.school_imports import queries, reading
from services.registry.school_imports.checking import (
    RULES,
    Effect,
    Finding,
    Judged,
    Reference,
    judge,
)
from services.registry.school_imports.layouts import layout, normal
from services.registry.school_imports.tables import (
    SchoolImport,
    SchoolImportIssue,
    SchoolImportRow,
)
from services.registry.schools import queries as schools
from services.registry.schools.operations import bulk as many
from services.registry.schools.schemas import SchoolFields
from services.registry.territory import operations as territory
from services.registry.territory import queries as territory_queries
from services.registry.territory.schemas import MunicipalityIn
from services.registry.territory.terms import MunicipalityKind

__all__ = [
    "COMMIT_JOB",
    "ImportHasRejections",
    "ImportIsEmpty",
    "ImportIsOutdated",
    "ImportNotFound",
    "Upload",
    "ask_commit",
    "perform",
    "upload",
    "visible_import",
]

COMMIT_JOB = "commit-school-import"
_BATCH = 1_000


class ImportNotFound(Problem):
    """The import does not exist for the caller."""

    status = 404
    title = "Импорт не найден"


class ImportHasRejections(Problem):
    """Some rows were rejected and the caller did not say to leave them out."""

    status = 409
    title = "В файле есть отклонённые строки"


class ImportIsEmpty(Problem):
    """No row of the file would be stored."""

    status = 409
    title = "Записывать нечего"


class ImportIsOutdated(Problem):
    """The registry changed since the check, so that accepted rows would now be rejected."""

    status = 409
    title = "Реестр изменился после проверки файла"


@dataclass(frozen=True)
class Upload:
    """A file as it came, with the choices of who sent it."""

    body: bytes
    create_municipalities: bool
    effective_on: date | None
    max_rows: int
    max_inflated: int


async def visible_import(session: AsyncSession, import_id: int) -> Row[Any]:
    """Return the import or raise `ImportNotFound`."""
    found = await queries.one(session, import_id)
    if found is None:
        raise ImportNotFound
    return found


async def upload(
    session: AsyncSession, sent: Upload, *, region_id: int | None, by: str, now: datetime
) -> int:
    """Check a file and keep what was found; return the import's id.

    The same bytes are one import: a committed or committing one is returned as it is, a checked or
    failed one is checked again, because the registry or the choices may have changed.

    Raises:
        Problem: One of `reading`, when the file as a whole cannot be read.
    """
    if region_id is None:
        raise ValidationFailed(
            errors=[{"pointer": "", "code": "no_region", "detail": "Токен не привязан к региону"}]
        )
    if sent.effective_on is not None and sent.effective_on > now.date():
        raise ValidationFailed(
            errors=[
                {
                    "pointer": "#query/effective_on",
                    "code": "in_future",
                    "detail": "Дата не может быть в будущем",
                }
            ]
        )
    sha256 = hashlib.sha256(sent.body).hexdigest()
    # Two clients that send one file at once make one import.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:sha256, :region_id))"),
        {"sha256": sha256, "region_id": region_id},
    )
    known = await queries.of_file(session, region_id, sha256)
    if known is not None:
        stands = await visible_import(session, known.id)
        if stands.state in {"committing", "committed"}:
            return known.id
    shipped = layout()
    table = await asyncio.to_thread(
        reading.read,
        sent.body,
        shipped,
        max_rows=sent.max_rows,
        max_inflated=sent.max_inflated,
    )
    reference = await _reference(session, region_id, create=sent.create_municipalities)
    judged = await asyncio.to_thread(judge, table, shipped, reference)
    await _compare(
        session, judged, reference, region_id, sent.effective_on or now.date(), now.date()
    )
    counts = {
        outcome: sum(row.outcome == outcome for row in judged)
        for outcome in ("store", "reject", "ignore")
    }
    if known is None:
        known = SchoolImport(region_id=region_id, sha256=sha256, created_by=by)
        session.add(known)
    for name, value in {
        "state": "checked",
        "size_bytes": len(sent.body),
        "layout": f"{shipped.code}/{shipped.template_version}",
        "format": table.format,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "sheet": table.sheet,
        "unknown_headings": [heading[:100] for heading in table.unknown_headings[:100]],
        "create_municipalities": sent.create_municipalities,
        "effective_on": sent.effective_on,
        "rows_in": len(judged),
        "rows_stored": counts["store"],
        "rows_rejected": counts["reject"],
        "rows_ignored": counts["ignore"],
        "checked_at": now,
        "job_id": None,
    }.items():
        setattr(known, name, value)
    await session.flush()
    await _keep(session, known, judged)
    return known.id


async def _reference(session: AsyncSession, region_id: int, *, create: bool) -> Reference:
    listed = await territory_queries.names_by_code(session, region_id)
    prefixes = await territory_queries.oktmo_prefixes(session, [region_id])
    return Reference(
        municipality_ids={code: found.id for code, found in listed.items()},
        municipality_codes_by_name={normal(found.name): code for code, found in listed.items()},
        oktmo_prefix=prefixes.get(region_id),
        create_municipalities=create,
    )


async def _compare(
    session: AsyncSession,
    judged: Sequence[Judged],
    reference: Reference,
    region_id: int,
    effective_on: date,
    today: date,
) -> None:
    """Find among the accepted rows those that change nothing or cannot be stored."""
    holders = await schools.codes_by_login(
        session,
        region_id,
        {login for row in judged if (login := row.values.get("vpr_login")) is not None},
    )
    for row in judged:
        login = str(row.values.get("vpr_login", ""))
        holder = holders.get(login)
        if row.outcome == "store" and holder not in {None, row.values["code"]}:
            detail = f"Код ОО школы: {holder}"
            row.findings.append(Finding("login-taken", "Логин ВПР", login, detail))
    accepted = [row for row in judged if row.outcome == "store"]
    ids = reference.municipality_ids
    drafts = [
        _draft(region_id, row.values, ids.get(row.municipality_code or "")) for row in accepted
    ]
    made = await many.plan(session, drafts, effective_on=effective_on, today=today)
    sizes = await many.unchanged_sizes(
        session,
        [
            row.size | {"school_id": made.ids[draft.code]}
            for row, draft in zip(accepted, drafts, strict=True)
            if row.size is not None and draft.code in made.ids
        ],
    )
    for position, (row, draft) in enumerate(zip(accepted, drafts, strict=True)):
        for error in made.errors.get(position, ()):
            early = error["code"] == "earlier_than_state"
            rule = "earlier-than-state" if early else "attributes-disagree"
            row.findings.append(Finding(rule, detail=error["detail"]))
        has_new_size = (
            row.size is not None
            and (
                made.ids.get(draft.code),
                row.size["year"],
            )
            not in sizes
        )
        if made.outcomes[position] == "unchanged" and row.outcome == "store" and not has_new_size:
            row.findings.append(Finding("row-unchanged"))


def _draft(region_id: int, values: Mapping[str, Any], municipality_id: int | None) -> many.Draft:
    return many.Draft(region_id=region_id, values={**values, "municipality_id": municipality_id})


async def _keep(session: AsyncSession, kept: SchoolImport, judged: Sequence[Judged]) -> None:
    for table in (SchoolImportIssue, SchoolImportRow):
        await session.execute(delete(table).where(table.import_id == kept.id))
    session.add_all(_grouped(kept, judged))
    await session.flush()
    await session.execute(
        _KEEP_ROWS,
        {
            "import_id": kept.id,
            "region_id": kept.region_id,
            "rows": json.dumps([_row(row) for row in judged], ensure_ascii=False, default=str),
        },
    )


_KEEP_ROWS = text(
    """
    INSERT INTO school_import_row (import_id, region_id, row_no, outcome, cells, "values",
                                   municipality_code, municipality_name, size, findings)
    SELECT :import_id, :region_id, r.row_no, r.outcome, r.cells, r."values",
           r.municipality_code, r.municipality_name, r.size, r.findings
    FROM jsonb_populate_recordset(CAST(NULL AS school_import_row), CAST(:rows AS jsonb)) r
    """
)


def _row(row: Judged) -> dict[str, Any]:
    stores = row.outcome == "store"
    return {
        "row_no": row.line.number,
        "outcome": row.outcome,
        "cells": row.line.cells,
        "values": row.values if stores else None,
        "municipality_code": row.municipality_code,
        "municipality_name": row.municipality_name,
        "size": row.size if stores else None,
        "findings": [asdict(finding) for finding in row.findings],
    }


def _grouped(kept: SchoolImport, judged: Sequence[Judged]) -> list[SchoolImportIssue]:
    """Group what was found by rule and column: what rejects first, then what concerns most rows."""
    groups: dict[tuple[str, str | None], SchoolImportIssue] = {}
    for row in judged:
        for finding in {(each.rule, each.column): each for each in row.findings}.values():
            issue = groups.setdefault(
                (finding.rule, finding.column),
                SchoolImportIssue(
                    import_id=kept.id,
                    region_id=kept.region_id,
                    rule=finding.rule,
                    effect=finding.effect.value,
                    column_title=finding.column,
                    rows=0,
                    first_row=row.line.number,
                    value=finding.value,
                    detail=finding.detail,
                ),
            )
            issue.rows += 1
            issue.last_row = row.line.number
    order = list(Effect)
    return sorted(
        groups.values(), key=lambda issue: (order.index(RULES[issue.rule].effect), -issue.rows)
    )


async def ask_commit(session: AsyncSession, import_id: int, *, accept_partial: bool) -> None:
    """Hand a checked import to the worker; a committed or committing one stays as it is.

    Raises:
        ImportNotFound: Outside reach.
        ImportHasRejections: Rows were rejected and `accept_partial` was not given.
        ImportIsEmpty: No row would be stored.
    """
    found = await visible_import(session, import_id)
    if found.state in {"committing", "committed"}:
        return
    if found.rows_rejected and not accept_partial:
        raise ImportHasRejections(
            f"Отклонено строк: {found.rows_rejected} из {found.rows_in}",
            hint="Исправьте файл и загрузите снова или запишите принятые строки "
            "с accept_partial = true",
            rows_rejected=found.rows_rejected,
        )
    if not found.rows_stored:
        raise ImportIsEmpty(f"Строк в файле {found.rows_in}, принятых среди них нет")
    job_id = await enqueue(
        session,
        kind=COMMIT_JOB,
        region_id=found.region_id,
        params={"import_id": import_id},
        dedupe_key=f"{COMMIT_JOB}:{import_id}",
    )
    await session.execute(
        text("UPDATE school_import SET state = 'committing', job_id = :job_id WHERE id = :id"),
        {"job_id": job_id, "id": import_id},
    )


async def perform(
    session: AsyncSession,
    import_id: int,
    *,
    now: datetime,
    progress: Callable[[int, int], Any],
) -> dict[str, int]:
    """Store the accepted rows of an import, all or none, judging them again on what holds now.

    Returns:
        How many schools were created, updated and left, how many municipalities were created.

    Raises:
        ImportIsOutdated: An accepted row would now be rejected.
    """
    kept = await session.get(SchoolImport, import_id, with_for_update=True)
    if kept is None:
        raise ImportNotFound
    if kept.state == "committed":
        return {}
    rows = await queries.rows_to_store(session, import_id)
    founded = await _found_municipalities(session, kept, rows)
    municipality_ids = await territory_queries.municipality_ids_by_code(session, kept.region_id)
    done = {"created": 0, "updated": 0, "unchanged": 0, "municipalities": founded}
    remaining = iter(rows)
    stored = 0
    while batch := list(islice(remaining, _BATCH)):
        made = await _write(session, kept, batch, municipality_ids, today=now.date())
        for outcome in made.outcomes:
            done[outcome] += 1
        stored += len(batch)
        await progress(stored, len(rows))
    kept.state = "committed"
    kept.committed_at = now
    await session.flush()
    return done


async def _found_municipalities(
    session: AsyncSession, kept: SchoolImport, rows: Sequence[SchoolImportRow]
) -> int:
    if not kept.create_municipalities:
        return 0
    known = await territory_queries.municipality_ids_by_code(session, kept.region_id)
    missing = {
        row.municipality_code: row.municipality_name
        for row in reversed(rows)
        if row.municipality_code is not None and row.municipality_code not in known
    }
    for code, name in sorted(missing.items()):
        await territory.add_municipality(
            session,
            MunicipalityIn(code=code, name=name or code, kind=_kind(name or "")),
            region_id=kept.region_id,
        )
    return len(missing)


def _kind(name: str) -> MunicipalityKind:
    words = normal(name).replace(".", ". ").split()
    if "г." in words or "город" in words:
        return MunicipalityKind.CITY
    return MunicipalityKind.OKRUG if "округ" in words else MunicipalityKind.DISTRICT


async def _write(
    session: AsyncSession,
    kept: SchoolImport,
    batch: Sequence[SchoolImportRow],
    municipality_ids: Mapping[str, int],
    *,
    today: date,
) -> many.Plan:
    drafts = [
        _draft(
            kept.region_id,
            SchoolFields.model_validate(row.values).model_dump(exclude_unset=True),
            municipality_ids.get(row.municipality_code or ""),
        )
        for row in batch
    ]
    made = await many.plan(session, drafts, effective_on=kept.effective_on or today, today=today)
    lost = [
        row.row_no
        for position, (row, draft) in enumerate(zip(batch, drafts, strict=True))
        if position in made.errors or draft.values["municipality_id"] is None
    ]
    if lost:
        raise ImportIsOutdated(
            f"Строка {lost[0]} и ещё {len(lost) - 1} больше не проходят проверку",
            hint="Загрузите тот же файл ещё раз: он будет проверен заново",
            rows=lost[:100],
        )
    await many.write(session, made)
    sizes = [
        row.size | {"school_id": made.ids[draft.code]}
        for row, draft in zip(batch, drafts, strict=True)
        if row.size is not None
    ]
    if sizes:
        await many.store_sizes(session, sizes)
    return made
