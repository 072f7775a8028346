"""The whole system as real processes, started by the command an operator uses."""

import pytest

from services.kit.embedded import Embedded
from tests.support.up import ready, started


@pytest.fixture(scope="session")
def system(tmp_path_factory):
    """One running system for tests that leave it running; they may kill its parts, not the whole."""
    up = started(tmp_path_factory.mktemp("system") / "data")
    try:
        yield ready(up)
    finally:
        up.stop()


@pytest.fixture(scope="session")
def other_postgres(tmp_path_factory):
    """A server of the operator's own. Not the one of the other tests: `opora up` sets new passwords in it."""
    with Embedded(tmp_path_factory.mktemp("other"), durable=False).running() as server:
        yield server
