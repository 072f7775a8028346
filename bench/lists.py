"""Lists over HTTP on a million rows: scoped against unscoped, a deep page against the first, and where
the time of a list of a hundred items goes.

One process of indicators is asked directly, one question at a time; tokens are signed here and known
to it by its settings. `scoped` is a region's user whom row security binds to a region of a million
rows; `unscoped` a caller of the system's reach, for whom the policy says `true`; both get the same page
with the exact total.
"""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jwt

from bench.figures import Figure
from bench.reach import FILL, PROCEDURES, SCHOOLS, SUBJECTS
from services.indicators.app import SERVICE
from services.kit.bootstrap import Passwords, bootstrap, database_of, role_url
from services.kit.embedded import Embedded
from services.kit.migrations import upgrade

PATH = "/api/indicators/v1/indices"
ROWS = PROCEDURES * SCHOOLS * SUBJECTS
PAGE, ROUNDS = 100, 60

# A region of its own beside the first, so that the policy has something to keep away.
OTHERS = f"""
    INSERT INTO region VALUES (1, '67', 'Первый'), (2, '35', 'Второй');
    INSERT INTO scale (region_id, procedure_id, position, subject, title, aliases, minimum, maximum,
                       top, mark_borders, is_mass, score_kind, margin_share, low_below_milli,
                       mass_from_milli, minimum_milli, top_milli, maximum_milli)
    SELECT 1, p.id, s, 's' || s, 'Предмет ' || s, '{{}}', 8, 31, 22, '{{}}', true, 'primary', 0.05,
           9550, 15775, 8000, 22000, 31000
    FROM procedure p, generate_series(0, {SUBJECTS - 1}) s;
"""
# What the endpoint asks, without a total: the limit of what HTTP and Python could reach.
BARE = """
    SELECT r.*, s.subject AS subject_code FROM rollup_subject r
    JOIN scale s ON s.procedure_id = r.procedure_id AND s.position = r.subject
    ORDER BY r.procedure_id, r.school_id, r.subject LIMIT 101
"""


def measure(tell: Callable[[str], None]) -> list[Figure]:
    with (
        tempfile.TemporaryDirectory() as directory,
        Embedded(Path(directory), durable=False, tell=tell).running() as server,
    ):
        return asyncio.run(_measure(server, tell))


async def _measure(server: Embedded, tell: Callable[[str], None]) -> list[Figure]:
    passwords = Passwords.fresh()
    await bootstrap(server.admin_url(), {SERVICE.name: passwords})
    await upgrade(SERVICE, role_url(server.admin_url(), SERVICE.name, "owner", passwords.owner))
    admin = await asyncpg.connect(server.admin_url(database_of(SERVICE.name)))
    await admin.execute(FILL)
    await admin.execute(OTHERS)
    await admin.execute("VACUUM ANALYZE")
    signer = _Signer()
    address = role_url(server.admin_url(), SERVICE.name, "app", passwords.app)
    with _serving(address, signer.public) as url:
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            figures = await _scoped(client, signer, tell)
            figures += await _deep(client, signer, tell)
            figures += await _hundred(client, signer, admin, tell)
    await admin.close()
    return figures


class _Signer:
    """Makes tokens that the measured process accepts."""

    def __init__(self) -> None:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        public = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._key = jwk.construct(pem.decode(), "RS256")
        described = jwk.construct(public.decode(), "RS256").to_dict()
        self.public = json.dumps({"keys": [described | {"kid": "bench", "use": "sig"}]})

    def headers(self, **claims: object) -> dict[str, str]:
        now = int(time.time())
        regular = {
            "iss": "opora",
            "aud": "opora",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "jti": "bench",
        }
        token = jwt.encode(
            regular | claims,
            self._key,
            algorithm="RS256",
            headers={"typ": "at+jwt", "kid": "bench"},
        )
        return {"Authorization": f"Bearer {token}"}

    def region(self) -> dict[str, str]:
        return self.headers(sub="user:1", role="region", level="region", region_id=1)

    def system(self) -> dict[str, str]:
        return self.headers(
            sub="service:bench", role="integration", level="system", scope="indices:read"
        )


