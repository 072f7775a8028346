"""From the bytes of a file of profiles to its rows. What is wrong with single rows is for `checking`."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.indicators.profile_imports.layouts import CODE, TEMPLATE, Asked, Layout, normal
from services.kit.problems import Problem
from services.kit.spreadsheets import original
from services.kit.tabular import Opened, Unreadable, open_table, stamp_of, width_of

__all__ = [
    "Line",
    "ProfileFileUnreadable",
    "ProfileHeaderUnknown",
    "ProfileTemplateOutdated",
    "Table",
    "TooManyProfileRows",
    "read",
]

_TEMPLATE = "Возьмите шаблон: GET /api/indicators/v1/profile-imports/template"
MAX_ROWS = 20_000
"""A region has at most a few thousand schools."""
MAX_INFLATED = 200 * 1024 * 1024


class ProfileFileUnreadable(Problem):
    """The file as a whole is no table: empty, cut, binary, of an unknown encoding."""

    status = 422
    title = "Файл профилей не читается"


class ProfileHeaderUnknown(Problem):
    """The header does not name the columns that are needed."""

    status = 422
    title = "Строка заголовка не распознана"


class ProfileTemplateOutdated(Problem):
    """The file was made from another version of the template."""

    status = 422
    title = "Файл сделан по другой версии шаблона профилей"


class TooManyProfileRows(Problem):
    """The file has more rows than an import takes."""

    status = 422
    title = "В файле профилей слишком много строк"


@dataclass(frozen=True)
class Line:
    """A row of the file: its number as the person sees it, the school's code, cells by attribute."""

    number: int
    code: str
    cells: dict[str, str]
    width: int


@dataclass(frozen=True)
class Table:
    """A file read as a table."""

    format: str
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    attributes: tuple[Asked, ...]
    header_width: int
    unknown_headings: tuple[str, ...]
    lines: tuple[Line, ...]


def read(body: bytes, layout: Layout) -> Table:
    """Read a file of the layout.

    Raises:
        Problem: One of this module's, when the file as a whole cannot be read.
    """
    if not body.strip():
        raise ProfileFileUnreadable("Файл пуст", hint=_TEMPLATE, reason="empty")
    try:
        opened = open_table(body, is_heading=layout.is_heading, max_inflated=MAX_INFLATED)
        return _table(layout, opened)
    except Unreadable as unreadable:
        members = {} if unreadable.row is None else {"row": unreadable.row}
        raise ProfileFileUnreadable(
            str(unreadable), hint=unreadable.hint, reason=str(unreadable.reason), **members
        ) from unreadable


def _table(layout: Layout, opened: Opened) -> Table:
    header = _header(layout, opened.rows)
    code_at = next(place for place, cell in enumerate(header) if layout.is_code(cell))
    columns = {
        place: layout.by_heading[heading]
        for place, heading in ((place, normal(cell)) for place, cell in enumerate(header))
        if heading in layout.by_heading
    }
    lines: list[Line] = []
    for number, record in opened.rows:
        if len(lines) >= MAX_ROWS:
            raise TooManyProfileRows(
                f"За один импорт принимается до {MAX_ROWS} строк", hint="Разделите файл"
            )
        cells = {
            asked.code: original(record[place].strip())
            for place, asked in columns.items()
            if place < len(record)
        }
        code = original(record[code_at].strip()) if code_at < len(record) else ""
        lines.append(Line(number, code, cells, width_of(record)))
    unknown = tuple(cell for cell in header if not layout.is_heading(cell))
    return Table(
        opened.format,
        opened.encoding,
        opened.delimiter,
        opened.sheet,
        tuple(columns.values()),
        len(header),
        unknown,
        tuple(lines),
    )


def _header(layout: Layout, records: Iterator[tuple[int, list[str]]]) -> list[str]:
    for _, record in records:
        if stamped := stamp_of(record):
            if stamped != TEMPLATE:
                raise ProfileTemplateOutdated(
                    f"Файл сделан по шаблону {stamped[0]} версии {stamped[1]}, "
                    f"действует {TEMPLATE[0]} версии {TEMPLATE[1]}",
                    hint=_TEMPLATE + " и перенесите в него данные",
                    found=f"{stamped[0]}/{stamped[1]}",
                    expected=f"{TEMPLATE[0]}/{TEMPLATE[1]}",
                )
            continue
        if any(cell.strip() for cell in record):
            return _checked(layout, [cell.strip() for cell in record[: width_of(record)]])
    raise ProfileFileUnreadable("В файле нет строки заголовка", hint=_TEMPLATE, reason="empty")


def _checked(layout: Layout, header: list[str]) -> list[str]:
    codes = [cell for cell in header if layout.is_code(cell)]
    named = [layout.by_heading[key].code for key in map(normal, header) if key in layout.by_heading]
    repeated = sorted({code for code in named if named.count(code) > 1})
    repeated += codes[1:]
    missing = [] if codes else [CODE]
    if missing or repeated or not named:
        told = "Нет столбца «Код ОО». " if missing else ""
        told += f"Столбцы повторяются: {', '.join(repeated)}. " if repeated else ""
        told += "" if named else "Нет ни одного столбца с признаком региона. "
        raise ProfileHeaderUnknown(
            f"{told}Узнано признаков: {len(set(named))}, столбцов в заголовке: {len(header)}",
            hint="Столбец называется кодом или названием признака; разделитель CSV: точка с запятой, "
            "запятая или табуляция. " + _TEMPLATE,
            missing=missing,
            repeated=repeated,
            found=header[:100],
        )
    return header
