"""Files a person takes away: templates to fill in, and the list of marked rows."""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime

import xlsxwriter

from services.indicators.results.layouts import Layout, Table
from services.indicators.results.rules import BY_CODE

__all__ = ["marked_csv", "template_csv", "template_xlsx"]

_MARK = "\ufeff"
"""Excel reads UTF-8 only with a byte order mark."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def template_csv(layout: Layout, table: Table) -> str:
    """Give the template of a table: stamp, header, one example row."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    if layout.template_version is not None:
        out.write(f"{_MARK}{_stamp(layout)}\r\n")
    writer.writerow([column.title for column in table.columns])
    writer.writerow([column.example for column in table.columns])
    return out.getvalue()


def template_xlsx(layout: Layout, table: Table) -> bytes:
    """Give the template as a workbook; a second sheet explains the columns."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties({"created": datetime(2026, 1, 1, tzinfo=UTC)})
    bold, as_text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
    sheet = book.add_worksheet(table.title[:31])
    top = 0
    if layout.template_version is not None:
        sheet.write_string(0, 0, _stamp(layout))
        top = 1
    for place, column in enumerate(table.columns):
        sheet.write_string(top, place, column.title, bold)
        sheet.write_string(top + 1, place, column.example)
        # Codes keep their leading zeros when the column is text.
        sheet.set_column(place, place, 18, as_text if column.kind != "score" else None)
    help_ = book.add_worksheet("Пояснения")
    for row, column in enumerate(table.columns):
        help_.write_string(row, 0, column.title, bold)
        help_.write_string(row, 1, column.help)
        help_.write_string(row, 2, "обязательно" if column.required else "")
    help_.set_column(0, 1, 40)
    book.close()
    return out.getvalue()


async def marked_csv(
    rows: AsyncIterator[tuple[str, int, int, str, str | None, str | None]],
) -> str:
    """Write the marked rows of an import as CSV for Excel."""
    out = io.StringIO()
    out.write(_MARK)
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(
        ["таблица", "лист", "строка", "столбец", "код", "замечание", "что сделать", "значение"]
    )
    async for table, sheet, row, code, column, sample in rows:
        rule = BY_CODE[code]
        cells = (table, sheet, row, column or "", code, rule.message, rule.remedy, sample or "")
        writer.writerow(_plain(cells))
    return out.getvalue()


def _plain(cells: Iterable[str | int]) -> list[str | int]:
    """Keep a spreadsheet from taking a value for a formula."""
    return [
        f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
        for cell in cells
    ]


def _stamp(layout: Layout) -> str:
    return f"#{layout.code}/{layout.template_version}"
