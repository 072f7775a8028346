"""The embedded PostgreSQL, started for real, killed for real."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest

from services.kit.embedded import Embedded, EmbeddedError
from services.kit.launching import launched

REPOSITORY = Path(__file__).parents[2]

OWNER = """
import sys
from pathlib import Path
from services.kit.embedded import Embedded

server = Embedded(Path(sys.argv[1]), durable=False)
server.start()
print(server.pid, flush=True)
sys.stdin.read()
"""


async def _value(server, statement):
    connection = await asyncpg.connect(server.admin_url())
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def _gone(pid, within=10.0):
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            # A zombie of somebody else's answers to kill() but has no executable any more.
            Path(f"/proc/{pid}/exe").readlink()
        except OSError:
            return True
        time.sleep(0.02)
    return False


def _owner(directory):
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        text=True,
    )
    return process, int(process.stdout.readline())


def _close(process):
    process.stdin.close()
    process.stdout.close()
    process.wait()


async def test_a_new_directory_becomes_a_server_that_sorts_and_folds_russian(tmp_path):
    with Embedded(tmp_path / "pg", durable=False).running() as server:
        folded = await _value(server, "SELECT upper('школа ёж') || (lower('ЁЖ') = 'ёж')::text")
        locale = await _value(
            server, "SELECT datlocale FROM pg_database WHERE datname = 'postgres'"
        )
        checksums = await _value(server, "SHOW data_checksums")

    assert folded == "ШКОЛА ЁЖtrue"
    assert locale == "PG_UNICODE_FAST"
    assert checksums == "on"


async def test_what_was_written_is_there_at_the_next_start(tmp_path):
    server = Embedded(tmp_path / "pg", durable=False)
    with server.running():
        await _value(server, "CREATE TABLE kept AS SELECT 41 + 1 AS answer")

    with Embedded(tmp_path / "pg", durable=False).running() as again:
        assert await _value(again, "SELECT answer FROM kept") == 42


def test_a_stopped_server_leaves_no_process_and_frees_the_directory(tmp_path):
    server = Embedded(tmp_path / "pg", durable=False)
    server.start()
    pid = server.pid

    server.stop()

    assert _gone(pid, within=0.1)
    assert not (tmp_path / "pg/data/postmaster.pid").exists()


async def test_the_password_is_asked_for_and_kept_from_other_users(tmp_path):
    with Embedded(tmp_path / "pg", durable=False).running() as server:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(
                user="postgres",
                password="guess",
                host=str(tmp_path / "pg/run"),
                database="postgres",
            )
        for name in ("password", "data", "run", "postgres.log"):
            assert (tmp_path / "pg" / name).stat().st_mode & 0o077 == 0
        assert await _value(server, "SHOW listen_addresses") == ""


async def test_a_tcp_port_is_opened_only_on_request(tmp_path, unused_tcp_port):
    server = Embedded(tmp_path / "pg", durable=False, tcp_port=unused_tcp_port)
    with server.running():
        password = (tmp_path / "pg/password").read_text().strip()
        connection = await asyncpg.connect(
            user="postgres", password=password, host="127.0.0.1", port=unused_tcp_port
        )
        await connection.close()


@pytest.fixture
def unused_tcp_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_a_killed_server_recovers_committed_data(tmp_path):
    server = Embedded(tmp_path / "pg", durable=False)
    with server.running():
        await _value(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(server.pid, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while server.alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not server.alive()

        server.restart()

        assert await _value(server, "SELECT answer FROM kept") == 42


async def test_a_stale_pid_file_naming_a_living_process_does_not_stop_the_start(tmp_path):
    server = Embedded(tmp_path / "pg", durable=False)
    with server.running():
        left = (tmp_path / "pg/data/postmaster.pid").read_text().splitlines()
    # As after a container restart: the number now belongs to somebody else, here to this test.
    left[0] = str(os.getpid())
    (tmp_path / "pg/data/postmaster.pid").write_text("\n".join(left) + "\n")

    with Embedded(tmp_path / "pg", durable=False).running() as again:
        assert await _value(again, "SELECT 1") == 1


def test_a_second_owner_is_told_who_holds_the_directory(tmp_path):
    with (
        Embedded(tmp_path / "pg", durable=False).running(),
        pytest.raises(
            EmbeddedError, match=f"уже занят другим запуском Опоры .процесс {os.getpid()}"
        ),
    ):
        Embedded(tmp_path / "pg", durable=False).start()


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM])
async def test_the_server_dies_with_its_owner_and_the_next_owner_starts_at_once(tmp_path, death):
    owner, pid = _owner(tmp_path / "pg")
    try:
        owner.send_signal(death)
        owner.wait()
        with Embedded(tmp_path / "pg", durable=False).running() as successor:
            assert await _value(successor, "SELECT 1") == 1
            assert successor.pid != pid
        assert _gone(pid)
    finally:
        _close(owner)


async def test_an_interrupted_creation_is_begun_anew(tmp_path):
    half = tmp_path / "pg/data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    with Embedded(tmp_path / "pg", durable=False).running() as server:
        assert await _value(server, "SELECT 1") == 1
    assert not half.exists()


async def test_a_long_directory_gets_a_short_private_socket_that_is_removed_again(tmp_path):
    directory = tmp_path / ("очень-длинное-имя-" * 4) / "pg"
    with Embedded(directory, durable=False).running() as server:
        assert await _value(server, "SELECT 1") == 1
        socket = Path(await _value(server, "SHOW unix_socket_directories"))
        assert socket.parent == Path("/tmp")  # noqa: S108
        assert socket.stat().st_mode & 0o077 == 0
    assert not socket.exists()


def test_a_broken_setting_is_shown_in_the_words_of_the_server(tmp_path):
    server = Embedded(tmp_path / "pg", durable=False)
    with server.running():
        pass
    (tmp_path / "pg/local.conf").write_text("shared_buffers = 'as much as possible'\n")

    with pytest.raises(EmbeddedError, match="shared_buffers"):
        server.start()

    (tmp_path / "pg/local.conf").unlink()
    with server.running():
        assert server.alive()


@pytest.mark.skipif(os.getuid() != 0, reason="the fallback is for root")
async def test_root_without_user_namespaces_hands_the_directory_to_an_unprivileged_user():
    import tempfile

    with tempfile.TemporaryDirectory(prefix="opora-") as open_place:
        Path(open_place).chmod(0o755)
        directory = Path(open_place) / "pg"
        for _start in range(2):
            with Embedded(directory, durable=False, identity="65534").running() as server:
                assert await _value(server, "SELECT 1") == 1
                assert Path(f"/proc/{server.pid}").stat().st_uid == 65534
        assert (directory / "data").stat().st_uid == 65534


@pytest.mark.skipif(os.getuid() != 0, reason="the fallback is for root")
async def test_a_closed_directory_of_root_makes_the_fallback_keep_the_data_in_an_open_place(
    tmp_path,
):
    tmp_path.chmod(0o700)
    told = []
    server = Embedded(tmp_path / "pg", durable=False, identity="65534", tell=told.append)
    try:
        with server.running():
            assert await _value(server, "SELECT 1") == 1
        assert str(server.directory) in told[0]
        assert server.directory.parent == Path("/var/tmp")  # noqa: S108
    finally:
        if server.directory.parent == Path("/var/tmp"):  # noqa: S108
            shutil.rmtree(server.directory, ignore_errors=True)


@pytest.mark.skipif(os.getuid() != 0, reason="an ordinary user is what runs the tests anyway")
def test_an_ordinary_user_just_runs_it(tmp_path):
    # The user of a namespace is an ordinary one: not 0, with no rights over other users' files.
    asked = "import os; from services.kit.binaries import binaries_of; from services.kit.launching import identity_here\n"
    asked += "assert os.getuid() != 0 and identity_here(binaries_of(18)) == 'same'\n" + OWNER
    with (tmp_path / "told").open("wb") as told:
        owner = launched(
            [sys.executable, "-c", asked, str(tmp_path / "pg")],
            output=told,
            identity="namespace",
            environment={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        assert owner.wait(timeout=60) == 0

    assert (tmp_path / "told").read_text().strip().isdigit()
    assert "ready to accept connections" in (tmp_path / "pg/postgres.log").read_text()


async def test_an_older_major_version_can_be_started_for_comparison(tmp_path):
    with Embedded(tmp_path / "pg", durable=False, major=16).running() as server:
        assert (await _value(server, "SHOW server_version")).startswith("16.")
