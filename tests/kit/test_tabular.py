"""Files read as tables: encodings, delimiters, what is cut, what is no table."""

import io

import pytest
import xlsxwriter

from services.kit.tabular import Reason, Unreadable, open_table, stamp_of, width_of

ROWS = [["Код", "Имя"], ["007", "Ёлка; ель"], ["", ""]]


def opened(body):
    return open_table(body, is_heading=lambda cell: cell in {"Код", "Имя"}, max_inflated=10**7)


def book():
    stream = io.BytesIO()
    made = xlsxwriter.Workbook(stream, {"in_memory": True})
    made.add_worksheet("Пусто")
    sheet = made.add_worksheet("Лист")
    for number, row in enumerate(ROWS[:2]):
        for place, cell in enumerate(row):
            sheet.write_string(number, place, cell)
    sheet.write_number(2, 0, 12)
    made.close()
    return stream.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_the_usual_encodings_and_delimiters_are_recognised(encoding, delimiter):
    text = f'# some-template/3\r\nКод{delimiter}Имя\r\n007{delimiter}"Ёлка; ель"\r\n'

    table = opened(text.encode(encoding))
    rows = list(table.rows)

    assert (table.format, table.encoding, table.delimiter) == ("csv", encoding, delimiter)
    assert [number for number, _ in rows] == [1, 2, 3]
    assert stamp_of(rows[0][1]) == ("some-template", 3)
    assert [row for _, row in rows[1:]] == ROWS[:2]


def test_a_book_is_its_first_sheet_with_rows():
    table = opened(book())

    assert (table.format, table.sheet) == ("xlsx", "Лист")
    assert list(table.rows) == [(1, ROWS[0]), (2, ROWS[1]), (3, ["12", ""])]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("Код;Имя".encode("utf-16"), Reason.ENCODING),
        (b"\x98\x81", Reason.ENCODING),
        (b"\x00\x01binary", Reason.UNREADABLE),
        (b"PK\x03\x04 and no more", Reason.CUT),
        ('Код;Имя\n1;"открыта\n'.encode(), Reason.CUT),
        ('Код;Имя\n1;"а"б\n'.encode(), Reason.UNREADABLE),
    ],
)
def test_what_is_no_table_is_refused_with_reason_and_remedy(body, reason):
    with pytest.raises(Unreadable) as caught:
        list(opened(body).rows)

    assert caught.value.reason is reason
    assert caught.value.hint


def test_empty_cells_at_the_end_do_not_count():
    assert width_of(["a", "", " ", ""]) == 1
    assert width_of(["", ""]) == 0
    assert stamp_of([]) is None
