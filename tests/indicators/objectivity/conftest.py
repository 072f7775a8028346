"""A region of two municipalities whose results hold what the detectors look for, and its people at work."""

import asyncio
import itertools

import pytest
from sqlalchemy import text

from services.indicators.app import SERVICE
from services.kit.reach import Reach
from tests.indicators.objectivity.regions import MAT4, RUS4, honest, lifted
from tests.indicators.results.conftest import Imports
from tests.support.builders import rollups
from tests.support.callers import region_user
from tests.support.running import running

API = "/api/indicators/v1"
DETECTIONS = f"{API}/objectivity-detections"
SIGNS = f"{API}/objectivity-signs"
SCHOOLS = 24
INFLATED = 3
"""School № 3, in municipality 11, moves pupils up to the borders of Russian."""
ANALYSIS = [{"use": "analysis", "from": None, "to": None, "basis": "Порядок ВПР"}]
_keys = itertools.count(1)


def municipality_of(school: int) -> int:
    return 11 if school % 2 else 12


def rus4(year: int = 2025):
    """Russian of the fourth grade; the inflated school is large, so that it is found."""
    region = honest(year, RUS4, schools=SCHOOLS, n=70)
    large = honest(year + 1, RUS4, schools=1, n=300)
    region.scores[INFLATED - 1], region.journals[INFLATED - 1] = large.scores[0], large.journals[0]
    return lifted(region, [INFLATED - 1], share=0.9)


def csv(works) -> str:
    """Write works as a file of Opora's own layout: one line a pupil and subject."""
    lines = ["Код ОО;Код участника;Предмет;Балл;Отметка;Отметка по журналу"]
    for work in works:
        for place, (scores, journal) in enumerate(zip(work.scores, work.journals, strict=True)):
            for pupil, (score, mark, book) in enumerate(
                zip(scores, work.marks(scores), journal, strict=True)
            ):
                code = f"67{place + 1:04}"
                person = f"{place + 1}{pupil:04}"
                lines.append(f"{code};{person};{work.work.code};{score};{mark};{book}")
    return "\n".join(lines) + "\n"


class Desk:
    """A region's people, the service, direct access for arranging facts."""

    def __init__(self, service):
        self.service = service
        self.ann = region_user(region_id=1, user_id=1)

    def facts(self):
        return self.service.database.transaction(Reach.system())

    async def ask(self, method, path, *, token=None, version=None, **options):
        headers = {} if method == "GET" else {"Idempotency-Key": f"key-{next(_keys):08}"}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        async with self.service.as_(token or self.ann) as client:
            return await client.request(method, path, headers=headers, **options)

    async def procedure(self, works, *, year=2025, uses=ANALYSIS):
        """Make ВПР of the fourth grade with its official scales and put the works in force."""
        async with self.service.as_(self.ann) as client:
            imports = Imports(client)
            procedure_id = await imports.procedure(
                kind="vpr", grade=4, year=year, permitted_uses=uses
            )
            await imports.committed(procedure_id, csv(works))
        return procedure_id

    async def detected(self, *, year=2025, settings=None):
        answer = await self.ask(
            "POST", DETECTIONS, json={"year": year} | ({"settings": settings} if settings else {})
        )
        assert answer.status_code == 202, answer.text
        return await self.settled(answer.json()["id"])

    async def settled(self, detection_id):
        for _ in range(600):
            found = (await self.ask("GET", f"{DETECTIONS}/{detection_id}")).json()
            if found["state"] != "computing":
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(found)

    async def signs(self, detection_id, *, token=None, **wanted):
        answer = await self.ask(
            "GET", f"{DETECTIONS}/{detection_id}/signs", token=token, params=wanted
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    async def published(self, detection):
        answer = await self.ask(
            "POST", f"{DETECTIONS}/{detection['id']}/publication", version=detection["version"]
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def reviewed(self, sign, outcome="withdrawn", **more):
        body = {"outcome": outcome, "reason": "Работы перепроверены"} | more
        return await self.ask(
            "POST", f"{SIGNS}/{sign['id']}/review", version=sign["version"], json=body
        )


@pytest.fixture
async def desk(databases):
    """A region of 24 schools with nothing in it yet, and a worker."""
    async with (
        databases.fresh(SERVICE) as urls,
        running(SERVICE, urls, pseudonym_key="a key for tests only") as service,
        service.worker(),
    ):
        found = Desk(service)
        async with found.facts() as session:
            await rollups.a_region(session)
            for place in (11, 12):
                await rollups.a_municipality(session, place, f"Район {place}")
            for school in range(1, SCHOOLS + 1):
                await rollups.a_school(session, school, municipality_id=municipality_of(school))
            # A main school without the first grades, and one that has not sent anything.
            await rollups.a_school(session, 90, municipality_id=11, stages=["ooo"])
            await rollups.a_school(session, 91, municipality_id=12)
            await session.execute(
                text(
                    "INSERT INTO curator_grant (id, region_id, municipality_id, school_id, curator,"
                    " valid_from) VALUES (1, 1, 11, :school, 'user:40', '2020-01-01')"
                ),
                {"school": INFLATED},
            )
        yield found


@pytest.fixture
async def vpr(desk):
    """ВПР of 2025 with one inflated school, put in force."""
    return await desk.procedure([rus4(), honest(7, MAT4, schools=SCHOOLS, n=70)])
