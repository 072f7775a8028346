"""The forwarder in front of a real server, over real sockets."""

# ruff: noqa: ARG002  the upstream's acts share one ASGI signature and each uses what it needs

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil
import pytest

from gateway.forwarding import Forwarder, Limits
from tests.support.serving import served

MIB = 1024**2


@dataclass
class Upstream:
    """A service that does what the path says and remembers what reached it."""

    seen: list[dict[str, Any]] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    bodies_completed: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append(scope)
        act = scope["path"].rsplit("/", 1)[-1]
        await getattr(self, f"_{act}", self._echo)(scope, receive, send)

    async def _echo(self, scope: Any, receive: Any, send: Any) -> None:
        digest, size = await self._read(receive)
        answer = json.dumps({"size": size, "sha256": digest}).encode()
        await _answer(send, 200, answer, [(b"content-type", b"application/json")])

    async def _read(self, receive: Any) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left.set()
                raise ConnectionAbortedError
            digest.update(message["body"])
            size += len(message["body"])
            if not message["more_body"]:
                self.bodies_completed += 1
                return digest.hexdigest(), size

    async def _download(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(128):
            await send({"type": "http.response.body", "body": b"x" * MIB, "more_body": True})
        await send({"type": "http.response.body"})

    async def _compressed(self, scope: Any, receive: Any, send: Any) -> None:
        await _answer(send, 200, b"\x1f\x8b not gzip at all", [(b"content-encoding", b"gzip")])

    async def _redirect(self, scope: Any, receive: Any, send: Any) -> None:
        await _answer(send, 307, b"", [(b"location", b"/api/registry/v1/elsewhere")])

    async def _nothing(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def _silent(self, scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()

    async def _endless(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        leaving = asyncio.create_task(self._silent(scope, receive, send))
        while not leaving.done():
            await send({"type": "http.response.body", "body": b"x" * 1024, "more_body": True})
            await asyncio.sleep(0.01)

    async def _early(self, scope: Any, receive: Any, send: Any) -> None:
        await _answer(send, 409, b'{"code":"early"}', [])

    async def _cut(self, scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"x" * 40, "more_body": True})
        await asyncio.sleep(0.05)

    async def _cutchunked(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 40, "more_body": True})
        await asyncio.sleep(0.05)

    async def _stream(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for part in (b"one", b"two"):
            await send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.sleep(0.3)
        await send({"type": "http.response.body"})


async def _answer(send: Any, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def own(scope: Any, receive: Any, send: Any) -> None:
    """The gateway's own application: here it says only that it was asked."""
    if scope["type"] == "http":
        await _answer(send, 418, b"own", [])


LIMITS = Limits(
    body_bytes=MIB,
    upload_bytes=64 * MIB,
    connect_seconds=0.5,
    answer_seconds=1.0,
    body_idle_seconds=0.7,
)


@pytest.fixture(scope="module")
async def service_and_gate() -> AsyncIterator[tuple[Upstream, str]]:
    upstream = Upstream()
    async with served(upstream, lifespan="off") as service:
        # 192.0.2.1 is nobody's (RFC 5737): a connection there is never answered.
        urls = {
            "registry": service,
            "indicators": service,
            "monitoring": "http://127.0.0.1:9",
            "training": "http://192.0.2.1:80",
        }
        forwarder = Forwarder(own, urls, LIMITS)
        async with served(forwarder, lifespan="off") as base:
            yield upstream, base
        await forwarder.close()


@pytest.fixture
def upstream(service_and_gate) -> Upstream:
    upstream = service_and_gate[0]
    upstream.__init__()
    return upstream


@pytest.fixture
def gate(service_and_gate, upstream) -> str:
    return service_and_gate[1]


@pytest.fixture
async def client(gate: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=gate, timeout=20) as client:
        yield client


def header(scope: dict[str, Any], name: bytes) -> list[bytes]:
    return [value for key, value in scope["headers"] if key == name]


@pytest.mark.parametrize(
    "target",
    [
        b"/api/registry/v1/schools?q=%D0%B0&x=a+b&x=%2B",
        b"/api/registry//v1/a%2Fb/../c;d=1/",
        b"/api/registry/v1/%e2%82%ac",
    ],
)
async def test_the_path_and_query_arrive_as_they_were_sent(gate, upstream, target):
    await raw_request(gate, b"GET " + target + b" HTTP/1.1\r\nHost: opora\r\n\r\n")

    (scope,) = upstream.seen
    path, _, query = target.partition(b"?")
    assert scope["raw_path"] == path
    assert scope["query_string"] == query


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/auth/jwks",
        "/api/registry",
        "//api/registry/v1",
        "/api/%72egistry/v1",
        "/API/registry/v1",
    ],
)
async def test_other_paths_are_the_gateways_own(gate, upstream, path):
    answer = await raw_request(gate, f"GET {path} HTTP/1.1\r\nHost: o\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 418 ")
    assert upstream.seen == []


async def test_headers_of_this_hop_and_claims_about_the_client_do_not_travel(client, upstream):
    await client.get(
        "/api/registry/v1/x",
        headers={
            "Authorization": "Bearer abc",
            "Connection": "keep-alive, X-Secret-Hop",
            "X-Secret-Hop": "1",
            "TE": "trailers",
            "X-Forwarded-For": "10.0.0.1",
            "Forwarded": "for=10.0.0.1",
            "If-Match": '"3"',
        },
    )

    (scope,) = upstream.seen
    for name in (b"x-secret-hop", b"te", b"x-forwarded-for", b"forwarded"):
        assert header(scope, name) == []
    assert header(scope, b"authorization") == [b"Bearer abc"]
    assert header(scope, b"if-match") == [b'"3"']
    assert header(scope, b"user-agent") == [f"python-httpx/{httpx.__version__}".encode()]


async def test_a_request_id_travels_and_a_malformed_one_is_replaced(client, upstream):
    good = await client.get("/api/registry/v1/x", headers={"X-Request-Id": "abcdef-123456"})
    bad = await client.get("/api/registry/v1/x", headers={"X-Request-Id": "a b\\n{}"})

    assert header(upstream.seen[0], b"x-request-id") == [b"abcdef-123456"]
    assert good.headers["x-request-id"] == "abcdef-123456"
    (replaced,) = header(upstream.seen[1], b"x-request-id")
    assert replaced.isalnum()
    assert bad.headers["x-request-id"] == replaced.decode()


async def test_two_authorization_headers_are_refused(client, upstream):
    answer = await client.get(
        "/api/registry/v1/x",
        headers=[("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
    )

    assert answer.status_code == 400
    assert answer.json()["code"] == "ambiguous-authorization"
    assert upstream.seen == []


async def test_compressed_bytes_pass_untouched(client):
    async with client.stream("GET", "/api/registry/v1/compressed") as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])

    assert raw == b"\x1f\x8b not gzip at all"
    assert answer.headers["content-encoding"] == "gzip"


async def test_a_redirect_is_the_clients_to_follow(client, upstream):
    answer = await client.get("/api/registry/v1/redirect")

    assert (answer.status_code, answer.headers["location"]) == (307, "/api/registry/v1/elsewhere")
    assert len(upstream.seen) == 1


async def test_answers_without_a_body_pass(client):
    assert (await client.get("/api/registry/v1/nothing")).status_code == 204
    head = await client.head("/api/registry/v1/x")
    assert head.status_code == 200
    assert head.content == b""


async def test_each_answer_has_one_date_and_one_server(client):
    answer = await client.get("/api/registry/v1/x")

    assert len(answer.headers.get_list("date")) == 1
    assert len(answer.headers.get_list("server")) == 1


async def test_parts_of_an_answer_arrive_when_they_are_sent(client):
    async with client.stream("GET", "/api/registry/v1/stream") as answer:
        arrivals = [(part, time.monotonic()) async for part in answer.aiter_raw()]

    assert [part for part, _ in arrivals] == [b"one", b"two"]
    assert arrivals[1][1] - arrivals[0][1] > 0.2


@pytest.mark.parametrize("declared", [True, False], ids=["content-length", "chunked"])
async def test_an_upload_streams_through_in_constant_memory(client, declared):
    size, piece = 60 * MIB, b"0123456789abcdef" * 4096
    expected = hashlib.sha256()
    process = psutil.Process()
    await client.post("/api/indicators/v1/imports/1/echo", content=b"warm")
    before = process.memory_info().rss
    peak = before

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal peak
        for _ in range(size // len(piece)):
            expected.update(piece)
            peak = max(peak, process.memory_info().rss)
            yield piece

    headers = {"Content-Length": str(size)} if declared else {}
    answer = await client.post(
        "/api/indicators/v1/imports/1/echo",
        content=pieces(),
        headers=headers,
    )

    assert answer.json() == {"size": size, "sha256": expected.hexdigest()}
    # Client, gateway and service share this process; none of them may hold the file.
    assert peak - before < 10 * MIB


async def test_a_download_streams_through_in_constant_memory(client):
    process = psutil.Process()
    before = process.memory_info().rss
    peak, size = before, 0

    async with client.stream("GET", "/api/registry/v1/download") as answer:
        async for part in answer.aiter_raw():
            size += len(part)
            peak = max(peak, process.memory_info().rss)

    assert size == 128 * MIB
    assert peak - before < 20 * MIB


async def test_a_declared_length_over_the_limit_is_refused_before_it_is_sent(gate, upstream):
    head = b"POST /api/registry/v1/x HTTP/1.1\r\nHost: o\r\nContent-Length: 2000000000\r\n\r\n"

    started = time.monotonic()
    answer = await raw_request(gate, head)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"body-too-large"' in answer
    assert b"connection: close" in answer.lower()
    assert time.monotonic() - started < 2
    assert upstream.seen == []


async def test_a_chunked_body_over_the_limit_is_refused_while_it_streams(client, upstream):
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(8 * 16):
            yield b"x" * 65536

    answer = await client.post("/api/registry/v1/x", content=pieces())

    assert answer.status_code == 413
    assert answer.json()["limit_bytes"] == MIB
    assert upstream.bodies_completed == 0


async def test_an_endless_body_is_cut_soon_after_the_limit(gate, upstream):
    host, port = gate.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    process = psutil.Process()
    before = process.memory_info().rss
    peak, started = before, time.monotonic()

    writer.write(
        b"POST /api/registry/v1/x HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    answer = asyncio.create_task(reader.readuntil(b"}"))
    with pytest.raises(ConnectionError):  # noqa: PT012  it may be any of the writes
        while True:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()
            peak = max(peak, process.memory_info().rss)

    assert (await answer).startswith(b"HTTP/1.1 413 ")
    assert time.monotonic() - started < 3
    assert peak - before < 10 * MIB
    assert upstream.bodies_completed == 0


async def test_a_body_cut_by_the_client_never_looks_whole_to_the_service(gate, upstream):
    host, port = gate.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /api/registry/v1/x HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n",
    )
    await asyncio.sleep(0.2)

    writer.close()
    await writer.wait_closed()
    await asyncio.wait_for(upstream.left.wait(), 2)

    assert upstream.bodies_completed == 0


async def test_a_body_that_stalls_is_given_up(gate, upstream):
    answer = await raw_request(
        gate,
        b"POST /api/registry/v1/x HTTP/1.1\r\nHost: o\r\nContent-Length: 10\r\n\r\nhello",
    )

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"body-stalled" in answer
    assert upstream.bodies_completed == 0


async def test_an_early_refusal_of_the_service_reaches_a_client_that_still_sends(client):
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            await asyncio.sleep(0.02)
            yield b"x" * 65536

    answer = await client.post("/api/indicators/v1/imports/1/early", content=pieces())
    after = await client.get("/api/indicators/v1/x")

    assert answer.status_code == 409
    assert answer.json() == {"code": "early"}
    assert after.status_code == 200


async def test_a_client_that_leaves_cancels_its_request(gate, upstream):
    host, port = gate.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /api/registry/v1/silent HTTP/1.1\r\nHost: o\r\n\r\n")
    await asyncio.sleep(0.4)
    assert not upstream.left.is_set()

    writer.close()
    await writer.wait_closed()

    await asyncio.wait_for(upstream.left.wait(), 0.5)


async def test_a_client_that_leaves_in_the_middle_of_an_answer_ends_it(gate, upstream):
    host, port = gate.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /api/registry/v1/endless HTTP/1.1\r\nHost: o\r\n\r\n")
    await reader.readuntil(b"xxx")

    writer.close()

    await asyncio.wait_for(upstream.left.wait(), 1)


async def test_a_client_that_waits_for_leave_to_send_gets_it(gate):
    host, port = gate.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /api/registry/v1/x HTTP/1.1\r\nHost: o\r\nContent-Length: 5\r\n"
        b"Expect: 100-continue\r\n\r\n"
    )

    leave = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 1)
    writer.write(b"hello")
    answer = await asyncio.wait_for(reader.readuntil(b"}"), 1)
    writer.close()

    assert leave.startswith(b"HTTP/1.1 100 ")
    assert b'"size": 5' in answer


