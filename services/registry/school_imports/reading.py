"""From the bytes of a file to its rows: format, encoding, delimiter, stamp, header.

Nothing here knows what a school is. A file that cannot be read as a table is refused as a whole,
with the reason and the remedy; what is wrong with single rows is for `checking`.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.kit.problems import Problem
from services.kit.spreadsheets import original
from services.registry.school_imports import workbooks
from services.registry.school_imports.layouts import Column, Layout

__all__ = [
    "EncodingUnknown",
    "FileCut",
    "FileEmpty",
    "FileUnreadable",
    "HeaderUnknown",
    "Line",
    "Table",
    "TemplateOutdated",
    "TooManyRows",
    "read",
]

_STAMP = re.compile(r"#\s*([a-z0-9-]+)/(\d+)\s*")
_DELIMITERS = (";", ",", "\t")
_TEMPLATE = "Возьмите шаблон: GET /api/registry/v1/school-imports/template"


class FileEmpty(Problem):
    """There is nothing in the file."""

    status = 422
    title = "Файл пуст"


class FileUnreadable(Problem):
    """The file is neither CSV nor XLSX."""

    status = 422
    title = "Файл не является таблицей CSV или XLSX"


class EncodingUnknown(Problem):
    """The text is neither UTF-8 nor Windows-1251."""

    status = 422
    title = "Кодировка файла не распознана"


class FileCut(Problem):
    """The file ends in the middle of a row."""

    status = 422
    title = "Файл обрывается"


class HeaderUnknown(Problem):
    """The first row does not name the columns that are needed."""

    status = 422
    title = "Строка заголовка не распознана"


class TemplateOutdated(Problem):
    """The file was made from another version of the template."""

    status = 422
    title = "Файл сделан по другой версии шаблона"


class TooManyRows(Problem):
    """The file has more rows than an import takes."""

    status = 422
    title = "В файле слишком много строк"


@dataclass(frozen=True)
class Line:
    """A row of the file: its number as the person sees it and its cells by column name."""

    number: int
    cells: dict[str, str]
    width: int


@dataclass(frozen=True)
class Table:
    """A file read as a table."""

    format: str
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    columns: tuple[Column, ...]
    header_width: int
    unknown_headings: tuple[str, ...]
    lines: tuple[Line, ...]


def read(body: bytes, layout: Layout, *, max_rows: int, max_inflated: int) -> Table:
    """Read a file of the layout.

    Raises:
        Problem: One of this module's, when the file as a whole cannot be read.
    """
    if not body.strip():
        raise FileEmpty(hint=_TEMPLATE)
    if body.startswith(b"PK"):
        try:
            book = workbooks.read(body, max_inflated=max_inflated)
        except workbooks.Refused as refusal:
            kind = FileCut if refusal.is_cut else FileUnreadable
            raise kind(str(refusal), hint="Сохраните книгу заново как XLSX или CSV") from refusal
        return _table(layout, iter(book.rows), "xlsx", None, None, book.sheet, max_rows)
    text, encoding = _decoded(body)
    delimiter = _delimiter(text, layout)
    return _table(layout, _records(text, delimiter), "csv", encoding, delimiter, None, max_rows)


def _decoded(body: bytes) -> tuple[str, str]:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise EncodingUnknown(
            "Файл в кодировке UTF-16", hint="Сохраните как «CSV UTF-8» и загрузите снова"
        )
    if b"\0" in body:
        raise FileUnreadable(
            "Файл двоичный", hint="Загрузите CSV или XLSX; старый XLS пересохраните"
        )
    for encoding in ("utf-8-sig", "cp1251"):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        marked = body.startswith(b"\xef\xbb\xbf")
        return text, "utf-8" if encoding == "utf-8-sig" and not marked else encoding
    raise EncodingUnknown(
        "Ожидается UTF-8 (с меткой или без) или Windows-1251",
        hint="Сохраните как «CSV UTF-8» и загрузите снова",
    )


def _delimiter(text: str, layout: Layout) -> str:
    """Return the delimiter under which most headings are known."""
    head = [line for line in text.splitlines()[:3] if line and not _STAMP.match(line.strip('"'))]
    heading = head[0] if head else ""

    def known(delimiter: str) -> int:
        return sum(
            layout.column_named(cell.strip().strip('"')) is not None
            for cell in heading.split(delimiter)
        )

    return max(_DELIMITERS, key=known)


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for record in reader:
            yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise FileCut(
                f"Кавычка, открытая в строке {line}, не закрыта до конца файла",
                hint="Закройте кавычку или загрузите файл целиком",
                row=line,
            ) from error
        raise FileUnreadable(
            f"Строка {line} составлена неверно: после закрывающей кавычки лишний текст",
            hint="Удвойте кавычки внутри ячейки или сохраните файл из Excel заново",
            row=line,
        ) from error


def _table(
    layout: Layout,
    records: Iterator[tuple[int, list[str]]],
    format_: str,
    encoding: str | None,
    delimiter: str | None,
    sheet: str | None,
    max_rows: int,
) -> Table:
    header = _header(layout, records)
    columns = [layout.column_named(heading) for heading in header]
    lines: list[Line] = []
    for number, record in records:
        if len(lines) >= max_rows:
            raise TooManyRows(
                f"За один импорт принимается до {max_rows} строк", hint="Разделите файл"
            )
        cells = {
            column.name: original(cell.strip())
            for column, cell in zip(columns, record, strict=False)
            if column is not None
        }
        lines.append(Line(number, cells, _width(record)))
    return Table(
        format_,
        encoding,
        delimiter,
        sheet,
        tuple(column for column in columns if column is not None),
        len(header),
        tuple(heading for heading, column in zip(header, columns, strict=True) if column is None),
        tuple(lines),
    )


def _width(record: list[str]) -> int:
    """Return how many cells a row has, without the empty ones at its end."""
    width = len(record)
    while width and not record[width - 1].strip():
        width -= 1
    return width


def _header(layout: Layout, records: Iterator[tuple[int, list[str]]]) -> list[str]:
    for _, record in records:
        first = record[0].strip() if record else ""
        if stamped := _STAMP.fullmatch(first):
            _check_stamp(layout, stamped[1], int(stamped[2]))
            continue
        if not any(cell.strip() for cell in record):
            continue
        return _checked_header(layout, [cell.strip() for cell in record[: _width(record)]])
    raise FileEmpty("В файле нет строки заголовка", hint=_TEMPLATE)


def _check_stamp(layout: Layout, code: str, version: int) -> None:
    if (code, version) != (layout.code, layout.template_version):
        raise TemplateOutdated(
            f"Файл сделан по шаблону {code} версии {version}, "
            f"действует {layout.code} версии {layout.template_version}",
            hint=_TEMPLATE + " и перенесите в него данные",
            found=f"{code}/{version}",
            expected=f"{layout.code}/{layout.template_version}",
        )


def _checked_header(layout: Layout, header: list[str]) -> list[str]:
    found = [column.name for heading in header if (column := layout.column_named(heading))]
    missing = [
        column.title for column in layout.columns if column.required and column.name not in found
    ]
    if not {"municipality_code", "municipality_name"} & set(found):
        missing.append("Код МСУ или Муниципалитет")
    repeated = sorted({name for name in found if found.count(name) > 1})
    if missing or repeated:
        told = f"Не хватает столбцов: {', '.join(missing)}. " if missing else ""
        titles = [column.title for column in layout.columns if column.name in repeated]
        told += f"Столбцы повторяются: {', '.join(titles)}. " if titles else ""
        raise HeaderUnknown(
            f"{told}Узнано столбцов: {len(found)} из {len(header)}",
            hint="Разделитель CSV: точка с запятой, запятая или табуляция. " + _TEMPLATE,
            missing=missing,
            repeated=titles,
            found=header[:100],
        )
    return header
