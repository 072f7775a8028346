"""A look at an XLSX before anything is inflated for real: it is a zip, and a zip can lie."""

import io
import stat
import zipfile
import zlib

from services.indicators.results.intake.refusals import Refusal, cut

_ENTRIES = 2_000
_INFLATED = 400 * 1024 * 1024
_RATIO = 200
"""A sheet of numbers deflates 5 to 30 times; a bomb a thousand."""
_SMALL = 1024 * 1024
_STEP = 256 * 1024
_DECLARATIONS = (b"<!DOCTYPE", b"<!ENTITY")


def check(body: bytes) -> None:
    """Refuse what no office program writes: bombs, links, paths out, overlaps, entities."""
    if not body.startswith(b"PK\x03\x04"):
        raise Refusal(
            "format-unexpected",
            "Это не книга XLSX: нет подписи ZIP.",
            "Сохраните файл как XLSX (не XLS и не HTML) или загрузите CSV.",
        )
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
    except zipfile.BadZipFile:
        raise cut("Книга XLSX обрывается: оглавление архива не найдено.") from None
    entries = archive.infolist()
    if len(entries) > _ENTRIES:
        raise _bomb(f"частей в книге {len(entries)}, допустимо {_ENTRIES}")
    for entry in entries:
        _check_entry(entry)
    if sum(entry.file_size for entry in entries) > _INFLATED:
        raise _bomb(f"объём после распаковки больше {_INFLATED // 1024 // 1024} МБ")
    _check_overlaps(entries)
    _inflate(archive, entries)


def _check_entry(entry: zipfile.ZipInfo) -> None:
    parts = entry.filename.replace("\\", "/").split("/")
    if ".." in parts or entry.filename.startswith(("/", "\\")) or ":" in parts[0]:
        raise _forged("путь части выходит за пределы книги")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise _forged("часть является ссылкой")
    if entry.flag_bits & 0x1:
        raise Refusal("file-encrypted", "Книга защищена паролем.", "Снимите пароль с книги.")
    if entry.filename.lower().endswith((".zip", ".xlsx", ".xlsm", ".bin")):
        raise _forged("внутри книги вложенный архив или двоичная часть")
    if entry.file_size > _SMALL and entry.file_size > _RATIO * max(entry.compress_size, 1):
        raise _bomb(f"часть сжата более чем в {_RATIO} раз")


def _check_overlaps(entries: list[zipfile.ZipInfo]) -> None:
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise _forged("части архива накладываются друг на друга")
        end = entry.header_offset + 30 + entry.compress_size


def _inflate(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
    """Inflate once with a running count: the declared sizes may lie."""
    total = 0
    for entry in entries:
        tail = b""
        try:
            with archive.open(entry) as part:
                while chunk := part.read(_STEP):
                    total += len(chunk)
                    if total > _INFLATED:
                        raise _bomb("объём больше заявленного")
                    if any(mark in tail + chunk for mark in _DECLARATIONS):
                        raise _forged("часть объявляет сущности XML (DTD)")
                    tail = chunk[-16:]
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError):
            raise cut("Книга XLSX повреждена: часть архива не распаковывается.") from None


def _bomb(what: str) -> Refusal:
    return Refusal(
        "archive-bomb",
        f"Книга не принята: {what}.",
        "Сохраните данные заново в обычную книгу XLSX или в CSV.",
    )


def _forged(what: str) -> Refusal:
    return Refusal(
        "archive-forged",
        f"Книга не принята: {what}.",
        "Сохраните данные заново в табличном редакторе.",
    )
