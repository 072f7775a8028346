"""The registry under test: its real application on a database of its own, with one region."""

import pytest

from services.registry.app import SERVICE
from tests.support.builders.registry import Territory, a_territory
from tests.support.running import running


@pytest.fixture
async def registry(databases):
    async with databases.fresh(SERVICE) as urls, running(SERVICE, urls) as service:
        yield service


@pytest.fixture
async def smolensk(registry) -> Territory:
    """A region with two municipalities, and a client of its region user."""
    return await a_territory(registry, code="67", name="Смоленская область")
