"""The two regions of the matrix, made once."""

import pytest

from tests.matrix.territory import build


@pytest.fixture(scope="session")
async def territory(opora):
    return await build(opora)
