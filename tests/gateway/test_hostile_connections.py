"""What is sent below HTTP's manners: smuggled requests, dripping bodies, crowds of idle connections.

Two real processes, as in production: a service and the forwarder in front of it, each on the kit's
server. Every attack is made on both doors.
"""

import contextlib
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

SERVICE = """
import json, sys
from services.kit import serving

seen = []

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    told = json.dumps({"path": scope["path"], "size": size, "seen": seen}).encode()
    if scope["path"].endswith("/seen"):
        seen.clear()
    else:
        seen.append(scope["path"])
    headers = [(b"content-length", str(len(told)).encode()), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": told})

serving.serve(app, "127.0.0.1", int(sys.argv[1]))
"""

GATEWAY = """
import sys
from gateway.forwarding import Forwarder, Limits
from services.kit import serving
serving._HEAD_SECONDS = 2.0

async def own(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})

limits = Limits(body_idle_seconds=1.0, body_grace_seconds=1.5, body_bytes_per_second=1000)
serving.serve(
    Forwarder(own, {"registry": f"http://127.0.0.1:{sys.argv[2]}"}, limits),
    "127.0.0.1", int(sys.argv[1]),
)
"""

HEAD = "POST /api/registry/v1/first HTTP/1.1\r\nHost: opora\r\n"
INNER = "GET /api/registry/v1/smuggled HTTP/1.1\r\nHost: opora\r\n\r\n"
CHUNKED = f"0\r\n\r\n{INNER}"

REFUSED = {
    "CL.TE": f"{HEAD}Content-Length: {len(CHUNKED)}\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKED}",
    "TE.CL": f"{HEAD}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{len(INNER):x}\r\n{INNER}\r\n0\r\n\r\n",
    "two lengths": f"{HEAD}Content-Length: 0\r\nContent-Length: {len(INNER)}\r\n\r\n{INNER}",
    "the same length twice": f"{HEAD}Content-Length: 0\r\nContent-Length: 0\r\n\r\n{INNER}",
    "a list of lengths": f"{HEAD}Content-Length: 0, {len(INNER)}\r\n\r\n{INNER}",
    "a signed length": f"{HEAD}Content-Length: +0\r\n\r\n{INNER}",
    "a negative length": f"{HEAD}Content-Length: -1\r\n\r\n{INNER}",
    "a hexadecimal length": f"{HEAD}Content-Length: 0x0\r\n\r\n{INNER}",
    "an endless length": f"{HEAD}Content-Length: 99999999999999999999999\r\n\r\n{INNER}",
    "an unknown coding": f"{HEAD}Transfer-Encoding: xchunked\r\n\r\n{CHUNKED}",
    "chunked is not the last": f"{HEAD}Transfer-Encoding: chunked, identity\r\n\r\n{CHUNKED}",
    "a space before the colon": f"{HEAD}Transfer-Encoding : chunked\r\n\r\n{CHUNKED}",
    "a space in a name": f"{HEAD}Content Length: 0\r\n\r\n{INNER}",
    "a folded header": f"{HEAD}X-Folded: one\r\n Content-Length: 50\r\n\r\n{INNER}",
    "a folded coding": f"{HEAD}Transfer-Encoding:\r\n chunked\r\n\r\n{CHUNKED}",
    "NUL in a value": f"{HEAD}X-Null: a\0b\r\n\r\n{INNER}",
    "a bare CR in a value": f"{HEAD}X-Return: a\rContent-Length: 50\r\n\r\n{INNER}",
    "a hexadecimal prefix of a chunk": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n{INNER}",
    "a chunk of any size": f"{HEAD}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff1\r\n{INNER}",
    "a signed chunk": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n-1\r\n{INNER}",
    "a chunk longer than said": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n{CHUNKED}",
    "an old version": f"GET /api/registry/v1/first\r\n\r\n{INNER}",
    "no version we know": f"GET /api/registry/v1/first HTTP/9.9\r\nHost: o\r\n\r\n{INNER}",
    "the preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


def _started(program, *arguments):
    process = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)], cwd=REPOSITORY
    )
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", arguments[0]), timeout=1).close()
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return process


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def doors():
    """The ports of the gateway and of the service behind it."""
    service, gateway = _free_port(), _free_port()
    processes = [_started(SERVICE, service), _started(GATEWAY, gateway, service)]
    yield {"gateway": gateway, "direct": service}
    for process in processes:
        process.kill()
        process.wait()


