"""ФИОКО's list as an XLSX workbook. It holds no number of pupils; the same list gives the same bytes.

Source: methodology B4 (4 РУ, 4 МА, 5 РУ, 5 МА, «Количество маркеров»).
"""

from io import BytesIO

from services.indicators.objectivity.schemas import MarkerCellOut, MarkersOut
from services.kit.spreadsheets import book, put

__all__ = ["workbook"]

_COLUMNS = (
    ("№", 5), ("Муниципалитет", 30), ("Код ОО", 12), ("ОО", 46), ("4 РУ", 12), ("4 МА", 12),
    ("5 РУ", 12), ("5 МА", 12), ("Количество маркеров", 14),
)  # fmt: skip
_STATES = {
    "too_few": "мало участников",
    "not_asked": "не оценивалось",
    "not_submitted": "нет данных",
    "not_applicable": "н/п",
}


def workbook(listed: MarkersOut) -> bytes:
    """Write the list."""
    stream = BytesIO()
    made = book(stream, title="Маркеры объективности")
    head = made.add_format({"bold": True, "text_wrap": True, "valign": "top", "border": 1})
    cell = made.add_format({"text_wrap": True, "valign": "top", "border": 1})
    sheet = made.add_worksheet(f"Маркеры {listed.year}")
    lines = [
        f"Признаки, требующие проверки: ВПР {listed.year} года, 4 и 5 классы",
        f"Школ с маркером: {listed.flagged}; писали русский язык в 4 классе: {listed.wrote_rus4}; "
        + (f"доля {listed.percent} %" if listed.percent is not None else "доли нет"),
        "Маркер — признак, который стоит проверить, а не вывод о школе",
    ]
    for row, line in enumerate(lines):
        put(sheet, row, 0, line)
    top = len(lines) + 1
    for column, (title, width) in enumerate(_COLUMNS):
        sheet.set_column(column, column, width)
        put(sheet, top, column, title, head)
    for number, school in enumerate(listed.schools, start=1):
        told: list[int | str] = [
            number, school.municipality_name, school.code, school.name, _told(school.rus4),
            _told(school.mat4), _told(school.rus5), _told(school.mat5), school.markers,
        ]  # fmt: skip
        for column, value in enumerate(told):
            put(sheet, top + number, column, value, cell)
    sheet.freeze_panes(top + 1, 0)
    made.close()
    return stream.getvalue()


def _told(cell: MarkerCellOut) -> int | str:
    return _STATES[cell.state] if cell.marker is None else cell.marker
