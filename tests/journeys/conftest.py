import pytest

from tests.support.world import world


@pytest.fixture(scope="session")
async def opora(databases):
    """The whole system, shared by the journeys: each makes a region of its own."""
    async with world(databases) as running:
        yield running
