"""Files that go out: the template, with the region's schools, and the marked-up rejected rows."""

import io
from collections.abc import Sequence
from typing import Any

from services.indicators.profile_imports.checking import RULES
from services.indicators.profile_imports.layouts import CODE, NAME, STAMP, Layout
from services.indicators.profile_imports.tables import ProfileImportRow
from services.indicators.profiles.cells import Kind
from services.kit.spreadsheets import book, csv_text, put

__all__ = ["marked", "template_csv", "template_xlsx"]

_HOW = {
    Kind.SHARE: "0,35, 35 % или 14/40",
    Kind.COUNT: "Целое число",
    Kind.NUMBER: "Число",
    Kind.BOOLEAN: "да или нет",
}
_STATES = "Пусто — сведений нет; н/п — к школе не относится; 0 — ноль"


def template_csv(layout: Layout, schools: Sequence[Any]) -> bytes:
    """Return the template: stamp, header, and a row per school to fill in."""
    header = [CODE, NAME, *(asked.title for asked in layout.attributes)]
    blank = [""] * len(layout.attributes)
    rows = [[school.code, school.name, *blank] for school in schools]
    return csv_text([[STAMP], header, *rows]).encode()


def template_xlsx(layout: Layout, schools: Sequence[Any]) -> bytes:
    """Return the template as a book: rows to fill in, and explanations on another sheet."""
    stream = io.BytesIO()
    made = book(stream, title="Профили школ")
    bold, as_text = made.add_format({"bold": True}), made.add_format({"num_format": "@"})
    rows = made.add_worksheet("Профили")
    # Codes as text, so that Excel keeps leading zeros.
    rows.set_column(0, 0, 14, as_text)
    rows.set_column(1, len(layout.attributes) + 1, 24)
    put(rows, 0, 0, STAMP)
    for place, title in enumerate([CODE, NAME, *(a.title for a in layout.attributes)]):
        put(rows, 1, place, title, bold)
    for number, school in enumerate(schools, start=2):
        put(rows, number, 0, school.code, as_text)
        put(rows, number, 1, school.name)
    rows.freeze_panes(2, 2)
    help_ = made.add_worksheet("Пояснения")
    help_.set_column(0, 3, 40)
    for place, title in enumerate(("Столбец", "Код признака", "Единица", "Что писать")):
        put(help_, 0, place, title, bold)
    for number, asked in enumerate(layout.attributes, start=1):
        for place, cell in enumerate((asked.title, asked.code, asked.unit, _HOW[asked.kind])):
            put(help_, number, place, cell)
    put(help_, len(layout.attributes) + 2, 0, _STATES)
    made.close()
    return stream.getvalue()


def marked(layout: Layout, rejected: Sequence[ProfileImportRow]) -> bytes:
    """Return the rejected rows as a CSV to correct and send again: the remarks stand at the end."""
    named = {asked.code: asked.title for asked in layout.attributes}
    used = [code for code in named if any(code in row.cells for row in rejected)]
    header = [CODE, *(named[code] for code in used), "Строка файла", "Замечания"]
    lines = [
        [
            row.cells.get("", ""),
            *(row.cells.get(code, "") for code in used),
            str(row.row_no),
            _remarks(row),
        ]
        for row in rejected
    ]
    return csv_text([[STAMP], header, *lines]).encode()


def _remarks(row: ProfileImportRow) -> str:
    told = []
    for finding in row.findings:
        rule = RULES[finding["rule"]]
        place = f"{finding['column']}: " if finding["column"] else ""
        reason = f" ({finding['detail']})" if finding["detail"] else ""
        told.append(f"{place}{rule.title}{reason}. {rule.remedy}")
    return " | ".join(told)
