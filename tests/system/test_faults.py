"""Kill -9 in the middle of an import: after the restart it completes once, as if nothing had been.

What is compared is what everything later is computed from: every rollup of the import, against those
of the same file imported undisturbed into a twin procedure.
"""

import asyncio
import random

import httpx
import pytest

from tests.support import steps
from tests.support.world import until, world_of

pytestmark = pytest.mark.system

SCHOOLS, PUPILS = 150, 300
IMPORTS = "/api/indicators/v1/imports"


def results_file():
    """90 000 rows: enough that a kill lands in the middle of something."""
    chance = random.Random(20261121)
    lines = ["school_code;participant;subject;score"]
    for school in range(SCHOOLS):
        for pupil in range(PUPILS):
            person = f"{school:03}{pupil:04}"
            lines += [
                f"9{school:05};{person};rus;{chance.randint(0, 33)}",
                f"9{school:05};{person};mat;{chance.randint(0, 31)}",
            ]
    return ("\n".join(lines) + "\n").encode()


FILE = results_file()


async def procedure(region, year):
    permitted = [{"use": "identification", "from": None, "to": None, "basis": "Приказ № 1"}]
    return await steps.add_procedure(
        region,
        kind="rdr",
        grade=9,
        year=year,
        title=f"Работа {year}",
        permitted_uses=permitted,
        scales=[
            {
                "subject": "rus",
                "title": "Русский язык",
                "minimum": "15",
                "maximum": "33",
                "top": "29",
                "is_mass": True,
            },
            {
                "subject": "mat",
                "title": "Математика",
                "minimum": "8",
                "maximum": "31",
                "top": "22",
                "is_mass": True,
            },
        ],
    )


async def rollups(region, procedure_id):
    """Return everything computed from the import, without what names the procedure or the import."""
    subjects = await region.analyst.all("/api/indicators/v1/indices", procedure_id=procedure_id)
    patterns = await region.analyst.all(
        "/api/indicators/v1/indices/low-results", procedure_id=procedure_id
    )
    sources = []
    for school_id in sorted({row["school_id"] for row in subjects})[::10]:
        sources += await region.analyst.all(
            "/api/indicators/v1/results/lineage", procedure_id=procedure_id, school_id=school_id
        )
    assert len(subjects) == 2 * SCHOOLS
    assert len(patterns) == SCHOOLS
    assert len(sources) == SCHOOLS / 10
    return [_facts(rows) for rows in (subjects, patterns, sources)]


def _facts(rows):
    named = {"procedure_id", "year", "import_id", "committed_at"}
    return [{key: value for key, value in row.items() if key not in named} for row in rows]


async def state_of(region, import_id):
    """Ask for the import's state; None while the system is coming back."""
    try:
        answer = await region.machine.ask("GET", f"{IMPORTS}/{import_id}")
    except httpx.TransportError:
        return None
    return answer.json()["state"] if answer.status_code == 200 else None


async def reached(region, import_id, *states):
    async def arrived():
        state = await state_of(region, import_id)
        assert state != "failed", (await region.machine.get(f"{IMPORTS}/{import_id}"))["problem"]
        return state in states

    await until(arrived, seconds=90, what=f"import {import_id} to reach {states}")


async def persistent(region, method, path, **options):
    """Repeat a request as a careful client does, with the same key, until the system is back."""

    async def answered():
        try:
            answer = await region.machine.ask(method, path, **options)
        except httpx.TransportError:
            return None
        return answer if answer.status_code < 500 else None

    return await until(answered, seconds=90, what=f"{method} {path}")


@pytest.fixture(scope="module")
async def prepared(system):
    """A region with its schools, and the rollups of an undisturbed import."""
    async with world_of(system) as world:
        region = await steps.new_region(world, "99", "Область отказов")
        await steps.add_schools(
            region,
            {"1": "Район"},
            [
                {"code": f"9{school:05}", "name": f"Школа № {school}", "municipality": "1"}
                for school in range(SCHOOLS)
            ],
        )
        calm = await procedure(region, 2000)
        await steps.import_results(region.machine, calm["id"], FILE)
        yield region, await rollups(region, calm["id"])


@pytest.mark.parametrize(
    ("victim", "moment", "year"),
    [
        ("indicators-worker", "checking", 2001),
        ("indicators-worker", "committing", 2002),
        ("postgres", "checking", 2003),
        ("postgres", "committing", 2004),
        ("indicators", "uploading", 2005),
        ("indicators", "checking", 2006),
        ("gateway", "uploading", 2007),
    ],
)
async def test_a_kill_in_the_middle_leaves_an_import_that_completes_once(
    system, prepared, victim, moment, year
):
    region, expected = prepared
    disturbed = await procedure(region, year)
    draft = await region.machine.post(
        IMPORTS, {"procedure_id": disturbed["id"], "layout": "opora-results"}
    )
    path = f"{IMPORTS}/{draft['id']}"

    if moment == "uploading":
        await _kill_while_uploading(system, region, path, victim)
    put = await persistent(
        region, "PUT", f"{path}/files/results", content=FILE, headers={"Content-Type": "text/csv"}
    )
    assert put.status_code in (200, 201, 202), put.text
    if moment == "checking":
        system.kill(victim)
    await reached(region, draft["id"], "checked")
    committed = await persistent(
        region,
        "POST",
        f"{path}/commit",
        json={},
        headers={"Idempotency-Key": f"commit-{draft['id']}"},
    )
    assert committed.status_code == 202, committed.text
    if moment == "committing":
        await asyncio.sleep(0.1)
        system.kill(victim)
    await reached(region, draft["id"], "committed")

    found = await region.machine.get(path)
    assert (found["rows_in"], found["stored"], found["rejected"], found["ignored"]) == (
        90_000,
        90_000,
        0,
        0,
    )
    assert await rollups(region, disturbed["id"]) == expected


async def _kill_while_uploading(system, region, path, victim):
    """Send half of the file, kill, and see the upload fail; the client will send it again."""
    killed = asyncio.Event()

    async def halting():
        yield FILE[: len(FILE) // 2]
        await asyncio.sleep(0.3)
        system.kill(victim)
        killed.set()
        await asyncio.sleep(0.2)
        yield FILE[len(FILE) // 2 :]

    try:
        answer = await region.machine.ask(
            "PUT",
            f"{path}/files/results",
            content=halting(),
            headers={"Content-Type": "text/csv"},
        )
    except httpx.TransportError:
        pass
    else:
        assert answer.status_code >= 500, answer.text
    assert killed.is_set()

    async def back():
        return await state_of(region, int(path.rsplit("/", 1)[1])) is not None

    await until(back, seconds=60, what=f"{victim} to come back")
