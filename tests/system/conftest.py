"""The whole system as real processes, started by the command an operator uses."""

import pytest

from tests.support.up import ready, started


@pytest.fixture(scope="session")
def system(tmp_path_factory):
    """One running system for tests that leave it running; they may kill its parts, not the whole."""
    up = started(tmp_path_factory.mktemp("system") / "data")
    try:
        yield ready(up)
    finally:
        up.stop()
