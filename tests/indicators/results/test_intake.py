"""The intake: what it reads, what it refuses, and that nothing personal leaves it."""

import asyncio
import io
import struct
import zipfile

import polars as pl
import pytest
import xlsxwriter

from services.indicators.results import receiving
from services.indicators.results.intake import cells, flow, workbooks
from services.indicators.results.intake.frames import Kind
from services.indicators.results.intake.refusals import Refusal
from services.indicators.results.layouts import LayoutCode, layout
from services.indicators.results.rules import BY_NUMBER
from services.indicators.results.sheets import template_csv, template_xlsx

HEADER = "school_code;participant;subject;grade;class;score;mark;status;source_version"
ROW = "100001;10000001;1;9;9А;20;3;;1"


def read(body, *, form="csv", code="opora-results", table="results", **task):
    """Run the intake in this process; gives rows, faults and the closing facts."""
    document = {
        "layout": code,
        "table": table,
        "form": form,
        "key": "11" * 32,
        "scope": "1",
        "subjects": ["rus", "математика"],
    } | task
    out = io.BytesIO()
    body = body if isinstance(body, bytes) else body.encode()
    flow.run(flow.Task.of(document), io.BytesIO(body), out)
    rows, faults, done = [], [], {}
    out.seek(0)
    while head := out.read(9):
        kind, length = struct.unpack(">cQ", head)
        payload = out.read(length)
        match Kind(kind):
            case Kind.ROWS:
                rows.append(pl.read_ipc(io.BytesIO(payload)))
            case Kind.FAULTS:
                faults.append(pl.read_ipc(io.BytesIO(payload)))
            case Kind.DONE:
                done = __import__("json").loads(payload)
    return pl.concat(rows), pl.concat(faults) if faults else None, done


def refused(body, **task):
    with pytest.raises(Refusal) as caught:
        read(body, **task)
    return caught.value


def book(rows, name="Результаты"):
    out = io.BytesIO()
    workbook = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = workbook.add_worksheet(name)
    for at, row in enumerate(rows):
        sheet.write_row(at, 0, row)
    workbook.close()
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_encodings_and_delimiters_of_russian_files_are_recognised(encoding, delimiter, newline):
    text = newline.join([HEADER, ROW, ROW]).replace(";", delimiter) + newline

    rows, faults, done = read(text.encode(encoding))

    assert faults is None
    assert rows["class_label"].to_list() == ["9А", "9А"]
    assert rows["score"].to_list() == [20000, 20000]
    assert rows["row_no"].to_list() == [2, 3]
    assert (done["encoding"], done["delimiter"]) == (encoding, delimiter)


