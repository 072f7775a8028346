"""Taking the files of an import: short transactions around one long stream.

A file's row names the attempt that writes it. A later upload of the same table replaces the
attempt, and the batches of the earlier one are then refused; so an upload that a killed service
left half done is simply sent again.
"""

import asyncio
import base64
import binascii
import contextlib
import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.procedures.queries import scales, visible_procedure
from services.indicators.results import operations, queries
from services.indicators.results.layouts import LayoutCode, Table, layout
from services.indicators.results.operations import ImportNotReady
from services.indicators.results.receiving import Received, Refused, TooBig, receive
from services.indicators.results.reference import subject_words
from services.indicators.results.schemas import ImportState
from services.indicators.results.spooling import LARGEST, Spool
from services.indicators.results.tables import ImportFile, ResultImport
from services.indicators.settings import IndicatorsSettings
from services.kit.jobs import enqueue
from services.kit.problems import Problem

__all__ = [
    "DigestMalformed",
    "DigestMismatch",
    "FileRefused",
    "FileTooBig",
    "TableUnknown",
    "Upload",
    "UploadReplaced",
    "take_file",
]

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")

Transactions = Callable[[], AbstractAsyncContextManager[AsyncSession]]


class TableUnknown(Problem):
    """The layout has no such table."""

    status = 404
    title = "В раскладке нет такой таблицы"


class FileRefused(Problem):
    """The file as a whole cannot be taken; `reason` is the stable code of why."""

    status = 422
    title = "Файл не принят"


class FileTooBig(Problem):
    """The file passed the limit while it was coming in."""

    status = 413
    title = "Файл слишком большой"


class FileTimedOut(Problem):
    """The file did not come in within the time for uploads."""

    status = 408
    title = "Файл загружался слишком долго"


class UploadReplaced(Problem):
    """Another upload of the same table began meanwhile."""

    status = 409
    title = "Загрузку заменила другая загрузка того же файла"


class DigestMalformed(Problem):
    """Repr-Digest is not one SHA-256 in the form of RFC 9530."""

    status = 400
    title = "Заголовок Repr-Digest составлен неверно"


class DigestMismatch(Problem):
    """The bytes that came are not those the client announced."""

    status = 422
    title = "Содержимое не совпало с Repr-Digest"


@dataclass(frozen=True)
class Upload:
    """What is known of an upload before its bytes."""

    import_id: int
    table: str
    content_type: str
    declared_bytes: int | None
    repr_digest: str | None


@dataclass(frozen=True)
class _Started:
    file_id: int
    attempt: str
    task: dict[str, Any]
    grade: int
    year: int


async def take_file(
    transactions: Transactions,
    settings: IndicatorsSettings,
    turns: asyncio.Semaphore,
    upload: Upload,
    body: AsyncIterator[bytes],
) -> int:
    """Take a file into its import; gives the id of the import that holds the content.

    That is another, earlier import when the same content has been imported before.

    Raises:
        FileRefused: The file cannot be read; nothing of it is kept.
        FileTooBig: It is larger than the limit.
        ImportNotReady: The import no longer takes files.
    """
    announced = _announced(upload.repr_digest)
    form, body = await _form(upload.content_type, body)
    limit = _limit(settings, form)
    if upload.declared_bytes is not None and upload.declared_bytes > limit:
        raise _too_big(limit)
    if announced:
        async with transactions() as session:
            first = await _known(session, upload, announced)
        if first is not None:
            return first
    async with contextlib.AsyncExitStack() as held:
        await held.enter_async_context(turns)
        if not announced and await _is_length_known(transactions, upload):
            spool = held.enter_context(Spool())
            sha256 = await spool.take(body)
            async with transactions() as session:
                first = await _known(session, upload, sha256)
            if first is not None:
                return first
            body = spool.replay(body)
        started, received = await _pass(transactions, settings, upload, form, body)
    if announced and announced != received.sha256:
        async with transactions() as session:
            await _refuse(session, started)
        raise DigestMismatch("Файл повреждён в пути", hint="Загрузите его ещё раз")
    return await _finish(transactions, upload, started, received)


async def _is_length_known(transactions: Transactions, upload: Upload) -> bool:
    """Tell whether a file of this very length has been imported into the procedure."""
    if upload.declared_bytes is None or upload.declared_bytes > LARGEST:
        return False
    async with transactions() as session:
        found = await queries.visible_import(session, upload.import_id)
        known = await session.scalar(
            select(ImportFile.id)
            .join(ResultImport, ResultImport.id == ImportFile.import_id)
            .where(
                ResultImport.procedure_id == found.procedure_id,
                ResultImport.content_hash.is_not(None),
                ImportFile.table_name == upload.table,
                ImportFile.size_bytes == upload.declared_bytes,
            )
            .limit(1)
        )
    return known is not None


