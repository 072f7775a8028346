"""The server's own limits, asked over raw sockets of a real process."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

# The deadline is shortened, or each test of it would take ten seconds.
PROGRAM = """
import asyncio, sys
from services.kit import serving
from services.kit.draining import is_draining
serving._HEAD_SECONDS = 1.0

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    while scope["path"] == "/wait" and not is_draining():
        await asyncio.sleep(0.05)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})

serving.serve(app, "127.0.0.1", int(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def server():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(port)], cwd=REPOSITORY)
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield process, port
    process.kill()
    process.wait()


@pytest.fixture
def connection(server):
    with socket.create_connection(("127.0.0.1", server[1]), timeout=10) as opened:
        yield opened


def _ask(connection, path="/"):
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: opora\r\n\r\n".encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\nok"):
        received = connection.recv(10_000)
        assert received, answer
        answer += received
    return answer


def test_a_connection_serves_many_requests_and_names_no_software(connection):
    answers = [_ask(connection) for _ in range(3)]

    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)
    assert b"server:" not in answers[0].lower()


def test_a_head_that_drips_is_cut_off_at_the_deadline(connection):
    connection.sendall(b"GET / HTTP/1.1\r\nHost: op")

    begun = time.monotonic()
    assert connection.recv(1000) == b""
    assert time.monotonic() - begun < 5


def test_a_second_head_on_the_same_connection_has_a_deadline_too(connection):
    _ask(connection)
    connection.sendall(b"GET / HTTP/1.1\r\nHost: op")

    assert connection.recv(1000) == b""


def test_an_idle_connection_outlives_the_deadline_of_a_head(connection):
    _ask(connection)
    time.sleep(1.5)

    assert _ask(connection).startswith(b"HTTP/1.1 200")


def test_an_endless_head_is_refused_before_it_ends(connection):
    connection.sendall(b"GET / HTTP/1.1\r\nX-Long: ")
    try:
        for _ in range(200):
            connection.sendall(b"a" * 4096)
        is_refused = connection.recv(1000).startswith(b"HTTP/1.1 431")
    except ConnectionError:
        # It had closed already, so that sending failed: what it said may be lost then.
        is_refused = True

    assert is_refused


def test_a_stop_ends_long_waits_at_once_with_their_answer(server, connection):
    process, _port = server
    connection.sendall(b"GET /wait HTTP/1.1\r\nHost: opora\r\n\r\n")
    time.sleep(0.3)

    os.kill(process.pid, signal.SIGTERM)
    begun = time.monotonic()

    assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    process.wait(timeout=10)
    assert time.monotonic() - begun < 5
