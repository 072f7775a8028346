"""An XLSX book read safely: a look at the archive first, then the first sheet with rows as text."""

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import python_calamine

__all__ = ["Book", "Refused", "read"]

_MAX_ENTRIES = 1_000
_MAX_RATIO = 200
"""A sheet of words and numbers deflates 5 to 30 times; a bomb a thousand."""
_SMALL = 1024 * 1024
_STEP = 256 * 1024
_MAX_GRID = 20_000_000
"""The reader allocates the whole rectangle up to the farthest cell, however few are filled."""
_CELL = re.compile(rb'<c [^>]*?r="([A-Z]{1,3})([0-9]{1,7})"')


class Refused(Exception):  # noqa: N818  a fact about the file, in Russian
    """The book cannot be read; `is_cut` when it is incomplete."""

    def __init__(self, message: str, *, is_cut: bool = False) -> None:
        super().__init__(message)
        self.is_cut = is_cut


@dataclass(frozen=True)
class Book:
    """The rows of the first sheet that has any, numbered as the person sees them."""

    sheet: str
    rows: list[tuple[int, list[str]]]


def read(body: bytes, *, max_inflated: int) -> Book:
    """Read a book whose archive has been looked at.

    Raises:
        Refused: It is a bomb, protected, damaged, or no book at all.
    """
    _look(body, max_inflated)
    try:
        workbook = python_calamine.load_workbook(io.BytesIO(body))
        for name in workbook.sheet_names:
            sheet = workbook.get_sheet_by_name(name)
            rows = [
                (number, [_text(cell) for cell in row])
                for number, row in enumerate(sheet.to_python(skip_empty_area=False), start=1)
            ]
            if rows:
                return Book(name, rows)
    except python_calamine.PasswordError as error:
        raise Refused("Книга защищена паролем: снимите его") from error
    except (python_calamine.CalamineError, ValueError, OSError) as error:
        raise Refused("Книга XLSX повреждена") from error
    raise Refused("В книге нет ни одной заполненной строки")


def _look(body: bytes, max_inflated: int) -> None:
    """Refuse what no office program writes; the declared sizes are checked by inflating once."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
    except zipfile.BadZipFile as error:
        raise Refused("Книга XLSX обрывается: оглавление не найдено", is_cut=True) from error
    entries = archive.infolist()
    if len(entries) > _MAX_ENTRIES:
        raise Refused(f"В книге {len(entries)} частей: так устроен не документ, а архив")
    if not any(entry.filename.lower() == "xl/workbook.xml" for entry in entries):
        raise Refused("Это архив ZIP, а не книга XLSX")
    if sum(entry.file_size for entry in entries) > max_inflated:
        raise Refused(f"Книга после распаковки больше {max_inflated // 1024 // 1024} МБ")
    for entry in entries:
        if entry.flag_bits & 0x1:
            raise Refused("Книга защищена паролем: снимите его")
        if entry.file_size > _SMALL and entry.file_size > _MAX_RATIO * max(entry.compress_size, 1):
            raise Refused(
                f"Часть книги сжата более чем в {_MAX_RATIO} раз: похоже на архивную бомбу"
            )
    _inflate(archive, entries, max_inflated)


def _inflate(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], max_inflated: int) -> None:
    total = 0
    for entry in entries:
        grid = _Grid()
        try:
            with archive.open(entry) as part:
                tail = b""
                while chunk := part.read(_STEP):
                    total += len(chunk)
                    if total > max_inflated:
                        raise Refused("Книга после распаковки больше заявленного размера")
                    seen = tail + chunk
                    if b"<!DOCTYPE" in seen or b"<!ENTITY" in seen:
                        raise Refused("Часть книги объявляет сущности XML: такие книги не читаются")
                    grid.look(seen)
                    tail = seen[-200:]
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise Refused("Книга XLSX обрывается: часть не распаковывается", is_cut=True) from error


class _Grid:
    """The farthest cell of a sheet."""

    def __init__(self) -> None:
        self._rows = 1
        self._columns = 1

    def look(self, markup: bytes) -> None:
        for letters, number in _CELL.findall(markup):
            column = 0
            for letter in letters:
                column = column * 26 + letter - ord("A") + 1
            self._columns = max(self._columns, column)
            self._rows = max(self._rows, int(number))
        if self._rows * self._columns > _MAX_GRID:
            raise Refused(
                "На листе есть ячейка далеко за пределами таблицы: удалите лишние строки и столбцы"
            )


def _text(cell: Any) -> str:
    """Return what a person sees in the cell; whole numbers without the tail that Excel adds."""
    if isinstance(cell, bool):
        return "да" if cell else "нет"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time().isoformat() == "00:00:00" else str(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)
