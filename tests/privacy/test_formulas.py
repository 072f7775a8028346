"""No file that leaves computes anything, and what comes back says the same."""

import ast
import csv
import io
import unicodedata
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import docx
import pytest
import python_calamine
from hypothesis import example, given
from hypothesis import strategies as st

from services.indicators.identification.schemas import (
    CategoryOut,
    CountOut,
    ListedSchoolOut,
    ListOut,
    MunicipalityListOut,
)
from services.indicators.identification.sheets.blocks import Fact, Section, Table, printed
from services.indicators.identification.sheets.contents import Sheet
from services.indicators.identification.sheets.document import document
from services.indicators.identification.workbook import workbook
from services.indicators.objectivity.schemas import MarkerCellOut, MarkerSchoolOut, MarkersOut
from services.indicators.objectivity.workbook import workbook as markers_workbook
from services.indicators.profile_imports import exporting as profile_files
from services.indicators.profile_imports.layouts import layout_of as profile_layout
from services.indicators.results import sheets
from services.indicators.results.layouts import LayoutCode
from services.indicators.results.layouts import layout as results_layout
from services.indicators.results.rules import RULES
from services.kit.spreadsheets import book, csv_text, inert, original, put
from services.registry.school_imports import exporting, reading
from services.registry.school_imports.layouts import layout as schools_layout
from tests.sweeps.operations import EVERY

ROOT = Path(__file__).resolve().parents[2]
STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "−", "⁼", "﹢"]
BEFORE = ["", " ", "\u00a0", '"', "'", "''", "\ufeff", "\u200b", "\u2060", "\x01", " '\u200d\""]
# Unassigned, for private use, combining; a sign newer than the oldest tables; letters drawn as nothing.
BEFORE += ["\U000119e5", "\ud7fc", "\ue000", "\U000119e4", "\u0903", "\u20bd", "\u3164", "\u2800"]
unseen = st.characters(blacklist_categories=["L", "N", "P", "S", "Cs"]).filter(lambda c: c != "\0")
nasty = st.builds(
    lambda before, start, rest: before + start + rest,
    st.sampled_from(BEFORE) | st.text(unseen, max_size=3),
    st.sampled_from(STARTS),
    st.text(max_size=20),
)
# What PostgreSQL and JSON can hold: no NUL, no lone surrogates.
texts = (nasty | st.text(max_size=40)).map(
    lambda text: "".join(c for c in text if c != "\0" and not 0xD800 <= ord(c) < 0xE000)
)


def is_formula(cell: str) -> bool:
    """Say whether the most careless of programs, with tables of today or of 2002, would compute it."""
    return any(is_computed_with(tables, cell) for tables in (unicodedata, unicodedata.ucd_3_2_0))


def is_computed_with(tables, cell: str) -> bool:
    skipped = '"\u115f\u1160\u2800\u3164\uffa0'
    seen = [c for c in cell if tables.category(c)[0] not in "ZCM" and c not in skipped]
    first = unicodedata.normalize("NFKC", seen[0])[:1] if seen else ""
    is_number = cell[1:].replace(",", "").replace(".", "").isdecimal() and cell[0] == "-"
    return first in "=+-@−" and bool(first) and not is_number


@given(texts)
@example("=1+1")
@example("'=1+1")
@example("-cmd|' /C calc'!A0")
@example("\ufeff@SUM(A1)")
@example("\U000119e5=1")
@example("\ud7fc@SUM(A1)")
@example("\u0903=1")
@example("\u20bd=1")
@example("\u3164=1")
def test_a_text_goes_out_inert_and_comes_back_as_it_was(text):
    out = inert(text)

    assert not is_formula(out)
    assert original(out) == text
    assert inert(original(out)) == out, "a cycle does not grow"


@given(st.integers(-(10**12), 10**12) | st.decimals(-1000, 1000, places=3))
def test_a_number_stays_a_number(number):
    told = csv_text([[number]], mark=False)

    assert Decimal(told.strip()) == number
    assert inert("-12,5") == "-12,5"


