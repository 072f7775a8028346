"""Files a person takes away: templates to fill in, and the list of marked rows."""

import io
from collections.abc import AsyncIterator

from services.indicators.results.layouts import Layout, Table
from services.indicators.results.rules import BY_CODE
from services.kit.spreadsheets import book, csv_text, put

__all__ = ["marked_csv", "template_csv", "template_xlsx"]


def template_csv(layout: Layout, table: Table) -> str:
    """Give the template of a table: stamp, header, one example row."""
    stamped = layout.template_version is not None
    rows = [[_stamp(layout)]] if stamped else []
    rows.append([column.title for column in table.columns])
    rows.append([column.example for column in table.columns])
    return csv_text(rows, mark=stamped)


def template_xlsx(layout: Layout, table: Table) -> bytes:
    """Give the template as a workbook; a second sheet explains the columns."""
    out = io.BytesIO()
    made = book(out, title=table.title)
    bold, as_text = made.add_format({"bold": True}), made.add_format({"num_format": "@"})
    sheet = made.add_worksheet(table.title[:31])
    top = 0
    if layout.template_version is not None:
        put(sheet, 0, 0, _stamp(layout))
        top = 1
    for place, column in enumerate(table.columns):
        put(sheet, top, place, column.title, bold)
        put(sheet, top + 1, place, column.example)
        # Codes keep their leading zeros when the column is text.
        sheet.set_column(place, place, 18, as_text if column.kind != "score" else None)
    help_ = made.add_worksheet("Пояснения")
    for row, column in enumerate(table.columns):
        put(help_, row, 0, column.title, bold)
        put(help_, row, 1, column.help)
        put(help_, row, 2, "обязательно" if column.required else "")
    help_.set_column(0, 1, 40)
    made.close()
    return out.getvalue()


async def marked_csv(
    rows: AsyncIterator[tuple[str, int, int, str, str | None, str | None]],
) -> str:
    """Write the marked rows of an import as CSV for Excel."""
    header = ["таблица", "лист", "строка", "столбец", "код", "замечание", "что сделать", "значение"]
    cells: list[list[str | int | None]] = [[*header]]
    async for table, sheet, row, code, column, sample in rows:
        rule = BY_CODE[code]
        cells.append([table, sheet, row, column, code, rule.message, rule.remedy, sample])
    return csv_text(cells)


def _stamp(layout: Layout) -> str:
    return f"#{layout.code}/{layout.template_version}"
