"""The list as an XLSX workbook: by municipality, and every listed school with its reason.

The bytes depend on the list alone: no clock, no names of machines or users.
"""

import datetime as dt
from io import BytesIO

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from services.indicators.algebra.certainty import Certainty
from services.indicators.identification.schemas import CountOut, ListOut

__all__ = ["MEDIA_TYPE", "inert", "workbook"]

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_STAMP = dt.datetime(2000, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)
_TITLES = {certainty.code: certainty.title for certainty in Certainty}


def inert(text: str) -> str:
    """Make a text that no spreadsheet takes for a formula, wherever it is copied."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def workbook(listed: ListOut) -> bytes:
    """Write the list; the same list gives the same bytes."""
    stream = BytesIO()
    book = xlsxwriter.Workbook(
        stream,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    book.set_properties({"created": _STAMP, "title": "Список школ по муниципалитетам"})
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "border": 1})
    cell = book.add_format({"text_wrap": True, "valign": "top", "border": 1})
    bold = book.add_format({"bold": True, "border": 1})
    _by_municipality(book.add_worksheet("Муниципалитеты"), listed, head, cell, bold)
    _by_school(book.add_worksheet("Школы и основания"), listed, head, cell)
    book.close()
    return stream.getvalue()


def _by_municipality(
    sheet: Worksheet, listed: ListOut, head: Format, cell: Format, bold: Format
) -> None:
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, 1 + len(listed.categories), 16)
    first = _preamble(sheet, listed)
    titles = ["Муниципалитет", "Всего школ", *(c.title for c in listed.categories)]
    for column, title in enumerate(titles):
        sheet.write_string(first, column, inert(title), head)
    for row, municipality in enumerate(listed.municipalities, start=first + 1):
        sheet.write_string(row, 0, inert(municipality.name), cell)
        _counts(sheet, row, municipality, cell)
    last = first + len(listed.municipalities) + 1
    sheet.write_string(last, 0, "ИТОГО", bold)
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
        sheet.write_string(row, 0, inert(line))
    return len(lines) + 1


def _counts(sheet: Worksheet, row: int, counted: CountOut, style: Format) -> None:
    sheet.write_number(row, 1, counted.total, style)
    for column, many in enumerate(counted.by_category.values(), start=2):
        sheet.write_number(row, column, many, style)


def _by_school(sheet: Worksheet, listed: ListOut, head: Format, cell: Format) -> None:
    titles = {category.code: category.title for category in listed.categories}
    widths = [5, 32, 12, 44, 24, 16, 100]
    names = ["№", "Муниципалитет", "Код школы", "Школа", "Категория",
             "Класс низких результатов", "Основание"]  # fmt: skip
    for column, (name, width) in enumerate(zip(names, widths, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, name, head)
    places = [(place, school) for place in listed.municipalities for school in place.schools]
    for row, (place, school) in enumerate(places, start=1):
        sheet.write_number(row, 0, row, cell)
        texts = [place.name, school.code, school.name, titles[school.category],
                 _TITLES[school.certainty], school.reason]  # fmt: skip
        for column, told in enumerate(texts, start=1):
            sheet.write_string(row, column, inert(told), cell)
    sheet.freeze_panes(1, 0)