@given(st.lists(st.lists(texts, min_size=1, max_size=3), min_size=1, max_size=3))
def test_no_cell_of_a_csv_is_a_formula_and_no_cell_becomes_two(rows):
    read = list(csv.reader(io.StringIO(csv_text(rows, mark=False), newline=""), delimiter=";"))

    assert [[original(cell) for cell in row] for row in read] == rows
    assert not any(is_formula(cell) for row in read for cell in row)


@given(st.lists(texts, min_size=1, max_size=4))
def test_no_cell_of_a_book_is_a_formula(values):
    stream = io.BytesIO()
    made = book(stream, title="Проба")
    sheet = made.add_worksheet("Лист")
    for row, value in enumerate(values):
        put(sheet, row, 0, value)
    put(sheet, len(values), 0, 5)
    made.close()

    markup = ZipFile(io.BytesIO(stream.getvalue())).read("xl/worksheets/sheet1.xml")
    cells = python_calamine.load_workbook(io.BytesIO(stream.getvalue())).get_sheet_by_index(0)
    assert b"<f>" not in markup
    assert b"<hyperlink" not in markup
    assert not any(is_formula(str(cell)) for row in cells.to_python()[:-1] for cell in row)
    assert cells.to_python()[-1][0] == 5.0


FORMULA = '=HYPERLINK("http://evil.example";A1)'


def cells_of(content: bytes) -> list[str]:
    if content.startswith(b"PK") and b"word/document.xml" in content:
        made = docx.Document(io.BytesIO(content))
        cells = [cell.text for table in made.tables for row in table.rows for cell in row.cells]
        # A table is copied from a document into a book with its formulas, if it had any.
        return [*cells, *(paragraph.text for paragraph in made.paragraphs)]
    if content.startswith(b"PK"):
        loaded = python_calamine.load_workbook(io.BytesIO(content))
        return [
            str(cell)
            for name in loaded.sheet_names
            for row in loaded.get_sheet_by_name(name).to_python()
            for cell in row
        ]
    reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";")
    return [cell for row in reader for cell in row]


async def list_of_a_run() -> list[bytes]:
    school = ListedSchoolOut(
        school_id=1, code=FORMULA, name=FORMULA, category="nro", certainty="certain", reason=FORMULA
    )
    counts = {"total": 1, "by_category": {"nro": 1}}
    place = MunicipalityListOut(municipality_id=1, name=FORMULA, schools=[school], **counts)
    listed = ListOut(
        year=2025,
        methodology_code="x",
        methodology_number=1,
        methodology_title=FORMULA,
        order_number=FORMULA,
        order_date="2025-03-15",
        list_hash="0" * 64,
        categories=[CategoryOut(code="nro", title=FORMULA)],
        municipalities=[place],
        totals=CountOut(**counts),
    )
    return [workbook(listed)]


async def list_of_markers() -> list[bytes]:
    cell = MarkerCellOut(state="asked", marker=1)
    school = MarkerSchoolOut(
        school_id=1, code=FORMULA, name=FORMULA, municipality_name=FORMULA,
        rus4=cell, mat4=cell, rus5=cell, mat5=cell, markers=4,
    )  # fmt: skip
    listed = MarkersOut(
        detection_id=1, year=2025, flagged=1, wrote_rus4=1, share="1/1", percent="100.00", schools=[school]
    )  # fmt: skip
    return [markers_workbook(listed)]


async def sheet_of_a_school() -> list[bytes]:
    table = Table([FORMULA], [[printed(FORMULA)]])
    part = Section("Раздел", [printed(FORMULA)], [printed(FORMULA)], table)
    sheet = Sheet("Лист", printed(FORMULA), [Fact("Школа", printed(FORMULA))], [part], ())
    assert [cell for cell in cells_of(document(sheet)) if is_formula(cell)] == [FORMULA]
    return [document(replace(sheet, sections=[replace(part, table=Table(["А"], table.rows))]))]