async def test_a_compressed_body_passes_untouched(client):
    content = b"\x1f\x8b not gzip at all"

    answer = await client.post(
        "/api/registry/v1/x", content=content, headers={"Content-Encoding": "gzip"}
    )

    assert answer.json()["sha256"] == hashlib.sha256(content).hexdigest()


async def test_a_read_survives_a_service_that_closes_its_idle_connections():
    connections = 0

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await reader.read(1)  # the next request arrives while the service is closing
        writer.close()

    server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    forwarder = Forwarder(own, {"registry": f"http://127.0.0.1:{port}"}, LIMITS)
    async with (
        server,
        served(forwarder, lifespan="off") as base,
        httpx.AsyncClient(base_url=base) as client,
    ):
        answers = [await client.get("/api/registry/v1/x") for _ in range(3)]
        await forwarder.close()

    assert [answer.text for answer in answers] == ["ok"] * 3
    assert connections == 3


@pytest.mark.parametrize("service", ["monitoring", "training"], ids=["refuses", "never-answers"])
async def test_an_unreachable_service_is_told_within_two_seconds(client, service):
    started = time.monotonic()
    answer = await client.get(f"/api/{service}/v1/x")

    assert time.monotonic() - started < 2
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "2"
    problem = answer.json()
    assert problem["code"] == "service-unavailable"
    assert problem["service"] == service
    assert problem["request_id"] == answer.headers["x-request-id"]


