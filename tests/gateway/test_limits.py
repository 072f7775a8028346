"""Rates that hold over several processes of the gateway, with PostgreSQL and without."""

import asyncio
import math
import time
from contextlib import AsyncExitStack

import asyncpg
import httpx
import pytest

from gateway.app import SERVICE, application
from gateway.limits.buckets import Buckets, Rate
from gateway.limits.exchange import exchange, forget_old_levels
from services.kit.database import open_database
from tests.gateway.test_app import settings
from tests.support.callers import bearer, machine, region_user
from tests.support.running import problem
from tests.support.serving import served

OFF = {
    "caller_per_second": 0,
    "machine_per_second": 0,
    "source_per_second": 0,
    "sign_in_per_second": 0,
}
ANSWERED = "/api/auth/jwks"
CALLER = region_user(region_id=1, user_id=501)


def plain(url):
    return url.replace("+asyncpg", "")


@pytest.fixture
async def gateways(databases, registry):
    """Start so many gateway processes' worth of applications on one database."""
    async with AsyncExitStack() as stack:
        urls = await stack.enter_async_context(databases.fresh(SERVICE))

        async def start(count, **values):
            clients = []
            for _ in range(count):
                app = application(
                    settings(urls.app, **(OFF | {"registry_url": registry[1]} | values))
                )
                base = await stack.enter_async_context(
                    served(app, lifespan="on", proxy_headers=False)
                )
                clients.append(await stack.enter_async_context(httpx.AsyncClient(base_url=base)))
            start.urls = urls
            return clients

        yield start


async def flood(client, seconds, *, token=CALLER, path=ANSWERED, at_once=8, method="GET"):
    """Ask as fast as possible; return the statuses."""
    statuses = []
    end = time.monotonic() + seconds

    async def ask():
        while time.monotonic() < end:
            answer = await client.request(method, path, headers=bearer(token))
            statuses.append(answer.status_code)

    await asyncio.gather(*(ask() for _ in range(at_once)))
    return statuses