@pytest.mark.parametrize(
    ("text", "milli"),
    [("24", 24000), ("24,5", 24500), ("24.125", 24125), ("24,0", 24000), ("0", 0), (" 7 ", 7000)],
)
def test_scores_are_read_exactly(text, milli):
    rows, _, _ = read(f"{HEADER}\n100001;1;1;9;9А;{text};3;;1\n")

    assert rows["score"].to_list() == [milli]


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (HEADER.replace(";", "|") + "\n" + ROW + "\n", "delimiter-unsupported", "|"),
        ("a;b;c\n1;2;3\n", "header-unrecognised", "Не хватает: Код ОО"),
        ("school_code;participant;score\n1;2;3\n", "header-unrecognised", "Не хватает: Предмет"),
        ("", "file-empty", "пуст"),
        (HEADER + "\n", "file-empty", "только заголовок"),
        (f"{HEADER}\n{ROW}\n100001;1000", "file-cut", "обрывается"),
        (f'{HEADER}\n{ROW}\n100001;"1000\n', "file-cut", "кавычек"),
        ("#opora-results/1\n" + HEADER + "\n" + ROW + "\n", "template-outdated", "версии 1"),
        ("school_code;participant_code;subject;points\n1;2;3;4\n", "template-outdated", "версии 1"),
        ("#vpr-f1/2\n" + HEADER + "\n", "template-other", "vpr-f1"),
        ((HEADER + "\n" + ROW + "\n").encode("utf-16"), "encoding-unsupported", "UTF-16"),
        ((HEADER + 3 * f"\n{ROW}").encode() + b"\n100001;1;1;9;9\xc0;1;3;;\n", "encoding-mixed", "строка 5"),
        (b"PK\x03\x04rest", "format-unexpected", "XLSX"),
        (b"\x00\x01\x02", "format-unexpected", "двоичный"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_what_was_found(body, code, words):
    refusal = refused(body)

    assert refusal.code == code
    assert words in refusal.detail
    assert refusal.hint


def test_a_row_of_another_shape_does_not_shift_its_neighbours():
    rows, faults, done = read(f"{HEADER}\n{ROW}\n1;2;3\n\n{ROW};x\n{ROW}\n")

    assert rows["row_no"].to_list() == [2, 6]
    assert {(r, n) for n, r in faults.select("row_no", "rule").iter_rows()} == {
        (1, 3),
        (1, 5),
        (2, 4),
    }
    assert done["rows_in"] == 5


def test_quoted_fields_may_hold_delimiters_and_lines():
    text = f'{HEADER};comment\n{ROW};"a;b\nc"\n{ROW};"d ""e"""\n'

    rows, faults, _ = read(text)

    assert faults is None
    assert len(rows) == 2


@pytest.mark.parametrize("size", [1, 7, 64])
def test_blocks_of_any_size_give_the_same_rows(monkeypatch, size):
    from services.indicators.results.intake import delimited

    text = HEADER + "\n" + "".join(f'100001;"{i}";1;9;9А;{i % 30};3;;1\n' for i in range(50))
    whole, _, _ = read(text)
    monkeypatch.setattr(delimited, "_BLOCK", size)

    pieces, _, _ = read(text)

    assert pieces.equals(whole)


def test_nothing_personal_leaves_the_intake_even_from_shifted_columns():
    secret = "Канарейкин"
    header = "school_code;ФИО;participant;Дата рождения;Паспорт;subject;class;score;mark;status;exam_date"
    rows_ = "".join(
        ";".join(secret if at in {1, *shifted} else cell for at, cell in enumerate(
            ["100001", "x", "5", "02.01.2009", "4510 123456", "1", "9А", "20", "3", "", "03.06.2025"]
        )) + "\n"
        for shifted in ((), (0,), (2,), (5,), (6,), (7,), (8,), (9,), (10,))
    )  # fmt: skip
    body = (header + "\n" + rows_).encode()
    out = io.BytesIO()
    task = flow.Task.of(
        {"layout": "opora-results", "table": "results", "form": "csv", "key": "11" * 32,
         "scope": "1", "subjects": ["rus"]}
    )  # fmt: skip

    flow.run(task, io.BytesIO(body), out)
    rows, faults, _ = read(body)

    for text in (repr(rows.to_dicts()), repr(faults.to_dicts())):
        assert secret.lower() not in text.lower()
        assert "4510" not in text
    assert secret.encode() not in out.getvalue()
    # The score column's fault says what stood there without saying it.
    assert "текст, 10 зн." in faults["sample"].to_list()


def test_a_header_of_data_is_not_repeated_in_the_refusal():
    refusal = refused("100001;Канарейкин Иван;02.01.2009\n100001;Попугаев Пётр;03.01.2009\n")

    assert "Канарейкин" not in repr(refusal.document())


def test_pseudonyms_depend_on_key_and_region_and_not_on_lost_zeros():
    body = HEADER + "\n100001;0007;1;9;9А;20;3;;1\n100001;7;2;9;9А;20;3;;1\n"

    same, _, _ = read(body)
    other_key, _, _ = read(body, key="22" * 32)
    other_region, _, _ = read(body, scope="2")

    low = same["participant_lo"].to_list()
    assert low[0] == low[1]
    assert other_key["participant_lo"][0] != low[0]
    assert other_region["participant_lo"][0] != low[0]


@pytest.mark.parametrize("code", list(LayoutCode))
def test_templates_are_readable_by_the_intake(code):
    shape = layout(code)
    table = shape.tables[0]
    if not any(column.example for column in table.columns) or table.subject_from_title:
        pytest.skip("a table of another system has no example row")
    if code is LayoutCode.OPORA_RESULTS:
        rows, _, _ = read(template_csv(shape, table), code=code, table=table.name)
        books, _, _ = read(template_xlsx(shape, table), form="xlsx", code=code, table=table.name)
        assert rows["score"].to_list() == books["score"].to_list() == [24000]


def test_a_workbook_reads_like_the_csv():
    header, row = HEADER.split(";"), [100001, 10000001, "1", 9, "9А", 20.5, 3, "", 1]
    rows, faults, done = read(book([header, row, [], row]), form="xlsx")

    assert rows["score"].to_list() == [20500, 20500]
    assert rows["row_no"].to_list() == [2, 4]
    assert faults.select("row_no", "rule").rows() == [(3, 2)]
    assert done["rows_in"] == 3


def vpr(title="ВПР 2025 Математика 5 класс", sheet="Индивидуальные результаты"):
    return book(
        [
            [title],
            ["Предмет", "Математика"],
            ["Максимальный первичный балл", 20],
            ["Школа (edu100001) | Кол-во участников: 3"],
            ["", "", "", "", "", "", "Б"],
            ["ОО", "Муниципалитет", "Название ОО", "Код участника", "Класс", "Вариант", "1 (1б)",
             "Первичный балл", "Отметка", "Отметка по журналу"],
            ["edu100001", "Вяземский", "Школа 1", 50001, "5А", 1, 1, 14, 4, 4],
            ["edu100001", "Вяземский", "Школа 1", 50002, "5А", "отсутствовал", "X", "X", "X", 4],
            ["edu200001", "Гагаринский", "Школа 2", 50001, "5Б", 2, 1, 6, 2, 3],
        ],
        sheet,
    )  # fmt: skip


def test_a_vpr_form_gives_subject_absence_and_pseudonyms_within_the_school():
    rows, faults, done = read(vpr(), form="xlsx", code="vpr-f1")

    assert faults is None
    assert rows["school_code"].to_list() == ["edu100001", "edu100001", "edu200001"]
    assert rows["score"].to_list() == [14000, None, 6000]
    assert rows["status"].to_list() == [None, 1, None]
    assert set(rows["subject"]) == {"математика"}
    assert rows["row_no"].to_list() == [7, 8, 9]
    assert rows["participant_lo"][0] != rows["participant_lo"][2]
    assert done["title"] == {"subject": "математика", "grade": 5, "year": 2025}


def test_a_vpr_form_gives_the_mark_of_the_journal():
    rows, faults, _ = read(vpr(), form="xlsx", code="vpr-f1")

    assert faults is None
    assert rows["journal_mark"].to_list() == [4, 4, 3]


def test_a_journal_mark_that_is_none_is_noted_and_the_result_is_kept():
    text = "Код ОО;Код участника;Предмет;Балл;Отметка по журналу\n100001;1;1;24;{}\n"

    for written, mark, rule in (
        ("5", 5, None),
        ("", None, None),
        ("12", None, 29),
        ("да", None, 29),
    ):
        rows, faults, _ = read(text.format(written).encode(), code="opora-results")

        assert rows["journal_mark"].to_list() == [mark], written
        assert (faults is None) if rule is None else faults["rule"].to_list() == [rule], written
        assert BY_NUMBER[29].outcome == "noted"


@pytest.mark.parametrize(
    ("body", "code"),
    [(vpr(title="Отчёт"), "title-missing"), (vpr(sheet="Лист1"), "sheet-missing")],
)
def test_a_changed_vpr_form_is_refused(body, code):
    assert refused(body, form="xlsx", code="vpr-f1").code == code


def zipped(entries, compression=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


def link():
    entry = zipfile.ZipInfo("xl/link")
    entry.external_attr = 0o120777 << 16
    return zipped([(entry, "/etc/passwd")])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (zipped([("xl/worksheets/sheet1.xml", b"0" * 30_000_000)]), "archive-bomb"),
        (zipped([(f"x{i}", b"") for i in range(2500)]), "archive-bomb"),
        (zipped([("../../etc/passwd", b"x")]), "archive-forged"),
        (zipped([("xl/inner.zip", zipped([("a", b"b")]))]), "archive-forged"),
        (link(), "archive-forged"),
        (zipped([("xl/a.xml", b'<!DOCTYPE x [<!ENTITY a "aaa">]><x>&a;</x>')]), "archive-forged"),
        (book([["a"]])[:-200], "file-cut"),
        (b"<html>", "format-unexpected"),
        (book([["x", "y"], [1, 2]]), "header-unrecognised"),
    ],
)  # fmt: skip
def test_a_hostile_or_broken_workbook_is_refused(body, code):
    assert refused(body, form="xlsx").code == code


