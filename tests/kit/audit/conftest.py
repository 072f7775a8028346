"""The tiny service `notes`, whose notes have an author: a person."""

import asyncpg
import pytest

from services.kit import audit_chain
from services.kit.reach import Reach
from tests.kit.notes.app import SERVICE
from tests.support.callers import region_user
from tests.support.running import running

REGION = region_user(region_id=1)
SIGNED = "/api/notes/v1/notes/signed"
AUDIT = "/api/notes/v1/audit"


@pytest.fixture
async def notes(databases):
    async with databases.fresh(SERVICE) as urls, running(SERVICE, urls) as service:
        yield service


@pytest.fixture
async def owner(notes):
    """The owner of the tables: the one who could tamper."""
    connection = await asyncpg.connect(notes.urls.owner.replace("+asyncpg", ""))
    yield connection
    await connection.close()


def a_note(title="Первая", author="Иванова Мария", **other):
    place = {"region_id": 1, "municipality_id": 10, "school_id": 100}
    return place | {"title": title, "author": author} | other


async def added(notes, *bodies, token=REGION):
    async with notes.as_(token) as client:
        answers = [await client.post(SIGNED, json=body) for body in bodies]
    assert [answer.status_code for answer in answers] == [201] * len(bodies), answers[-1].text
    return [answer.json() for answer in answers]


async def page(notes, path, token=REGION, **params):
    async with notes.as_(token) as client:
        answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def sealed(notes):
    await audit_chain.seal(notes.database, notes.settings)


async def verified(notes, **asked):
    async with notes.database.transaction(Reach.system()) as session:
        return await audit_chain.verify(session, **asked)
