"""From the bytes of a file to its rows: stamp and header, by the layout.

Nothing here knows what a school is. A file that cannot be read as a table is refused as a whole,
with the reason and the remedy; what is wrong with single rows is for `checking`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from services.kit.problems import Problem
from services.kit.spreadsheets import original
from services.kit.tabular import Opened, Reason, Unreadable, open_table, stamp_of, width_of
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
    try:
        opened = open_table(
            body,
            is_heading=lambda cell: layout.column_named(cell) is not None,
            max_inflated=max_inflated,
        )
        return _table(layout, opened, max_rows)
    except Unreadable as unreadable:
        members = {} if unreadable.row is None else {"row": unreadable.row}
        raise _KINDS[unreadable.reason](
            str(unreadable), hint=unreadable.hint, **members
        ) from unreadable


_KINDS: dict[Reason, type[Problem]] = {
    Reason.CUT: FileCut,
    Reason.UNREADABLE: FileUnreadable,
    Reason.ENCODING: EncodingUnknown,
}


def _table(layout: Layout, opened: Opened, max_rows: int) -> Table:
    records = opened.rows
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
        lines.append(Line(number, cells, width_of(record)))
    return Table(
        opened.format,
        opened.encoding,
        opened.delimiter,
        opened.sheet,
        tuple(column for column in columns if column is not None),
        len(header),
        tuple(heading for heading, column in zip(header, columns, strict=True) if column is None),
        tuple(lines),
    )


def _header(layout: Layout, records: Iterator[tuple[int, list[str]]]) -> list[str]:
    for _, record in records:
        if stamped := stamp_of(record):
            _check_stamp(layout, *stamped)
            continue
        if not any(cell.strip() for cell in record):
            continue
        return _checked_header(layout, [cell.strip() for cell in record[: width_of(record)]])
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
