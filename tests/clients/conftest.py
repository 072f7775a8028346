"""One running system for the clients of this folder."""

import pytest

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
