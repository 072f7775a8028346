"""What every answer carries and how it travels: careful headers, CORS, compression."""

import asyncio
import csv
import gzip
import io
import json
import time
import zlib

import httpx
import pytest

from gateway.app import SERVICE, application
from gateway.compression import Compression, accepts_gzip
from tests.gateway.test_app import settings
from tests.gateway.test_limits import OFF
from tests.support.callers import bearer, region_user
from tests.support.serving import served

APP = "https://app.opora.example"
CALLER = region_user(region_id=1, user_id=601)
SCHOOL = "/api/registry/v1/schools/11"


@pytest.fixture(scope="module")
async def base(databases, registry):
    async with databases.fresh(SERVICE) as urls:
        app = application(
            settings(
                urls.app,
                registry_url=registry[1],
                training_url="http://127.0.0.1:9",
                allowed_origins=[APP],
                caller_per_second=0.001,
                caller_burst=1,
                **{name: 0 for name in OFF if name != "caller_per_second"},
            )
        )
        async with served(app, lifespan="on") as url:
            yield url


@pytest.fixture
async def client(base):
    async with httpx.AsyncClient(base_url=base) as client:
        yield client


async def every_kind_of_answer(client, **headers):
    """Yield answers that are given in different places of the gateway."""
    limited = region_user(region_id=1, user_id=602)
    for method, path, token in [
        ("GET", "/api/auth/jwks", None),
        ("GET", "/api/nowhere", None),
        ("PATCH", "/api/auth/jwks", None),
        ("POST", "/api/auth/token", None),
        ("GET", SCHOOL, CALLER),
        ("GET", SCHOOL, "forged"),
        ("GET", "/api/training/v1/courses", limited),
        ("GET", "/api/training/v1/courses", limited),
        ("GET", "/health/ready", None),
    ]:
        yield await client.request(method, path, headers=bearer(token) | headers)


async def test_every_answer_carries_the_careful_headers_once(client):
    statuses = []
    async for answer in every_kind_of_answer(client):
        statuses.append(answer.status_code)
        for name, value in {
            "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "strict-transport-security": "max-age=31536000",
            "cross-origin-resource-policy": "same-origin",
        }.items():
            assert answer.headers.get_list(name) == [value], (answer.url, name)
        assert len(answer.headers.get_list("cache-control")) == 1
        assert len(answer.headers.get_list("x-request-id")) == 1

    # One of each place: own, unknown, verb, input, passed on or limited, token, neighbour, rate.
    assert statuses[:4] == [200, 404, 405, 400]
    assert statuses[5:8] == [401, 503, 429]


async def test_a_web_app_of_an_allowed_origin_reads_refusals_too(client):
    async for answer in every_kind_of_answer(client, Origin=APP):
        assert answer.headers["access-control-allow-origin"] == APP, answer.url
        assert "origin" in answer.headers["vary"].lower()
        exposed = answer.headers["access-control-expose-headers"].lower().split(", ")
        assert {"etag", "location", "link", "retry-after", "x-request-id", "ratelimit"} <= {
            *exposed
        }
        # Tokens travel in a header that the app sets: no cookie ever does.
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://app.opora.example", f"{APP}.evil.example", "null"]
)
async def test_other_origins_are_told_nothing(client, origin):
    answer = await client.get("/api/auth/jwks", headers={"Origin": origin})
    preflight = await client.options(
        SCHOOL, headers={"Origin": origin, "Access-Control-Request-Method": "GET"}
    )

    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-origin" not in preflight.headers
    assert preflight.status_code == 400


async def test_a_browser_may_ask_first_without_a_token_and_uncounted(client):
    asked = {
        "Origin": APP,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,content-type,if-match,idempotency-key",
    }

    answers = [await client.options(SCHOOL, headers=asked) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200] * 5
    assert answers[0].headers["access-control-allow-origin"] == APP
    assert "PATCH" in answers[0].headers["access-control-allow-methods"]
    assert "ratelimit" not in answers[0].headers


async def test_without_allowed_origins_no_origin_is_allowed(databases):
    async with databases.fresh(SERVICE) as urls:
        app = application(settings(urls.app))
        async with served(app, lifespan="on") as url, httpx.AsyncClient(base_url=url) as client:
            answer = await client.get("/api/auth/jwks", headers={"Origin": APP})

    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        (b"gzip", True),
        (b"br, gzip;q=0.5", True),
        (b"GZIP", True),
        (b"*", True),
        (b"gzip;q=0", False),
        (b"*;q=0, gzip", True),
        (b"*, gzip; q=0", False),
        (b"identity", False),
        (b"", False),
        (b"gzip;q=nonsense", False),
    ],
)
def test_what_a_client_accepts_is_read_as_the_rfc_says(header, accepted):
    assert accepts_gzip(header) is accepted