async def findings_of_an_import() -> list[bytes]:
    async def rows():
        yield ("results", 1, 2, RULES[0].code, FORMULA, FORMULA)

    return [(await sheets.marked_csv(rows())).encode()]


async def templates_of_results() -> list[bytes]:
    found = []
    for code in LayoutCode:
        shape = results_layout(code)
        for table in shape.tables:
            found.append(sheets.template_csv(shape, table).encode())
            found.append(sheets.template_xlsx(shape, table))
    return found


async def template_of_schools() -> list[bytes]:
    shape = schools_layout()
    return [exporting.template_csv(shape), exporting.template_xlsx(shape)]


async def marked_schools() -> list[bytes]:
    column = schools_layout().columns[0].name
    row = SimpleNamespace(row_no=3, cells={column: FORMULA}, findings=[])
    return [exporting.marked(schools_layout(), [row])]


def _layout_of_profiles():
    attribute = SimpleNamespace(
        code="vacancies",
        title=FORMULA,
        kind="number",
        unit=FORMULA,
        is_about_pupils=False,
        is_retired=False,
    )
    return profile_layout([attribute])


async def template_of_profiles() -> list[bytes]:
    schools = [SimpleNamespace(code=FORMULA, name=FORMULA)]
    shape = _layout_of_profiles()
    return [
        profile_files.template_csv(shape, schools),
        profile_files.template_xlsx(shape, schools),
    ]


async def marked_profiles() -> list[bytes]:
    row = SimpleNamespace(row_no=3, cells={"": FORMULA, "vacancies": FORMULA}, findings=[])
    return [profile_files.marked(_layout_of_profiles(), [row])]


EXPORTS = {
    "indicators_read_profile_template": template_of_profiles,
    "indicators_read_marked_profiles": marked_profiles,
    "indicators_download_decision_sheet": sheet_of_a_school,
    "indicators_download_identification_list": list_of_a_run,
    "indicators_download_objectivity_markers": list_of_markers,
    "indicators_download_import_findings": findings_of_an_import,
    "indicators_read_import_template": templates_of_results,
    "registry_read_school_template": template_of_schools,
    "registry_read_marked_rows": marked_schools,
}


@pytest.mark.parametrize("name", EXPORTS)
async def test_no_export_has_a_formula(name):
    files = await EXPORTS[name]()

    assert files
    for content in files:
        assert [cell for cell in cells_of(content) if is_formula(cell)] == []


def test_every_operation_that_answers_with_a_table_is_tested_here():
    tables = {
        operation.id
        for operation in EVERY
        for answer in operation.spec["responses"].values()
        for kind in answer.get("content", {})
        if any(word in kind for word in ("csv", "spreadsheet", "excel", "wordprocessing"))
    }

    assert tables == EXPORTS.keys()


def test_only_the_kit_writes_tables():
    forbidden = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.attr}"
        for path in [*(ROOT / "services").rglob("*.py"), *(ROOT / "gateway").rglob("*.py")]
        if path != ROOT / "services/kit/spreadsheets.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and (
            node.attr in {"write_string", "write_row", "write_formula", "write_column"}
            or (node.attr in {"writer", "Workbook"} and isinstance(node.value, ast.Name))
        )
    ]

    assert forbidden == [], "write tables with services/kit/spreadsheets.py"


@given(texts)
def test_rejected_schools_sent_again_say_the_same(text):
    """Our own export, read by our own import, again and again."""
    shape = schools_layout()
    names = [column.name for column in shape.columns]
    told = " ".join(text.split()) or "пусто"
    cells = dict.fromkeys(names, "1") | {"name": told}

    for _ in range(3):
        row = SimpleNamespace(row_no=3, cells=cells, findings=[])
        table = reading.read(exporting.marked(shape, [row]), shape, max_rows=10, max_inflated=10**6)
        cells = table.lines[0].cells
        assert cells["name"] == told