async def test_over_the_rate_is_told_429_with_what_to_do(gateways):
    (gateway,) = await gateways(1, caller_per_second=0.5, caller_burst=3)

    answers = [await gateway.get(ANSWERED, headers=bearer(CALLER)) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit-policy"] for answer in answers] == ['"caller";q=3;w=6'] * 4
    left = [answer.headers["ratelimit"].split(";")[1] for answer in answers]
    assert left == ["r=2", "r=1", "r=0", "r=0"]
    told = problem(answers[3], 429, "too-many-requests")
    assert int(answers[3].headers["retry-after"]) == told["retry_after_seconds"] == 2
    assert told["hint"]
    assert told["request_id"] == answers[3].headers["x-request-id"]


async def test_whoever_waits_as_told_is_let_in_again(gateways):
    (gateway,) = await gateways(1, caller_per_second=2, caller_burst=1)
    await gateway.get(ANSWERED, headers=bearer(CALLER))
    refused = await gateway.get(ANSWERED, headers=bearer(CALLER))

    await asyncio.sleep(int(refused.headers["retry-after"]))

    assert (await gateway.get(ANSWERED, headers=bearer(CALLER))).status_code == 200


async def test_each_caller_has_a_rate_of_its_own_and_machines_theirs(gateways):
    (gateway,) = await gateways(
        1, caller_per_second=0.1, caller_burst=1, machine_per_second=0.1, machine_burst=2
    )
    client = machine(scopes=[], region_id=1)
    other = region_user(region_id=1, user_id=502)

    async def statuses(token, count):
        return [
            (await gateway.get(ANSWERED, headers=bearer(token))).status_code for _ in range(count)
        ]

    assert await statuses(CALLER, 2) == [200, 429]
    assert await statuses(other, 2) == [200, 429]
    assert await statuses(client, 3) == [200, 200, 429]


async def test_without_a_valid_token_the_address_counts_whatever_it_sends(gateways):
    (gateway,) = await gateways(1, source_per_second=0.1, source_burst=3)
    path = "/api/registry/v1/schools/11"

    answers = [
        await gateway.get(ANSWERED),
        await gateway.get(path, headers=bearer("forged")),
        await gateway.get(path, headers=bearer(f"{CALLER}x")),
        await gateway.get(path, headers=bearer("another")),
        await gateway.get(path, headers=bearer(CALLER)),
    ]

    assert [answer.status_code for answer in answers] == [200, 401, 401, 429, 200]
    problem(answers[1], 401, "unauthorized")
    assert "www-authenticate" in answers[1].headers
    assert answers[3].headers["connection"] == "close"


async def test_guessing_secrets_is_slower_than_asking(gateways):
    (gateway,) = await gateways(
        1, sign_in_per_second=0.1, sign_in_burst=2, source_per_second=100, source_burst=100
    )
    guess = {"grant_type": "password", "login": "nobody", "password": "guess"}

    answers = [await gateway.post("/api/auth/token", json=guess) for _ in range(3)]
    asked = await gateway.get(ANSWERED)
    # A token of one's own does not buy guesses at the secrets of others.
    with_token = await gateway.post("/api/auth/token", json=guess, headers=bearer(CALLER))

    assert [answer.status_code for answer in answers][2] == 429
    assert 429 not in [answer.status_code for answer in answers[:2]]
    assert asked.status_code == 200
    assert with_token.status_code == 429


async def test_forged_forwarding_buys_nothing_and_our_proxy_tells_sources_apart(gateways):
    (direct,) = await gateways(1, source_per_second=0.1, source_burst=1)
    (proxied,) = await gateways(
        1, source_per_second=0.1, source_burst=1, trusted_proxies=["127.0.0.0/8"]
    )

    async def statuses(client):
        return [
            (await client.get(ANSWERED, headers={"X-Forwarded-For": one})).status_code
            for one in ("192.0.2.1", "192.0.2.2", "192.0.2.2")
        ]

    assert await statuses(direct) == [200, 429, 429]
    assert await statuses(proxied) == [200, 200, 429]


async def test_health_is_never_limited(gateways):
    (gateway,) = await gateways(1, source_per_second=0.1, source_burst=1)

    answers = [await gateway.get("/health/ready") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200] * 5


async def test_too_many_at_the_same_time_are_refused_and_the_rest_answered(gateways, registry):
    (gateway,) = await gateways(
        1,
        caller_per_second=1000,
        caller_burst=1000,
        requests_at_once=2,
        registry_url="http://192.0.2.1",
    )

    async def ask():
        return await gateway.get("/api/registry/v1/schools/11", headers=bearer(CALLER), timeout=10)

    # Nobody lives at that address: each request waits 1.5 s for a connection.
    answers = await asyncio.gather(*(ask() for _ in range(5)))
    after = await gateway.get(ANSWERED, headers=bearer(CALLER))

    assert sorted(answer.status_code for answer in answers) == [429, 429, 429, 503, 503]
    refused = next(answer for answer in answers if answer.status_code == 429)
    problem(refused, 429, "too-many-at-once")
    assert after.status_code == 200


async def test_three_gateways_together_keep_to_one_rate(gateways):
    rate, burst = 8, 16
    clients = await gateways(3, caller_per_second=rate, caller_burst=burst)

    began = time.monotonic()
    statuses = await asyncio.gather(*(flood(client, 4) for client in clients))
    allowed = burst + rate * (time.monotonic() - began)

    admitted = sum(one.count(200) for one in statuses)
    asked = sum(len(one) for one in statuses)
    assert asked > 1.5 * allowed, "the flood was too weak to tell anything"
    # Apart from each other they would let through three times as much.
    assert allowed * 0.7 <= admitted <= allowed * 1.3


async def test_without_the_database_each_gateway_holds_the_rate_by_itself(gateways):
    clients = await gateways(2, caller_per_second=2, caller_burst=6)
    admin = await asyncpg.connect(plain(gateways.urls.admin))
    owner = plain(gateways.urls.owner)
    name = owner.rsplit("/", 1)[1].split("?")[0]
    try:
        await admin.execute(f"REVOKE CONNECT ON DATABASE {name} FROM opora_gateway_app")
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = $1 AND pid <> pg_backend_pid()",
            name,
        )
        statuses = await asyncio.gather(*(flood(client, 2) for client in clients))
    finally:
        await admin.execute(f"GRANT CONNECT ON DATABASE {name} TO opora_gateway_app")
        await admin.close()

    for one in statuses:
        # Key sets are kept in memory: whoever is let through is answered 200 or told about the
        # database; nobody waits for the limiter.
        admitted = len(one) - one.count(429)
        assert 6 <= admitted <= 6 + 2 * 5
        assert one.count(429) > 0

    # And the levels are exchanged again once it is back.
    await asyncio.sleep(2.5)
    for client in clients:
        await client.get(ANSWERED, headers=bearer(CALLER))
    await asyncio.sleep(0.5)
    admin = await asyncpg.connect(plain(gateways.urls.admin))
    assert await admin.fetchval("SELECT count(*) FROM rate_level") == 1
    await admin.close()


