"""One running system for the clients of this folder."""

import pytest

from tests.support import reports
from tests.support.up import ready, started
from tests.support.world import world_of


@pytest.fixture(scope="session")
def system(tmp_path_factory):
    up = started(tmp_path_factory.mktemp("clients") / "data")
    try:
        yield ready(up)
    finally:
        up.stop()


@pytest.fixture(scope="session")
async def world(system):
    async with world_of(system) as running:
        yield running


@pytest.fixture(scope="session")
def report():
    """What is told about clients in reports/clients.md: a list of lines."""
    lines = []
    yield lines
    reports.write(
        "clients.md", "\n".join(["# Клиенты, созданные из openapi/opora.json", "", *lines, ""])
    )
