"""The whole system as real processes, started by the command an operator uses."""

import socket

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
    """The administrator's TCP address of a server of the operator's own.

    Not the server of the other tests: `opora up` sets new passwords in it.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    directory = tmp_path_factory.mktemp("other")
    with Embedded(directory, durable=False, tcp_port=port).running():
        password = (directory / "password").read_text().strip()
        yield f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
