"""The list as an XLSX workbook: by municipality, and every listed school with its reason.

The bytes depend on the list alone: no clock, no names of machines or users.
"""

from io import BytesIO

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from services.indicators.algebra.certainty import Certainty
from services.indicators.identification.schemas import CountOut, ListOut
from services.kit.spreadsheets import book, put

__all__ = ["workbook"]

_TITLES = {certainty.code: certainty.title for certainty in Certainty}


def workbook(listed: ListOut) -> bytes:
    """Write the list; the same list gives the same bytes."""
    stream = BytesIO()
    made = book(stream, title="Список школ по муниципалитетам")
    head = made.add_format({"bold": True, "text_wrap": True, "valign": "top", "border": 1})
    cell = made.add_format({"text_wrap": True, "valign": "top", "border": 1})
    bold = made.add_format({"bold": True, "border": 1})
    _by_municipality(made.add_worksheet("Муниципалитеты"), listed, head, cell, bold)
    _by_school(made.add_worksheet("Школы и основания"), listed, head, cell)
    made.close()
    return stream.getvalue()


def _by_municipality(
    sheet: Worksheet, listed: ListOut, head: Format, cell: Format, bold: Format
) -> None:
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, 1 + len(listed.categories), 16)
    first = _preamble(sheet, listed)
    titles = ["Муниципалитет", "Всего школ", *(c.title for c in listed.categories)]
    for column, title in enumerate(titles):
        put(sheet, first, column, title, head)
    for row, municipality in enumerate(listed.municipalities, start=first + 1):
        put(sheet, row, 0, municipality.name, cell)
        _counts(sheet, row, municipality, cell)
    last = first + len(listed.municipalities) + 1
    put(sheet, last, 0, "ИТОГО", bold)
    _counts(sheet, last, listed.totals, bold)
    sheet.freeze_panes(first + 1, 1)


def _preamble(sheet: Worksheet, listed: ListOut) -> int:
    order = (
        f"Приказ № {listed.order_number} от {listed.order_date:%d.%m.%Y}"
        if listed.order_number and listed.order_date
        else "Проект: приказом не утверждён"
    )
    version = f"{listed.methodology_code}, версия {listed.methodology_number}"
    lines = [
        f"Список школ на {listed.year} год",
        f"Методика: {listed.methodology_title} ({version})",
        order,
        f"SHA-256 списка: {listed.list_hash}",
    ]
    for row, line in enumerate(lines):
        put(sheet, row, 0, line)
    return len(lines) + 1


def _counts(sheet: Worksheet, row: int, counted: CountOut, style: Format) -> None:
    put(sheet, row, 1, counted.total, style)
    for column, many in enumerate(counted.by_category.values(), start=2):
        put(sheet, row, column, many, style)


def _by_school(sheet: Worksheet, listed: ListOut, head: Format, cell: Format) -> None:
    titles = {category.code: category.title for category in listed.categories}
    widths = [5, 32, 12, 44, 24, 16, 100]
    names = ["№", "Муниципалитет", "Код школы", "Школа", "Категория",
             "Класс низких результатов", "Основание"]  # fmt: skip
    for column, (name, width) in enumerate(zip(names, widths, strict=True)):
        sheet.set_column(column, column, width)
        put(sheet, 0, column, name, head)
    places = [(place, school) for place in listed.municipalities for school in place.schools]
    for row, (place, school) in enumerate(places, start=1):
        put(sheet, row, 0, row, cell)
        texts = [place.name, school.code, school.name, titles[school.category],
                 _TITLES[school.certainty], school.reason]  # fmt: skip
        for column, told in enumerate(texts, start=1):
            put(sheet, row, column, told, cell)
    sheet.freeze_panes(1, 0)
