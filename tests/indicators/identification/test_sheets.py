"""The decision sheet as a page and as a document: the same story as the trace, harmless, always alike."""

import hashlib
import io
import json
import re
from base64 import b64encode
from html.parser import HTMLParser
from zipfile import ZipFile

import docx
import pytest

from services.indicators.identification.operations import mark_published
from services.kit.clock import now
from tests.indicators.identification.conftest import RUNS
from tests.support.builders.rollups import a_municipality, a_procedure, a_region, a_school, results
from tests.support.callers import machine, municipality_user, school_user
from tests.support.running import problem

NASTY = "=2+3 <script>alert(1)</script> & «Школа» {{ 7*7 }}"


class Page(HTMLParser):
    """What a reader sees, and every tag and address of the page."""

    def __init__(self, page):
        super().__init__()
        self.texts, self.tags, self.addresses, self._tag, self.style = [], set(), [], "", ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self._tag = tag
        self.addresses += [value for name, value in attrs if name in {"href", "src", "action"}]

    def handle_data(self, data):
        if self._tag == "style":
            self.style += data
        elif data.strip():
            self.texts.append(data.strip())

    def handle_endtag(self, tag):  # noqa: ARG002  the parser calls it so
        self._tag = ""


def texts_of(content):
    """The texts of a document, in order: paragraphs, and cells of tables."""
    made = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in made.tables for row in table.rows for cell in row.cells]
    return [paragraph.text for paragraph in made.paragraphs] + cells


def numbers(told):
    """Every number of a text, dates as they are in JSON, without idle zeros."""
    told = told.replace("SHA-256", "")  # a name, not a number
    told = re.sub(r"(\d{2})\.(\d{2})\.(\d{4})", r"\3-\2-\1", told)
    found = re.findall(r"\d+(?:[.,]\d+)?", told)
    return {
        number.replace(",", ".").rstrip("0").rstrip(".")
        if "." in number or "," in number
        else number
        for number in found
    }


@pytest.fixture
async def world(desk):
    """Велижский: school 7 is low and adverse, school 8 so small that its numbers are hidden."""
    async with desk.facts() as session:
        await a_region(session)
        await a_municipality(session, 1, "Велижский")
        await a_school(session, 7, municipality_id=1, name=NASTY, adverse=True, reason=NASTY)
        await a_school(session, 8, municipality_id=1)
        await a_school(session, 9, municipality_id=1)
        for number, year in ((240, 2024), (230, 2023)):
            await a_procedure(session, number + 1, kind="oge", grade=9, year=year)
            await a_procedure(session, number + 2, kind="ege", grade=11, year=year)
        await results(session, 241, {7: (9, 30), 8: (1, 4), 9: (3, 40)})
        await results(session, 231, {7: (3, 7), 8: (2, 4)})
    run = await desk.computed(await desk.methodology(shipped="smolensk-nro-fnsu"))
    return desk, f"{RUNS}/{run['id']}/schools"


async def opened(desk, run_id):
    """Approve the run by two people, and open it as the registry's answer does."""
    run = (await desk.call("GET", f"{RUNS}/{run_id}")).json()
    await desk.approved(await desk.prepared(run))
    async with desk.facts() as session:
        await mark_published(session, run_id, at=now())


async def test_every_number_of_the_page_and_of_the_document_is_in_the_trace(world):
    desk, schools = world
    for school in (7, 8, 9):
        trace = (await desk.call("GET", f"{schools}/{school}/trace")).json()
        known = numbers(json.dumps(trace, ensure_ascii=False))

        page = Page((await desk.call("GET", f"{schools}/{school}/sheet")).text)
        document = await desk.call("GET", f"{schools}/{school}/sheet.docx?is_exact=true")

        assert numbers("\n".join(page.texts)) <= known
        assert numbers("\n".join(texts_of(document.content))) <= known
        # The control: a number of nobody's would be noticed.
        assert not numbers("12345,6") <= known