async def _pass(
    transactions: Transactions,
    settings: IndicatorsSettings,
    upload: Upload,
    form: str,
    body: AsyncIterator[bytes],
) -> tuple[_Started, Received]:
    """Pass the body through the child; a refused file leaves nothing but its refusal."""
    limit = _limit(settings, form)
    async with transactions() as session:
        started = await _start(session, settings, upload, form)

    async def store(seq: int, kind: str, payload: bytes) -> None:
        async with transactions() as session:
            await _store(session, started, seq, kind, payload)

    try:
        received = await receive(
            body, started.task, store, limit=limit, seconds=settings.intake_seconds
        )
        _check_title(received, started)
    except Refused as refused:
        async with transactions() as session:
            await _refuse(session, started)
        raise _file_refused(refused.document) from None
    except TooBig:
        async with transactions() as session:
            await _refuse(session, started)
        raise _too_big(limit) from None
    except TimeoutError:
        raise FileTimedOut("Повторите загрузку") from None
    return started, received


def _limit(settings: IndicatorsSettings, form: str) -> int:
    return settings.max_xlsx_bytes if form == "xlsx" else settings.max_csv_bytes


def _announced(header: str | None) -> str | None:
    """Read the SHA-256 of Repr-Digest (RFC 9530) as hexadecimal digits."""
    if header is None:
        return None
    match = _DIGEST.search(header)
    if match is None:
        raise DigestMalformed(
            "Ожидается sha-256=:<base64>:", hint="Уберите заголовок или исправьте"
        )
    try:
        return base64.b64decode(match[1], validate=True).hex()
    except binascii.Error as error:
        raise DigestMalformed("Ожидается sha-256=:<base64>:") from error


async def _form(content_type: str, body: AsyncIterator[bytes]) -> tuple[str, AsyncIterator[bytes]]:
    """Decide between CSV and XLSX by the declared type; unnamed bytes are looked at."""
    declared = content_type.split(";", maxsplit=1)[0].strip().lower()
    if declared == _XLSX:
        return "xlsx", body
    if declared in {"text/csv", "text/plain", "application/csv", "text/tab-separated-values"}:
        return "csv", body
    first = b""
    async for piece in body:
        first += piece
        if len(first) >= 4:
            break

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for piece in body:
            yield piece

    return ("xlsx" if first.startswith(b"PK\x03\x04") else "csv"), whole()


def _too_big(limit: int) -> FileTooBig:
    return FileTooBig(
        f"Допустимо не больше {limit // 1024 // 1024} МБ",
        hint="Разделите файл, например по предметам, и загрузите каждую часть своим импортом",
        limit_bytes=limit,
    )


def _file_refused(document: dict[str, Any]) -> FileRefused:
    return FileRefused(
        document["detail"],
        hint=document["hint"],
        reason=document["code"],
        facts=document.get("facts", {}),
    )


def _table(found: ResultImport, name: str) -> Table:
    table = layout(LayoutCode(found.layout)).table(name)
    if table is None:
        names = [table.name for table in layout(LayoutCode(found.layout)).tables]
        raise TableUnknown(f"Таблицы раскладки {found.layout}: {', '.join(names)}", tables=names)
    return table


async def _known(session: AsyncSession, upload: Upload, sha256: str) -> int | None:
    """Find the import that already holds a single-file content; marks this one as its repetition."""
    found = await queries.visible_import(session, upload.import_id, locked=True)
    _table(found, upload.table)
    if len(layout(LayoutCode(found.layout)).tables) > 1 or found.state != ImportState.DRAFT:
        return None
    first = await _holder(session, found, _content_hash(found, {upload.table: sha256}))
    if first is not None:
        found.state = ImportState.DUPLICATE
        found.first_import_id = first
        await session.flush()
    return first


async def _holder(session: AsyncSession, found: ResultImport, content: str) -> int | None:
    held = await session.scalar(
        select(ResultImport.id).where(
            ResultImport.region_id == found.region_id,
            ResultImport.procedure_id == found.procedure_id,
            ResultImport.content_hash == content,
            ResultImport.state.in_(("uploaded", "checking", "checked", "committing", "committed")),
        )
    )
    return None if held is None else int(held)


async def _start(
    session: AsyncSession, settings: IndicatorsSettings, upload: Upload, form: str
) -> _Started:
    """Open an attempt at a table, replacing an earlier one."""
    found = await queries.visible_import(session, upload.import_id, locked=True)
    table = _table(found, upload.table)
    if found.state != ImportState.DRAFT:
        raise ImportNotReady(
            f"Импорт в состоянии {found.state} файлов больше не принимает",
            hint="Создайте новый импорт",
            state=found.state,
        )
    procedure = await visible_procedure(session, found.procedure_id)
    subjects = await scales(session, found.procedure_id)
    await session.execute(
        text("DELETE FROM import_file WHERE import_id = :id AND table_name = :table"),
        {"id": found.id, "table": table.name},
    )
    file = ImportFile(
        region_id=found.region_id,
        import_id=found.id,
        table_name=table.name,
        form=form,
        state="receiving",
        attempt=secrets.token_hex(16),
    )
    session.add(file)
    await session.flush()
    words = {
        word
        for scale in subjects
        for word in subject_words(scale.subject, scale.title, scale.aliases)
    }
    secret = settings.pseudonym_key.get_secret_value().encode()
    task = {
        "layout": found.layout,
        "table": table.name,
        "form": form,
        # BLAKE2b takes keys up to 64 bytes; a setting may be of any length.
        "key": hashlib.blake2b(secret, digest_size=32).hexdigest(),
        "scope": str(found.region_id),
        "subjects": sorted(words),
        "constants": {"subject": found.subject.lower()} if found.subject else {},
    }
    return _Started(file.id, file.attempt, task, procedure.grade, procedure.year)