@contextmanager
def _serving(database_url: str, keys: str) -> Iterator[str]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    prefix = f"OPORA_{SERVICE.name.upper()}"
    process = subprocess.Popen(
        [sys.executable, "-m", "services.kit.cli", SERVICE.name, "serve", "--port", str(port)],
        env=os.environ
        | {
            f"{prefix}_DATABASE_URL": database_url,
            f"{prefix}_JWKS": keys,
            f"{prefix}_CURSOR_SECRET": "bench",
            f"{prefix}_PSEUDONYM_KEY": "a key of the measurements, long enough",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not _is_live(url):
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(f"{SERVICE.name} did not start")
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def _is_live(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready").status_code == 200
    except httpx.TransportError:
        return False


async def _scoped(
    client: httpx.AsyncClient, signer: _Signer, tell: Callable[[str], None]
) -> list[Figure]:
    asked = {"limit": 50, "count": True}

    def page(headers: dict[str, str]) -> Callable[[], Awaitable[None]]:
        async def ask() -> None:
            answer = await client.get(PATH, params=asked, headers=headers)
            if answer.status_code != 200 or answer.json()["total"] != ROWS:
                raise RuntimeError(answer.text)

        return ask

    scoped, unscoped = await _medians([page(signer.region()), page(signer.system())], rounds=20)
    tell(f"list with total, scoped {scoped:.1f} ms, unscoped {unscoped:.1f} ms")
    return [
        Figure(
            "list with exact total over HTTP, scoped / unscoped, 1 M rows",
            scoped / unscoped,
            ceiling=1.3,
        )
    ]


async def _deep(
    client: httpx.AsyncClient, signer: _Signer, tell: Callable[[str], None]
) -> list[Figure]:
    headers = signer.region()
    cursor = None
    for _ in range(ROWS // 500 - 10):
        asked = {"limit": 500} | ({"cursor": cursor} if cursor else {})
        cursor = (await client.get(PATH, params=asked, headers=headers)).json()["next"]
    # The cursor was made for pages of 500, and belongs to its query: both pages are of that size.
    first_cursor = (await client.get(PATH, params={"limit": 500}, headers=headers)).json()["next"]

    def page(at: str | None) -> Callable[[], Awaitable[None]]:
        async def ask() -> None:
            answer = await client.get(PATH, params={"limit": 500, "cursor": at}, headers=headers)
            if len(answer.json()["items"]) != 500:
                raise RuntimeError(answer.text)

        return ask

    first, deep = await _medians([page(first_cursor), page(cursor)], rounds=ROUNDS)
    tell(f"page of 500: second {first:.1f} ms, number {ROWS // 500 - 9} {deep:.1f} ms")
    return [Figure("deep page / second page over HTTP, 1 M rows", deep / first, ceiling=1.1)]


async def _hundred(
    client: httpx.AsyncClient,
    signer: _Signer,
    admin: asyncpg.Connection,
    tell: Callable[[str], None],
) -> list[Figure]:
    headers = signer.region()

    async def over_http() -> None:
        (await client.get(PATH, params={"limit": PAGE}, headers=headers)).raise_for_status()

    async def health() -> None:
        (await client.get("/health/live")).raise_for_status()

    async def bare() -> None:
        rows = await admin.fetch(BARE)
        json.dumps([dict(row) for row in rows[:PAGE]], default=str).encode()

    whole, http, query = await _medians([over_http, health, bare], rounds=ROUNDS * 3)
    tell(
        f"list of {PAGE}: {whole:.2f} ms over HTTP; bare query and JSON {query:.2f} ms;"
        f" an empty answer over HTTP {http:.2f} ms"
    )
    return [
        Figure(f"list of {PAGE} items, server time / bare query and JSON", (whole - http) / query),
        Figure(f"list of {PAGE} items over HTTP", whole, "ms"),
        Figure("its bare query and JSON encoding", query, "ms"),
        Figure("an empty answer over HTTP, client included", http, "ms"),
    ]


async def _medians(asks: list[Callable[[], Awaitable[None]]], *, rounds: int) -> list[float]:
    """Ask in turn, so that a slow minute of the machine touches all alike; medians in ms."""
    times: list[list[float]] = [[] for _ in asks]
    for round_ in range(rounds + 3):
        for kept, ask in zip(times, asks, strict=True):
            started = time.perf_counter()
            await ask()
            if round_ >= 3:
                kept.append((time.perf_counter() - started) * 1e3)
    return [statistics.median(kept) for kept in times]
