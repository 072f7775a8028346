"""Uploading a file of profiles, and its commit."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.profile_imports import queries, reading
from services.indicators.profile_imports.checking import RULES, Effect, Judged, Places, judge
from services.indicators.profile_imports.layouts import TEMPLATE, layout_of
from services.indicators.profile_imports.schemas import RowOutcome
from services.indicators.profile_imports.tables import ProfileImport, ProfileImportRow
from services.indicators.profiles import operations as profiles
from services.indicators.profiles import queries as profile_queries
from services.kit.principals import Principal
from services.kit.problems import Problem

__all__ = [
    "ProfileImportEmpty",
    "ProfileImportHasRejections",
    "ProfileImportOutdated",
    "ProfileUpload",
    "commit",
    "upload",
]


class ProfileImportHasRejections(Problem):
    """Some rows were rejected and the caller did not say to leave them out."""

    status = 409
    title = "В файле профилей есть отклонённые строки"


class ProfileImportEmpty(Problem):
    """No row of the file would be stored."""

    status = 409
    title = "Записывать из файла профилей нечего"


class ProfileImportOutdated(Problem):
    """Attributes or schools changed since the check, so that accepted rows cannot be stored."""

    status = 409
    title = "Признаки или школы изменились после проверки файла"


@dataclass(frozen=True)
class ProfileUpload:
    """A file as it came, with what its sender says of it."""

    body: bytes
    year: int
    source: str


async def upload(
    session: AsyncSession, sent: ProfileUpload, *, by: Principal, now: datetime
) -> ProfileImport:
    """Check a file and keep what was found.

    The same bytes for the same year are one import: a committed one is returned as it is, a checked
    one is checked again, because attributes, schools or profiles may have changed.

    Raises:
        Problem: One of `reading`, when the file as a whole cannot be read.
    """
    region_id = profiles.region_of(by)
    sha256 = hashlib.sha256(sent.body).hexdigest()
    # Two clients that send one file at once make one import.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"profile-import:{region_id}:{sent.year}:{sha256}"},
    )
    kept = await queries.of_file(session, region_id, sent.year, sha256)
    if kept is not None and kept.state == "committed":
        return kept
    attributes = await profile_queries.attributes_by_code(session)
    table = await asyncio.to_thread(reading.read, sent.body, layout_of(attributes.values()))
    if kept is None:
        kept = ProfileImport(
            region_id=region_id, year=sent.year, sha256=sha256, created_by=by.subject
        )
        session.add(kept)
    _describe(kept, sent, table, now)
    # Cells name the import that they came by, so its number is needed first.
    await session.flush()
    judged = await asyncio.to_thread(
        judge,
        table,
        Places.of(await queries.schools(session, region_id)),
        await queries.known_cells(session, sent.year),
        source=sent.source,
        import_id=kept.id,
    )
    outcomes = [row.outcome for row in judged]
    kept.rows_in = len(judged)
    kept.rows_stored = outcomes.count("store")
    kept.rows_rejected = outcomes.count("reject")
    kept.rows_ignored = outcomes.count("ignore")
    kept.issues = _grouped(judged)
    await session.flush()
    await _keep_rows(session, kept, judged)
    await session.refresh(kept)
    return kept


def _describe(
    kept: ProfileImport, sent: ProfileUpload, table: reading.Table, now: datetime
) -> None:
    kept.state = "checked"
    kept.source = sent.source
    kept.size_bytes = len(sent.body)
    kept.layout = f"{TEMPLATE[0]}/{TEMPLATE[1]}"
    kept.format, kept.encoding = table.format, table.encoding
    kept.delimiter, kept.sheet = table.delimiter, table.sheet
    kept.unknown_headings = [heading[:100] for heading in table.unknown_headings[:100]]
    kept.rows_in = kept.rows_stored = kept.rows_rejected = kept.rows_ignored = 0
    kept.issues = []
    kept.checked_at = now


_KEEP_ROWS = text(
    """
    INSERT INTO profile_import_row (import_id, region_id, row_no, outcome, school_id, cells,
                                    "values", findings)
    SELECT :import_id, :region_id, r.row_no, r.outcome, r.school_id, r.cells, r."values", r.findings
    FROM jsonb_populate_recordset(CAST(NULL AS profile_import_row), CAST(:rows AS jsonb)) r
    """
)


async def _keep_rows(session: AsyncSession, kept: ProfileImport, judged: Sequence[Judged]) -> None:
    await session.execute(delete(ProfileImportRow).where(ProfileImportRow.import_id == kept.id))
    rows = [
        {
            "row_no": row.line.number,
            "outcome": row.outcome,
            "school_id": row.school_id,
            # No attribute has an empty code: the school's own code stands there.
            "cells": {"": row.line.code, **row.line.cells},
            "values": row.values,
            "findings": [asdict(finding) for finding in row.findings],
        }
        for row in judged
    ]
    await session.execute(
        _KEEP_ROWS,
        {
            "import_id": kept.id,
            "region_id": kept.region_id,
            # A byte that JSON allows and PostgreSQL does not cannot come out of a text file.
            "rows": json.dumps(rows, ensure_ascii=False),
        },
    )


def _grouped(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Group what was found by rule and column: what rejects first, then what concerns most rows."""
    groups: dict[tuple[str, str | None], dict[str, Any]] = {}
    for row in judged:
        for finding in {(each.rule, each.column): each for each in row.findings}.values():
            rule = RULES[finding.rule]
            issue = groups.setdefault(
                (finding.rule, finding.column),
                {
                    **asdict(finding),
                    "effect": str(rule.effect),
                    "title": rule.title,
                    "remedy": rule.remedy,
                    "rows": 0,
                    "first_row": row.line.number,
                },
            )
            issue["rows"] += 1
            issue["last_row"] = row.line.number
    order = list(Effect)
    return sorted(
        groups.values(), key=lambda issue: (order.index(Effect(issue["effect"])), -issue["rows"])
    )