BIG = json.dumps([{"name": f"Школа № {number}"} for number in range(500)]).encode()


def answering(body, *, status=200, pieces=1, pause=0.0, **headers):
    """Return an application that answers with this body."""
    given = {"content-type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    if pieces == 1:
        given.setdefault("content-length", str(len(body)))

    async def app(scope, receive, send):
        raw = [(name.encode(), value.encode()) for name, value in given.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        step = max(1, len(body) // pieces)
        parts = [body[begin : begin + step] for begin in range(0, len(body), step)] or [b""]
        for number, part in enumerate(parts, start=1):
            await send(
                {"type": "http.response.body", "body": part, "more_body": number < len(parts)}
            )
            await asyncio.sleep(pause)

    return app


async def asked(app, *, method="GET", path="/api/registry/v1/schools", accepted="gzip"):
    async with (
        served(Compression(app), lifespan="off") as url,
        httpx.AsyncClient(base_url=url, headers={"Accept-Encoding": accepted}) as client,
        client.stream(method, path) as answer,
    ):
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    return answer, raw


@pytest.mark.parametrize("pieces", [1, 7, 500])
async def test_a_text_is_compressed_and_comes_out_as_it_was(pieces):
    answer, raw = await asked(answering(BIG, pieces=pieces))

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "content-length" not in answer.headers
    assert gzip.decompress(raw) == BIG
    if pieces < 100:
        assert len(raw) < len(BIG) / 3


async def test_a_large_csv_is_compressed_without_holding_others_up():
    rows = io.StringIO()
    csv.writer(rows).writerows([number, f"Школа № {number}"] for number in range(200_000))
    body = rows.getvalue().encode()
    worst = 0.0

    async def watch():
        nonlocal worst
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, time.perf_counter() - before)

    async def taken(message):
        packed.append(message.get("body", b""))

    packed = []
    scope = {
        "type": "http",
        "method": "GET",
        "raw_path": b"/api/registry/v1/schools",
        "headers": [(b"accept-encoding", b"gzip")],
    }
    watching = asyncio.create_task(watch())
    started = time.perf_counter()
    await Compression(answering(body, content_type="text/csv"))(scope, None, taken)
    took = time.perf_counter() - started
    watching.cancel()

    assert zlib.decompress(b"".join(packed), 31) == body
    # In one go on the loop the longest wait would be all of it.
    assert worst < took / 2


@pytest.mark.parametrize(
    ("why", "app"),
    [
        ("small", answering(BIG[:1000])),
        ("strong tag", answering(BIG, etag='"3"')),
        ("encoded", answering(BIG, content_encoding="br")),
        ("packed", answering(BIG, content_type="application/zip")),
        (
            "workbook",
            answering(
                BIG,
                content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            ),
        ),
        ("part", answering(BIG, status=206, content_range="bytes 0-1/2")),
        ("forbidden", answering(BIG, cache_control="no-transform")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_must_not_be_compressed_passes_byte_for_byte(why, app):
    answer, raw = await asked(app)

    assert answer.headers.get("content-encoding") != "gzip"
    assert raw in (BIG, BIG[:1000])


async def test_a_weak_tag_does_not_forbid_compression():
    answer, raw = await asked(answering(BIG, etag='W/"3"'))

    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == BIG


async def test_tokens_and_unasked_clients_get_plain_answers():
    token, raw_token = await asked(answering(BIG), path="/api/auth/token")
    plain, raw_plain = await asked(answering(BIG), accepted="identity")
    head, raw_head = await asked(answering(BIG), method="HEAD")

    assert "content-encoding" not in token.headers
    assert raw_token == raw_plain == BIG
    # A cache must not give the plain answer to whoever asks for gzip, or the other way round.
    assert plain.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in head.headers
    assert raw_head == b""


async def test_parts_of_a_compressed_stream_arrive_when_they_are_sent():
    app = answering(b"".join(b"%07d\n" % number for number in range(400)), pieces=2, pause=0.4)
    async with (
        served(Compression(app), lifespan="off") as url,
        httpx.AsyncClient(base_url=url, headers={"Accept-Encoding": "gzip"}) as client,
        client.stream("GET", "/api/registry/v1/schools") as answer,
    ):
        unpacked = zlib.decompressobj(31)
        arrivals = [
            (len(unpacked.decompress(chunk)), time.monotonic())
            async for chunk in answer.aiter_raw()
        ]

    whole = [arrival for arrival in arrivals if arrival[0]]
    assert [size for size, _ in whole] == [1600, 1600]
    assert whole[1][1] - whole[0][1] > 0.3
