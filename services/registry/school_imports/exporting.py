"""Files that go out: the template and the marked-up list of rejected rows."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime

import xlsxwriter

from services.registry.school_imports.checking import RULES
from services.registry.school_imports.layouts import Layout
from services.registry.school_imports.tables import SchoolImportRow

__all__ = ["marked", "template_csv", "template_xlsx"]

_CREATED = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""A fixed date: the same template is the same bytes."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def template_csv(layout: Layout) -> bytes:
    """Return the template: the version stamp and the header, as Excel in Russia opens it."""
    return _csv([[layout.stamp], [column.title for column in layout.columns]])


def template_xlsx(layout: Layout) -> bytes:
    """Return the template as a book: stamp and header on one sheet, explanations on another."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties({"created": _CREATED, "title": layout.title})
    bold, as_text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
    rows = book.add_worksheet("Школы")
    # Cells as text, so that Excel keeps leading zeros of codes.
    rows.set_column(0, len(layout.columns) - 1, 22, as_text)
    rows.write_string(0, 0, layout.stamp)
    help_ = book.add_worksheet("Пояснения")
    help_.set_column(0, 3, 40)
    for position, title in enumerate(("Столбец", "Обязателен", "Что писать", "Пример")):
        help_.write_string(0, position, title, bold)
    for position, column in enumerate(layout.columns):
        rows.write_string(1, position, column.title, bold)
        cells = (column.title, "да" if column.required else "нет", column.help, column.example)
        for place, cell in enumerate(cells):
            help_.write_string(position + 1, place, cell)
    rows.freeze_panes(2, 0)
    book.close()
    return stream.getvalue()


def marked(layout: Layout, rejected: Sequence[SchoolImportRow]) -> bytes:
    """Return the rejected rows as a CSV to correct and send again: the remarks stand at the end.

    The remarks' columns are not the template's, so they need not be removed.
    """
    named = {column.name: column.title for column in layout.columns}
    used = [name for name in named if any(name in row.cells for row in rejected)]
    header = [*(named[name] for name in used), "Строка файла", "Замечания"]
    lines = [
        [*(row.cells.get(name, "") for name in used), str(row.row_no), _remarks(row)]
        for row in rejected
    ]
    return _csv([[layout.stamp], header, *lines])


def _remarks(row: SchoolImportRow) -> str:
    told = []
    for finding in row.findings:
        rule = RULES[finding["rule"]]
        place = f"{finding['column']}: " if finding["column"] else ""
        reason = f" ({finding['detail']})" if finding["detail"] else ""
        told.append(f"{place}{rule.title}{reason}. {rule.remedy}")
    return " | ".join(told)


def _csv(rows: list[list[str]]) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=";").writerows([[_safe(cell) for cell in row] for row in rows])
    return stream.getvalue().encode("utf-8-sig")


def _safe(cell: str) -> str:
    """Return a cell that a spreadsheet shows as text and never computes."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