async def commit(
    session: AsyncSession,
    import_id: int,
    *,
    accept_partial: bool,
    by: Principal,
    now: datetime,
) -> ProfileImport:
    """Store the accepted rows of a checked import, all or none; a committed one stays as it is.

    Raises:
        ProfileImportNotFound: Outside reach.
        ProfileImportHasRejections: Rows were rejected and `accept_partial` was not given.
        ProfileImportEmpty: No row would be stored.
        ProfileImportOutdated: An attribute was retired or a school went away since the check.
    """
    kept = await queries.visible_import(session, import_id, locked=True)
    if kept.state == "committed":
        return kept
    if kept.rows_rejected and not accept_partial:
        raise ProfileImportHasRejections(
            f"Отклонено строк: {kept.rows_rejected} из {kept.rows_in}",
            hint="Исправьте файл и загрузите снова или запишите принятые строки "
            "с accept_partial = true",
            rows_rejected=kept.rows_rejected,
        )
    if not kept.rows_stored:
        raise ProfileImportEmpty(
            f"Строк в файле {kept.rows_in}, принятых среди них нет",
            hint=f"Посмотрите замечания: GET /profile-imports/{import_id}",
        )
    rows = await queries.rows_of_outcome(session, import_id, RowOutcome.STORE)
    wishes = {row.school_id: row.values for row in rows if row.school_id is not None}
    schools = await profile_queries.schools_by_id(session, list(wishes))
    attributes = await profile_queries.attributes_by_code(session)
    asked = {code for code, attribute in attributes.items() if not attribute.is_retired}
    lost = [
        row.row_no for row in rows if row.school_id not in schools or not row.values.keys() <= asked
    ]
    if lost:
        raise ProfileImportOutdated(
            f"Строка {lost[0]} и ещё {len(lost) - 1} больше не проходят проверку",
            hint="Загрузите тот же файл ещё раз: он будет проверен заново",
            rows=lost[:100],
        )
    await profiles.write_cells(session, schools, wishes, year=kept.year, by=by.subject, now=now)
    kept.state = "committed"
    kept.committed_at = now
    await session.flush()
    await session.refresh(kept)
    return kept