async def test_a_silent_service_is_a_time_out(client):
    answer = await client.get("/api/registry/v1/silent")

    assert answer.status_code == 504
    assert answer.json()["code"] == "service-timed-out"


@pytest.mark.parametrize("path", ["cut", "cutchunked"])
async def test_half_an_answer_does_not_pass_for_a_whole_one(client, path):
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get(f"/api/registry/v1/{path}")


async def test_a_service_that_hangs_up_is_a_bad_gateway():
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    forwarder = Forwarder(own, {"registry": f"http://127.0.0.1:{port}"}, LIMITS)
    async with (
        server,
        served(forwarder, lifespan="off") as base,
        httpx.AsyncClient(base_url=base) as client,
    ):
        answer = await client.post("/api/registry/v1/x", json={})
    await forwarder.close()

    assert answer.status_code == 502
    assert answer.json()["code"] == "service-broke-off"


async def test_a_slow_service_does_not_block_the_others(gate):
    urls_busy = [f"{gate}/api/registry/v1/silent"] * 50
    async with httpx.AsyncClient(timeout=5, limits=httpx.Limits(max_connections=100)) as client:
        busy = [asyncio.create_task(client.get(url)) for url in urls_busy]
        await asyncio.sleep(0.1)
        started = time.monotonic()
        answer = await client.get(f"{gate}/api/indicators/v1/x")
        elapsed = time.monotonic() - started
        await asyncio.gather(*busy)

    assert answer.status_code == 200
    assert elapsed < 0.3


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"Content-Length: +4\r\n\r\nabcd",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Content-Length : 4\r\n\r\nabcd",
        b"X-A: 1\r\n Content-Length: 4\r\n\r\nabcd",
    ],
)
async def test_ambiguous_framing_is_refused_and_the_connection_closed(gate, upstream, framing):
    smuggled = b"GET /api/registry/v1/smuggled HTTP/1.1\r\nHost: o\r\n\r\n"

    answer = await raw_request(
        gate,
        b"POST /api/registry/v1/x HTTP/1.1\r\nHost: o\r\n" + framing + smuggled,
    )

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert upstream.seen == []


async def raw_request(gate: str, request: bytes) -> bytes:
    """Send bytes, return everything that comes until the gateway closes or is silent for 0.2 s."""
    host, port = gate.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    answer = b""
    try:
        async with asyncio.timeout(3):
            while chunk := await asyncio.wait_for(reader.read(65536), 0.2 if answer else 3):
                answer += chunk
    except TimeoutError:
        pass
    finally:
        writer.close()
        await writer.wait_closed()
    return answer