async def _store(
    session: AsyncSession, started: _Started, seq: int, kind: str, payload: bytes
) -> None:
    """Store one batch, unless a later attempt has replaced this one."""
    # The upload's last transaction waits for the disk, and with it for all before it.
    await session.execute(text("SET LOCAL synchronous_commit = off"))
    stored = await session.execute(
        text(
            """
            INSERT INTO import_chunk (file_id, seq, kind, region_id, payload)
            SELECT id, :seq, :kind, region_id, :payload FROM import_file
            WHERE id = :file AND attempt = :attempt
            RETURNING seq
            """
        ),
        {
            "file": started.file_id,
            "attempt": started.attempt,
            "seq": seq,
            "kind": kind,
            "payload": payload,
        },
    )
    if stored.first() is None:
        raise UploadReplaced("Начата новая загрузка этой таблицы", hint="Дождитесь её окончания")


async def _refuse(session: AsyncSession, started: _Started) -> None:
    """Forget the batches of a refused file."""
    await session.execute(
        text("DELETE FROM import_chunk WHERE file_id = :file"), {"file": started.file_id}
    )
    await session.execute(
        text("UPDATE import_file SET state = 'refused' WHERE id = :file"),
        {"file": started.file_id},
    )


def _check_title(received: Received, started: _Started) -> None:
    """Refuse a form of another grade or year: its title says which it is."""
    title = received.facts.get("title") or {}
    if title and (title["grade"], title["year"]) != (started.grade, started.year):
        raise Refused(
            {
                "code": "title-mismatch",
                "detail": f"Файл за {title['year']} год, {title['grade']} класс, а процедура — "
                f"{started.year} год, {started.grade} класс.",
                "hint": "Загрузите файл в процедуру своего года и своей параллели.",
                "facts": {"found": title, "expected": [started.year, started.grade]},
            }
        )


async def _finish(
    transactions: Transactions, upload: Upload, started: _Started, received: Received
) -> int:
    """Close the attempt; with the last file of the layout the check is queued."""
    async with transactions() as session:
        found = await queries.visible_import(session, upload.import_id, locked=True)
        closed = await session.scalar(
            select(ImportFile).where(
                ImportFile.id == started.file_id, ImportFile.attempt == started.attempt
            )
        )
        if closed is None or found.state != ImportState.DRAFT:
            raise UploadReplaced("Начата новая загрузка этой таблицы")
        facts = dict(received.facts)
        closed.state = "received"
        closed.sha256 = received.sha256
        closed.size_bytes = received.size_bytes
        closed.rows_in = facts.pop("rows_in")
        closed.recognised = facts
        closed.received_at = await session.scalar(select(text("now()")))
        await session.flush()
        return await _close_import(session, found)


async def _close_import(session: AsyncSession, found: ResultImport) -> int:
    """Queue the check once all files are there; the same content twice is one import."""
    shape = layout(LayoutCode(found.layout))
    files = {
        file.table_name: file
        for file in await session.scalars(
            select(ImportFile).where(
                ImportFile.import_id == found.id, ImportFile.state == "received"
            )
        )
    }
    if set(files) != {table.name for table in shape.tables}:
        return found.id
    import_id = found.id
    content = _content_hash(found, {name: str(file.sha256) for name, file in files.items()})
    try:
        async with session.begin_nested():
            found.content_hash = content
            found.rows_in = files[shape.results_table].rows_in or 0
            found.state = ImportState.CHECKING
            await session.flush()
    except IntegrityError:
        # The savepoint's rollback has expired the row: from here on it is read again.
        session.expunge_all()
        return await _repeat(session, import_id, content)
    found.job_id = await enqueue(
        session,
        kind="check-import",
        region_id=found.region_id,
        params={"import_id": found.id},
        dedupe_key=f"check-import:{found.id}",
    )
    await session.flush()
    return found.id


async def _repeat(session: AsyncSession, import_id: int, content: str) -> int:
    """Mark an import as the repetition of the one that holds its content."""
    found = await queries.visible_import(session, import_id, locked=True)
    first = await _holder(session, found, content)
    if first is None:
        raise operations.ImportNotReady("Повторите загрузку: первый импорт отменён")
    await session.execute(
        text(
            "DELETE FROM import_chunk c USING import_file f"
            " WHERE f.id = c.file_id AND f.import_id = :id"
        ),
        {"id": import_id},
    )
    found.state = ImportState.DUPLICATE
    found.first_import_id = first
    await session.flush()
    return first


def _content_hash(found: ResultImport, files: dict[str, str]) -> str:
    """Name the content of an import by its files (table -> SHA-256) and the named subject."""
    listing = [f"{table}:{files[table]}" for table in sorted(files)]
    return hashlib.sha256("\n".join([*listing, found.subject or ""]).encode()).hexdigest()