@pytest.fixture
async def database(gateway):
    return gateway.database


RATE = Rate("caller", 10.0, 100)


async def test_a_bucket_learns_what_others_let_through(database):
    here, there = Buckets(b"secret"), Buckets(b"secret")
    for _ in range(60):
        assert here.spend(here.of(RATE, "user:1")) == 0
        assert there.spend(there.of(RATE, "user:1")) == 0

    await exchange(here, database)
    await exchange(there, database)

    # 120 of 100 were let through: the excess has to drain first.
    assert there.of(RATE, "user:1").level == pytest.approx(120, abs=3)
    assert there.spend(there.of(RATE, "user:1")) > 0
    assert here.spend(here.of(RATE, "user:1")) == 0
    assert there.of(RATE, "user:2").level == 0


async def test_neither_subjects_nor_addresses_are_in_the_table(database, gateway):
    buckets = Buckets(b"secret")
    buckets.spend(buckets.of(RATE, "198.51.100.77"))

    await exchange(buckets, database)

    admin = await asyncpg.connect(plain(gateway.urls.admin))
    (row,) = await admin.fetch("SELECT * FROM rate_level")
    assert await admin.fetchval("SELECT relpersistence FROM pg_class WHERE relname = 'rate_level'")
    await admin.close()
    assert b"198" not in row["key"]
    assert len(row["key"]) == 16
    assert row["key"] != Buckets(b"another").of(RATE, "198.51.100.77").key


async def test_levels_long_drained_are_forgotten(database, gateway):
    buckets = Buckets(b"secret")
    for who in ("old", "full", "new"):
        buckets.spend(buckets.of(RATE, who))
    await exchange(buckets, database)
    admin = await asyncpg.connect(plain(gateway.urls.admin))
    age = "UPDATE rate_level SET at = now() - interval '65 s', level = $2 WHERE key = $1"
    await admin.execute(age, buckets.of(RATE, "old").key, 10.0)
    await admin.execute(age, buckets.of(RATE, "full").key, 100.0)

    await forget_old_levels(database, gateway.settings)

    kept = {row["key"] for row in await admin.fetch("SELECT key FROM rate_level")}
    await admin.close()
    assert kept == {buckets.of(RATE, "full").key, buckets.of(RATE, "new").key}


async def test_what_could_not_be_told_is_told_later_up_to_one_full_bucket(database, gateway):
    buckets = Buckets(b"secret")
    broken = open_database(
        gateway.settings.model_copy(
            update={
                "database_url": type(gateway.settings.database_url)(
                    "postgresql+asyncpg://x@127.0.0.1:9/x"
                )
            }
        )
    )
    bucket = buckets.of(RATE, "user:1")
    for _ in range(100):
        buckets.spend(bucket)
    with pytest.raises(OSError):
        await exchange(buckets, broken)
    bucket.level = 0
    for _ in range(50):
        buckets.spend(bucket)
    with pytest.raises(OSError):
        await exchange(buckets, broken)
    assert bucket.unsent == 100

    await exchange(buckets, database)

    assert bucket.level == pytest.approx(100, abs=1)
    await broken.engine.dispose()


def test_judging_a_request_takes_microseconds():
    buckets = Buckets(b"secret")
    rate = Rate("caller", 1e9, 10**9)
    started = time.perf_counter()

    for _ in range(20_000):
        buckets.spend(buckets.of(rate, "user:1"))

    assert (time.perf_counter() - started) / 20_000 < 50e-6


def test_a_source_too_many_makes_the_oldest_be_forgotten_not_the_memory_full(monkeypatch):
    monkeypatch.setattr("gateway.limits.buckets._MOST_BUCKETS", 10)
    buckets = Buckets(b"secret")
    full = buckets.of(Rate("source", 1, 1), "kept")
    for number in range(100):
        buckets.of(Rate("source", 1, 1), f"2001:db8:{number:x}::/64")
        assert buckets.of(Rate("source", 1, 1), "kept") is full

    assert len(buckets._buckets) == 10
    assert math.isclose(full.level, 0)
