"""The indicators service with a worker, and the steps of a run as one-liners."""

import asyncio
import itertools

import pytest

from services.indicators.app import SERVICE
from services.kit.reach import Reach
from tests.support.callers import region_user
from tests.support.running import running

RUNS = "/api/indicators/v1/identification-runs"
_keys = itertools.count(1)


class Desk:
    """A region's desk: two people, the service, direct access for arranging facts."""

    def __init__(self, service):
        self.service = service
        self.ann = region_user(region_id=1, user_id=1)
        self.bob = region_user(region_id=1, user_id=2)

    def facts(self):
        """Open a transaction that may write anything: `async with desk.facts() as session`."""
        return self.service.database.transaction(Reach.system())

    async def call(self, method, path, *, token=None, version=None, **options):
        headers = {"Idempotency-Key": f"key-{next(_keys):08}"}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        if method == "GET":
            headers = {}
        async with self.service.as_(token or self.ann) as client:
            return await client.request(method, path, headers=headers, **options)

    async def methodology(self, **body):
        path = "/api/indicators/v1/methodology-versions"
        answer = await self.call("POST", path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def start(self, methodology_id, *, year=2025):
        return await self.call(
            "POST", RUNS, json={"year": year, "methodology_version_id": methodology_id}
        )

    async def wait(self, run_id, *, leave=("computing",)):
        for _ in range(400):
            run = (await self.call("GET", f"{RUNS}/{run_id}")).json()
            failed = run["job"] and run["job"]["state"] == "failed"
            if run["state"] not in leave or failed:
                return run
            await asyncio.sleep(0.02)
        raise AssertionError(run)

    async def computed(self, methodology_id, *, year=2025):
        answer = await self.start(methodology_id, year=year)
        assert answer.status_code == 202, answer.text
        run = await self.wait(answer.json()["id"])
        assert run["state"] == "draft", run
        return run

    async def prepared(self, run):
        answer = await self.call("POST", f"{RUNS}/{run['id']}/preparation", version=run["version"])
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def approved(self, run):
        order = {
            "order_number": "210-ОД", "order_date": "2025-03-15", "list_hash": run["list_hash"],
        }  # fmt: skip
        answer = await self.call(
            "POST", f"{RUNS}/{run['id']}/approval", version=run["version"], json=order,
            token=self.bob,
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def listed(self, run_id, token=None):
        answer = await self.call("GET", f"{RUNS}/{run_id}/list", token=token)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
async def idle_desk(databases):
    """The service without a worker: jobs wait until the test opens `desk.service.worker()`."""
    async with databases.fresh(SERVICE) as urls, running(SERVICE, urls) as service:
        yield Desk(service)


@pytest.fixture
async def desk(idle_desk):
    async with idle_desk.service.worker():
        yield idle_desk