async def test_page_and_document_say_the_same_in_the_same_words(world):
    desk, schools = world

    page = Page((await desk.call("GET", f"{schools}/7/sheet")).text)
    document = texts_of((await desk.call("GET", f"{schools}/7/sheet.docx?is_exact=true")).content)

    told = {re.sub(r"\s+", " ", cell) for cell in document if cell.strip("_ ")}
    assert told <= {re.sub(r"\s+", " ", cell) for cell in page.texts}
    for word in ("Школа отнесена к категории", "Как пересчитать", "Процедуры", "ознакомлен"):
        assert any(word in cell for cell in told), word
    verdicts = re.compile(r"нарушен|обвин|виновн|мошенн|слабая школа", re.IGNORECASE)
    assert not [cell for cell in told if verdicts.search(cell)]


async def test_the_page_runs_nothing_and_loads_nothing(world):
    desk, schools = world

    answer = await desk.call("GET", f"{schools}/7/sheet")

    page = Page(answer.text)
    policy = answer.headers["content-security-policy"]
    digest = b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("inline; filename=")
    assert page.addresses == []
    assert not page.tags & {"script", "img", "link", "iframe", "form", "a", "object"}
    assert "url(" not in page.style
    assert "@import" not in page.style
    # The name is shown as it was typed, not obeyed; before an equals sign stands an apostrophe.
    assert f"'{NASTY}" in page.texts


async def test_the_document_is_text_alone_and_its_bytes_depend_on_nothing_else(world):
    desk, schools = world
    path = f"{schools}/7/sheet.docx?is_exact=true"

    first, second = await desk.call("GET", path), await desk.call("GET", path)

    assert first.content == second.content
    assert first.headers["content-disposition"].startswith("attachment; filename=")
    with ZipFile(io.BytesIO(first.content)) as packed:
        body = packed.read("word/document.xml").decode()
        core = packed.read("docProps/core.xml").decode()
        assert {entry.date_time[:3] for entry in packed.infolist()} == {(2026, 1, 1)}
        outside = [n for n in packed.namelist() if b'TargetMode="External"' in packed.read(n)]
    assert outside == []
    for mark in ("w:fldSimple", "w:instrText", "w:hyperlink", "w:object", "w:altChunk"):
        assert mark not in body, mark
    assert "&lt;script&gt;" in body
    assert "'=2+3" in body
    assert "python-docx" not in core


async def test_a_document_that_leaves_hides_small_groups_unless_exact_numbers_are_asked_for(world):
    desk, schools = world
    path = f"{schools}/8/sheet.docx"

    published = texts_of((await desk.call("GET", path)).content)
    exact = texts_of((await desk.call("GET", f"{path}?is_exact=true")).content)

    assert "скрыто" in published
    assert "скрыто" not in exact
    assert any("2 из 4" in cell or cell == "4" for cell in exact)
    assert not any(re.search(r"\b2 из 4\b", cell) for cell in published)


async def test_who_may_not_see_small_numbers_reads_hidden_on_the_page_too(world):
    desk, schools = world
    reader = machine(region_id=1, scopes=["runs:read"])

    page = Page((await desk.call("GET", f"{schools}/8/sheet", token=reader)).text)
    document = await desk.call("GET", f"{schools}/8/sheet.docx?is_exact=true", token=reader)

    assert "скрыто" in page.texts
    assert not any(re.search(r"\b2 из 4\b", told) for told in page.texts)
    problem(document, 403, "missing-scope")


async def test_a_school_reads_its_own_sheet_and_no_other(world):
    desk, schools = world
    run_id = int(schools.rsplit("/", 2)[1])
    mine = school_user(region_id=1, municipality_id=1, school_id=7)
    for path in ("sheet", "sheet.docx"):
        problem(await desk.call("GET", f"{schools}/7/{path}", token=mine), 404, "run-not-found")
    await opened(desk, run_id)

    for path in ("sheet", "sheet.docx"):
        assert (await desk.call("GET", f"{schools}/7/{path}", token=mine)).status_code == 200
        other = await desk.call("GET", f"{schools}/8/{path}", token=mine)
        problem(other, 404, "run-school-not-found")
        elsewhere = municipality_user(region_id=1, municipality_id=2)
        answer = await desk.call("GET", f"{schools}/7/{path}", token=elsewhere)
        problem(answer, 404, "run-school-not-found")
