"""Files that no honest client sends, through the gateway to the real processes: each its own answer."""

import asyncio
import base64
import hashlib
import io
import json
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.support import steps
from tests.support.world import world_of
from tests.system.test_faults import IMPORTS, procedure

pytestmark = pytest.mark.system

HEADER = b"school_code;participant;subject;score\n"
TWO_GIGABYTES = 2 * 1024**3
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(scope="module")
async def region(system):
    async with world_of(system) as world:
        made = await steps.new_region(world, "98", "Область враждебных файлов")
        await steps.add_schools(
            made, {"1": "Район"}, [{"code": "980001", "name": "Школа", "municipality": "1"}]
        )
        made.procedure_id = (await procedure(made, 2010))["id"]
        yield made


@pytest.fixture
async def draft(region):
    """The path of a new import's file."""
    made = await region.machine.post(
        IMPORTS, {"procedure_id": region.procedure_id, "layout": "opora-results"}
    )
    return f"{IMPORTS}/{made['id']}/files/results"


async def put(region, path, content, media_type="text/csv", **headers):
    return await region.machine.ask(
        "PUT", path, content=content, headers={"Content-Type": media_type} | headers
    )


def memory_mb(pid):
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))


def refused(answer, status, code):
    assert answer.status_code == status, answer.text
    document = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["code"] == code or document.get("reason") == code, document
    assert document.get("hint"), document
    return document


async def test_two_gigabytes_by_their_declared_length_are_refused_at_once(region, draft):
    url = httpx.URL(str(region.machine.http.base_url))
    reader, writer = await asyncio.open_connection(url.host, url.port)
    token = region.machine.http.headers["Authorization"]
    writer.write(
        f"PUT {draft} HTTP/1.1\r\nHost: opora\r\nAuthorization: {token}\r\n"
        f"Content-Type: text/csv\r\nContent-Length: {TWO_GIGABYTES}\r\n\r\n".encode()
    )
    # Not a byte of the body is sent, and the answer is there.
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2)
    body = await asyncio.wait_for(reader.read(), 5)
    writer.close()

    assert head.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in head
    assert json.loads(body)["hint"]


async def test_an_endless_file_of_sound_rows_is_cut_off_while_it_streams(system, region, draft):
    url = httpx.URL(str(region.machine.http.base_url))
    reader, writer = await asyncio.open_connection(url.host, url.port)
    token = region.machine.http.headers["Authorization"]
    writer.write(
        f"PUT {draft} HTTP/1.1\r\nHost: opora\r\nAuthorization: {token}\r\n"
        f"Content-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    block = b"".join(b"980001;%010d;rus;20\n" % number for number in range(40_000))
    answered = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
    sent = 0
    try:
        for piece in (HEADER, *[block] * (TWO_GIGABYTES // len(block))):
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            sent += len(piece)
            if answered.done():
                break
    except ConnectionError:
        pass  # cut off; the answer was sent before
    head = await asyncio.wait_for(answered, 10)
    writer.close()

    assert head.startswith(b"HTTP/1.1 413"), head
    # The limit of a CSV is 512 MB; what is on its way in buffers comes on top.
    assert sent < 600 * 1024**2
    # Nothing is held: neither the door nor the service grows with the body.
    assert memory_mb(system.pid("gateway")) < 300
    assert memory_mb(system.pid("indicators")) < 500
    state = await region.machine.get(draft.rsplit("/files", 1)[0])
    assert state["state"] == "draft"
    assert (state["rows_in"] or 0) == 0


def bomb():
    """A small workbook whose sheet inflates to 600 MB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(600):
                sheet.write(b" " * 1024**2)
    return out.getvalue()


async def test_a_workbook_that_inflates_without_end_is_refused_unopened(system, region, draft):
    body = bomb()
    assert len(body) < 2 * 1024**2

    answer = await put(region, draft, body, XLSX)

    document = refused(answer, 422, "file-refused")
    assert document["reason"]
    assert memory_mb(system.pid("indicators")) < 500


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"\x00\x01\x02" * 1000, "text/csv"),
        ("школа;участник\n1;2\n".encode("utf-16"), "text/csv"),
        (b"school_code|participant|subject|score\n980001|1|rus|20\n", "text/csv"),
        (b"a;b;c\n1;2;3\n", "text/csv"),
        (b"", "text/csv"),
        (HEADER + b'980001;1;"rus;20\n', "text/csv"),
        (b"PK\x03\x04 not a workbook", XLSX),
    ],
    ids=["bytes", "utf-16", "delimiter", "header", "empty", "open quote", "not a workbook"],
)
async def test_a_file_that_cannot_be_read_is_told_why_and_what_to_do(
    region, draft, content, media_type
):
    document = refused(await put(region, draft, content, media_type), 422, "file-refused")

    assert document["detail"]
    assert (await region.machine.get(draft.rsplit("/files", 1)[0]))["state"] == "draft"


async def test_a_file_cut_in_the_middle_is_noticed(region, draft):
    rows = HEADER + b"".join(b"980001;%d;rus;20\n" % number for number in range(100))
    whole = await put(region, draft, rows[:-9], **{"Repr-Digest": _digest(rows)})

    refused(whole, 422, "file-cut")


def _digest(content):
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


async def test_every_wrong_row_is_told_with_its_row_column_and_remedy(region, draft):
    rows = [
        "980001;1;rus;20",
        "999999;2;rus;20",
        "980001;3;rus;34",
        "980001;4;rus;",
        "980001;5;химия;20",
        "980001;6;rus;двадцать",
        ";;;",
        "980001;1;rus;20",
        "980001;7;rus;20",
        "980001;7;rus;21",
    ]
    put_answer = await put(region, draft, HEADER + ("\n".join(rows) + "\n").encode())
    assert put_answer.status_code in (200, 201, 202), put_answer.text
    import_id = int(draft.split("/")[-3])
    checked = await steps.settled(region.machine, import_id, {"checked"})
    findings = await region.machine.get(f"{IMPORTS}/{import_id}/findings")

    assert (
        checked["rows_in"]
        == checked["stored"] + checked["rejected"] + checked["ignored"]
        == len(rows)
    )
    assert checked["stored"] == 1
    text = str(findings)
    for item in findings["items"]:
        assert item["remedy"], item
        assert item["count"] >= 1
        assert item["first_row"] >= 2
    assert len({item["code"] for item in findings["items"]}) >= 7, text
