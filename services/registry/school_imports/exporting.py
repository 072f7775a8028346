"""Files that go out: the template and the marked-up list of rejected rows."""

import io
from collections.abc import Sequence

from services.kit.spreadsheets import book, csv_text, put
from services.registry.school_imports.checking import RULES
from services.registry.school_imports.layouts import Layout
from services.registry.school_imports.tables import SchoolImportRow

__all__ = ["marked", "template_csv", "template_xlsx"]


def template_csv(layout: Layout) -> bytes:
    """Return the template: the version stamp and the header, as Excel in Russia opens it."""
    return _csv([[layout.stamp], [column.title for column in layout.columns]])


def template_xlsx(layout: Layout) -> bytes:
    """Return the template as a book: stamp and header on one sheet, explanations on another."""
    stream = io.BytesIO()
    made = book(stream, title=layout.title)
    bold, as_text = made.add_format({"bold": True}), made.add_format({"num_format": "@"})
    rows = made.add_worksheet("Школы")
    # Cells as text, so that Excel keeps leading zeros of codes.
    rows.set_column(0, len(layout.columns) - 1, 22, as_text)
    put(rows, 0, 0, layout.stamp)
    help_ = made.add_worksheet("Пояснения")
    help_.set_column(0, 3, 40)
    for position, title in enumerate(("Столбец", "Обязателен", "Что писать", "Пример")):
        put(help_, 0, position, title, bold)
    for position, column in enumerate(layout.columns):
        put(rows, 1, position, column.title, bold)
        cells = (column.title, "да" if column.required else "нет", column.help, column.example)
        for place, cell in enumerate(cells):
            put(help_, position + 1, place, cell)
    rows.freeze_panes(2, 0)
    made.close()
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
    return csv_text(rows).encode()
