"""Imports in the words of a region's user."""

import asyncio
import uuid

import pytest

from tests.support.callers import region_user

API = "/api/indicators/v1"


class Imports:
    """A region's user at work: the steps of an import as short words."""

    def __init__(self, client):
        self.client = client

    async def procedure(self, **changes):
        body = {"kind": "oge", "grade": 9, "year": 2024, "published": True} | changes
        answer = await self.client.post(f"{API}/procedures", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def draft(self, procedure_id, layout="opora-results", **more):
        answer = await self.client.post(
            f"{API}/imports",
            json={"procedure_id": procedure_id, "layout": layout} | more,
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def put(self, import_id, body, table="results", **headers):
        return await self.client.put(
            f"{API}/imports/{import_id}/files/{table}",
            content=body if isinstance(body, bytes) else body.encode(),
            headers={"Content-Type": "text/csv"} | headers,
        )

    async def settled(self, import_id, *states):
        for _ in range(200):
            shown = (await self.client.get(f"{API}/imports/{import_id}")).json()
            if shown["state"] in states or (shown["job"] or {}).get("state") == "failed":
                return shown
            await asyncio.sleep(0.05)
        raise AssertionError(shown)

    async def checked(self, procedure_id, body, **headers):
        import_id = await self.draft(procedure_id)
        answer = await self.put(import_id, body, **headers)
        assert answer.status_code == 200, answer.text
        shown = await self.settled(import_id, "checked")
        assert shown["state"] == "checked", shown
        assert shown["rows_in"] == shown["stored"] + shown["rejected"] + shown["ignored"]
        return shown

    async def commit(self, import_id, **decision):
        answer = await self.client.post(
            f"{API}/imports/{import_id}/commit",
            json=decision,
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )
        assert answer.status_code == 202, answer.text
        return await self.settled(import_id, "committed", "checked")

    async def committed(self, procedure_id, body):
        shown = await self.checked(procedure_id, body)
        done = await self.commit(shown["id"], accept_rejected=True)
        assert done["state"] == "committed", done
        return done

    async def findings(self, import_id):
        items = (await self.client.get(f"{API}/imports/{import_id}/findings")).json()["items"]
        return {item["code"]: item for item in items}

    async def indices(self, **asked):
        items = (await self.client.get(f"{API}/indices", params=asked)).json()["items"]
        return {(item["school_id"], item["subject"]): item for item in items}


@pytest.fixture
async def region(indicators):
    async with indicators.as_(region_user(region_id=1)) as client, indicators.worker():
        yield Imports(client)