def test_a_lying_size_in_the_directory_does_not_pass():
    body = bytearray(zipped([("xl/worksheets/sheet1.xml", bytes(range(256)) * 400)]))
    at = body.rindex(b"PK\x01\x02") + 24
    body[at : at + 4] = struct.pack("<I", 10)

    assert refused(bytes(body), form="xlsx").code in {"file-cut", "archive-bomb", "archive-forged"}


def test_a_big_workbook_is_refused_before_it_is_opened(monkeypatch):
    monkeypatch.setattr(workbooks, "LARGEST", 1000)

    assert refused(b"PK\x03\x04" + b"0" * 2000, form="xlsx").code == "file-too-big"


def test_samples_show_numbers_and_describe_words():
    assert cells.shown("34,5") == "34,5"
    assert cells.shown("Иванов") == "текст, 6 зн."


async def test_an_endless_body_is_cut_off_at_the_limit():
    sent = 0

    async def body():
        nonlocal sent
        yield (HEADER + "\n").encode()
        while True:
            sent += 1
            yield (ROW + "\n").encode() * 1000
            await asyncio.sleep(0)

    async def store(*_):
        pass

    task = {"layout": "opora-results", "table": "results", "form": "csv", "key": "11" * 32,
            "scope": "1", "subjects": []}  # fmt: skip
    with pytest.raises(receiving.TooBig):
        await receiving.receive(body(), task, store, limit=5_000_000, seconds=60)

    assert sent < 200


async def test_a_client_that_goes_away_leaves_no_child_behind():
    async def body():
        yield (HEADER + "\n").encode()
        raise ConnectionResetError

    async def store(*_):
        pass

    task = {"layout": "opora-results", "table": "results", "form": "csv", "key": "11" * 32,
            "scope": "1", "subjects": []}  # fmt: skip
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(
            receiving.receive(body(), task, store, limit=5_000_000, seconds=60), 20
        )
