"""Fixtures that every folder uses: the real PostgreSQL of the session and the databases on it."""

import pytest

from services.kit.embedded import Embedded
from tests.support.databases import Databases


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
