"""The server's own limits, asked over raw sockets of a real process."""

import json
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
serving._MOST_HEADLESS = 50

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


def _refused(connection, request):
    """Send something and return the status and code of the problem that ends the connection."""
    connection.sendall(request)
    answer = b""
    while received := connection.recv(10_000):
        answer += received
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    document = json.loads(body)
    assert document["title"]
    assert document["request_id"]
    assert head.startswith(f"HTTP/1.1 {document['status']} ".encode())
    return document["status"], document["code"]


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        (b"GET / HTTP/1.1\r\nHost opora\r\n\r\n", (400, "bad-request")),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", (400, "bad-request")),
        (
            b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: opora\r\n\r\n",
            (414, "address-too-long"),
        ),
        (
            b"GET / HTTP/1.1\r\nHost: opora\r\n" + b"X-One: 1\r\n" * 101 + b"\r\n",
            (431, "headers-too-large"),
        ),
        # Whole and in one piece: no deadline and no half-sent head would tell of it.
        (
            b"GET / HTTP/1.1\r\nHost: opora\r\nX-Long: " + b"a" * 33_000 + b"\r\n\r\n",
            (431, "headers-too-large"),
        ),
    ],
    ids=["no colon", "TLS", "long address", "many fields", "long field"],
)
def test_a_head_that_goes_too_far_is_told_so_and_cut(connection, request_, refusal):
    assert _refused(connection, request_) == refusal


def test_a_head_within_the_limits_is_answered(connection):
    head = b"X-One: 1\r\n" * 90 + b"X-Long: " + b"a" * 20_000
    connection.sendall(
        b"GET /?" + b"a" * 8000 + b" HTTP/1.1\r\nHost: opora\r\n" + head + b"\r\n\r\n"
    )

    assert connection.recv(1000).startswith(b"HTTP/1.1 200")


def test_idle_connections_do_not_keep_others_out(server):
    idle = [socket.create_connection(("127.0.0.1", server[1]), timeout=10) for _ in range(80)]
    try:
        with socket.create_connection(("127.0.0.1", server[1]), timeout=10) as late:
            assert _ask(late).startswith(b"HTTP/1.1 200")
        # Well before any deadline the longest waiting have made room.
        assert idle[0].recv(1) == b""
    finally:
        for one in idle:
            one.close()


def test_a_stop_ends_long_waits_at_once_with_their_answer(server, connection):
    process, _port = server
    connection.sendall(b"GET /wait HTTP/1.1\r\nHost: opora\r\n\r\n")
    time.sleep(0.3)

    os.kill(process.pid, signal.SIGTERM)
    begun = time.monotonic()

    assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    process.wait(timeout=10)
    assert time.monotonic() - begun < 5
