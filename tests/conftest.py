"""Fixtures that every folder uses: the real PostgreSQL of the session and the databases on it."""

import pytest

from services.kit.embedded import Embedded
from tests.support.databases import Databases
from tests.support.smolensk import build
from tests.support.world import world


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """The embedded PostgreSQL, without fsync: a test database need not survive a power cut."""
    directory = tmp_path_factory.mktemp("postgres")
    with Embedded(directory, durable=False, tell=lambda _: None).running() as server:
        yield server


@pytest.fixture(scope="session")
def databases(postgres) -> Databases:
    """Where a test gets fresh, migrated databases: `async with databases.fresh(SERVICE) as urls`."""
    return Databases(postgres)


@pytest.fixture(scope="session")
async def opora(databases):
    """The whole system in this loop, behind its gateway; each test makes a region of its own."""
    async with world(databases) as running:
        yield running


@pytest.fixture(scope="session")
async def smolensk(opora):
    """Smolensk with its published list of Table 5 (tests/support/smolensk.py)."""
    return await build(opora)
