"""A region with a published list, and the people who dispute it."""

import pytest

from services.indicators.app import SERVICE
from tests.indicators.identification.conftest import RUNS, Desk
from tests.indicators.identification.test_approval import StandInRegistry
from tests.indicators.identification.worlds import five_flags, full_region
from tests.support.callers import curator, municipality_user, region_user, school_user
from tests.support.running import running
from tests.support.serving import served

APPEALS = "/api/indicators/v1/appeals"
EVIDENCE = [
    {
        "title": "Протокол перепроверки", "document_number": "17", "document_date": "2025-10-03",
        "file": {"name": "protokol.pdf", "size_bytes": 182044, "sha256": "ab" * 32},
    }
]  # fmt: skip
PROTOCOL = {
    "protocol_number": "3",
    "protocol_date": "2025-10-20",
    "commission": ["заместитель министра", "директор РЦОКО"],
}


class Court(Desk):
    """A desk whose list is published: ann prepared it, bob approved it, vera decides appeals."""

    def __init__(self, service):
        super().__init__(service)
        self.vera = region_user(region_id=1, user_id=3)
        self.city = municipality_user(region_id=1, municipality_id=1, user_id=20)
        self.curator = curator(region_id=1, user_id=40)

    def school(self, school_id, municipality_id=1):
        return school_user(
            region_id=1, municipality_id=municipality_id, school_id=school_id,
            user_id=100 + school_id,
        )  # fmt: skip

    async def published(self, methodology_id, *, year=2025):
        run = await self.approved(
            await self.prepared(await self.computed(methodology_id, year=year))
        )
        answer = await self.call(
            "POST", f"{RUNS}/{run['id']}/publication", version=run["version"], token=self.bob
        )
        assert answer.status_code == 202, answer.text
        run = await self.wait(run["id"], leave=("approved",))
        assert run["state"] == "published", run
        return run

    def wish(self, school_id, claimed, **changed):
        return {
            "run_id": self.run["id"], "school_id": school_id, "claimed": claimed,
            "reason": "Две работы проверены по чужому варианту", "evidence": EVIDENCE,
        } | changed  # fmt: skip

    async def ask(self, school_id, claimed, *, token=None, **changed):
        """Send an appeal as the school itself, or as somebody else."""
        return await self.call(
            "POST", APPEALS, json=self.wish(school_id, claimed, **changed),
            token=token or self.school(school_id),
        )  # fmt: skip

    async def filed(self, school_id, claimed, **changed):
        answer = await self.ask(school_id, claimed, **changed)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def step(self, appeal, name, *, token=None, version=None, **body):
        return await self.call(
            "POST", f"{APPEALS}/{appeal['id']}/{name}", version=version or appeal["version"],
            token=token or self.vera, **({"json": body} if body else {}),
        )  # fmt: skip

    async def under_review(self, school_id, claimed, **changed):
        answer = await self.step(await self.filed(school_id, claimed, **changed), "review")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def decided(self, appeal, outcome="accepted", **changed):
        answer = await self.decide(appeal, outcome, **changed)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def decide(self, appeal, outcome="accepted", *, token=None, **changed):
        body = {
            "outcome": outcome,
            "reason": "Перепроверка подтвердила ошибку",
            **PROTOCOL,
        } | changed
        return await self.step(appeal, "decision", token=token, **body)

    async def read(self, path, token=None):
        answer = await self.call("GET", path, token=token)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def names(self, run_id, token=None):
        """Give the ids of the listed schools."""
        listed = await self.listed(run_id, token)
        return {s["school_id"] for m in listed["municipalities"] for s in m["schools"]}


@pytest.fixture
async def court(databases):
    registry = StandInRegistry()
    async with served(registry.app) as address:
        peers = {
            "registry_url": address, "token_url": address + "/token",
            "client_id": "indicators", "client_secret": "secret",
        }  # fmt: skip
        async with (
            databases.fresh(SERVICE) as urls,
            running(SERVICE, urls, **peers) as service,
            service.worker(),
        ):
            court = Court(service)
            async with court.facts() as session:
                await full_region(session)
            court.methodology_id = await court.methodology(shipped="smolensk-nro-fnsu")
            court.run = await court.published(court.methodology_id)
            yield court


@pytest.fixture
async def wide_court(court):
    """The same with a list that also rests on profiles, conditions and signs."""
    court.methodology_id = await court.methodology(document=five_flags())
    court.run = await court.published(court.methodology_id)
    return court