@contextlib.contextmanager
def connected(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        yield connection


def everything(connection):
    """Read until the other side closes, or stays silent for a while."""
    answer = b""
    connection.settimeout(1.5)
    with contextlib.suppress(TimeoutError, ConnectionError):
        while received := connection.recv(65536):
            answer += received
        return answer, True
    return answer, False


def ask(port, path="/api/registry/v1/own"):
    with connected(port) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: o\r\nConnection: close\r\n\r\n".encode())
        answer, _ = everything(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), answer
    return json.loads(body)


@pytest.mark.parametrize("door", ["gateway", "direct"])
@pytest.mark.parametrize("attack", REFUSED)
def test_an_ambiguous_request_is_refused_and_its_connection_closed(doors, door, attack):
    ask(doors["direct"], "/api/registry/v1/seen")

    with connected(doors[door]) as connection:
        connection.sendall(REFUSED[attack].encode("latin-1"))
        answer, is_closed = everything(connection)

    assert "/api/registry/v1/smuggled" not in ask(doors["direct"], "/api/registry/v1/seen")["seen"]
    assert answer.startswith(b"HTTP/1.1 4"), answer
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    assert is_closed


@pytest.mark.parametrize("door", ["gateway", "direct"])
def test_the_control_a_second_request_that_is_nobodys_trick_is_answered(doors, door):
    ask(doors["direct"], "/api/registry/v1/seen")
    sound = f"{HEAD}Content-Length: 5\r\n\r\nhello{INNER}"

    with connected(doors[door]) as connection:
        connection.sendall(sound.encode())
        answer, _ = everything(connection)

    assert answer.count(b"HTTP/1.1 200") == 2
    assert ask(doors["direct"], "/api/registry/v1/seen")["seen"] == [
        "/api/registry/v1/first",
        "/api/registry/v1/smuggled",
    ]


@pytest.mark.parametrize("door", ["gateway", "direct"])
@pytest.mark.parametrize("upgrade", ["h2c", "websocket", "TLS/1.0"])
def test_nobody_is_upgraded_past_the_rules(doors, door, upgrade):
    ask(doors["direct"], "/api/registry/v1/seen")
    request = (
        "GET /api/registry/v1/first HTTP/1.1\r\nHost: o\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        f"Upgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
    )

    with connected(doors[door]) as connection:
        connection.sendall((request + INNER).encode())
        answer, _ = everything(connection)

    assert b" 101 " not in answer
    assert b"/api/registry/v1/smuggled" not in answer.partition(b"\r\n\r\n")[0]


def test_a_body_that_drips_is_given_up_though_it_never_stops(doors):
    with connected(doors["gateway"]) as connection:
        connection.sendall(f"{HEAD}Content-Length: 100000\r\n\r\n".encode())
        started = time.monotonic()
        connection.settimeout(0.1)
        answer = b""
        while not answer and time.monotonic() - started < 10:
            connection.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - started < 6


def test_a_slow_body_above_the_least_rate_is_taken(doors):
    with connected(doors["gateway"]) as connection:
        connection.sendall(f"{HEAD}Content-Length: 20000\r\n\r\n".encode())
        for _ in range(10):
            connection.sendall(b"x" * 2000)
            time.sleep(0.3)
        answer, _ = everything(connection)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"size": 20000' in answer


def test_a_thousand_idle_connections_leave_room_for_others(doors):
    with contextlib.ExitStack() as crowd:
        for number in range(1000):
            idle = crowd.enter_context(connected(doors["gateway"]))
            if number % 2:
                idle.sendall(b"GET /api/registry/v1/x HTTP/1.1\r\nHost: op")
        started = time.monotonic()
        answers = [ask(doors["gateway"]) for _ in range(20)]
        took = time.monotonic() - started

    assert len(answers) == 20
    assert took < 5
