"""What an import of a million results costs, through the HTTP API, from the first byte to the rollups.

Beside it, on the same server, two plain COPYs into one table without indexes: of the file as it is
(ten short columns), and of the same rows as they are stored (sixteen columns with pseudonym and place). Everything else runs as in production: the service and its worker
are processes of their own, the app role is bound by row security, fsync is on.
"""

import asyncio
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np

from bench.figures import Figure
from services.indicators.app import SERVICE
from services.kit.bootstrap import Passwords, bootstrap, database_of, role_url
from services.kit.embedded import Embedded
from services.kit.migrations import upgrade
from tests.support.callers import TEST_JWKS, region_user

ROWS = 1_000_000
SCHOOLS = 700
ROUNDS = 3
API = "/api/indicators/v1"
HEADER = "Код ОО;Код участника;Предмет;Параллель;Класс;Балл;Отметка;Статус;Версия результата;Дата\n"
PLAIN = """
    CREATE TABLE plain (school_code text, participant text, subject text, grade smallint,
        class text, score numeric, mark smallint, status text, source_version integer, exam_date text)
"""


def measure(tell: Callable[[str], None]) -> list[Figure]:
    with (
        tempfile.TemporaryDirectory() as directory,
        Embedded(Path(directory), tell=tell).running() as server,
    ):
        return asyncio.run(_measure(server, tell))


def rows(count: int, *, seed: int = 1) -> bytes:
    """Make a file of results: two subjects a participant, classes, marks, dates; 1 in 500 absent."""
    random = np.random.default_rng(seed)
    scores = random.integers(0, 32, count)
    absent = random.random(count) < 0.002
    out = io.StringIO()
    out.write(HEADER)
    for i in range(count):
        person = seed * 100_000_000 + i // 2
        school = 100_000 + (i // 2) % SCHOOLS
        score = scores[i]
        if absent[i]:
            out.write(f"{school};{person};{i % 2 + 1};9;9А;;;отсутствовал;1;03.06.2025\n")
        else:
            mark = 2 if score < 15 else 3 if score < 23 else 4 if score < 29 else 5
            label = "АБВГ"[i // 2 % 4]
            out.write(f"{school};{person};{i % 2 + 1};9;9{label};{score};{mark};;1;03.06.2025\n")
    return out.getvalue().encode()


class Caller:
    """A region's user over one kept connection."""

    def __init__(self, port: int) -> None:
        self._http = HTTPConnection("127.0.0.1", port, timeout=120)
        self._token = region_user(region_id=1, lifetime_seconds=3600)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        if not isinstance(body, bytes):
            body = None if body is None else json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        self._http.request(
            method, API + path, body, {"Authorization": f"Bearer {self._token}"} | headers
        )
        answer = self._http.getresponse()
        document = json.loads(answer.read())
        assert answer.status < 300, document
        return document

    def settled(self, import_id: int, state: str) -> dict[str, Any]:
        while True:
            shown = self.ask("GET", f"/imports/{import_id}")
            if shown["state"] == state:
                return shown
            assert (shown["job"] or {}).get("state") != "failed", shown
            time.sleep(0.02)

    def upload(self, procedure_id: int, body: bytes, **headers: str) -> dict[str, Any]:
        made = self.ask(
            "POST", "/imports", {"procedure_id": procedure_id, "layout": "opora-results"},
            **{"Idempotency-Key": str(uuid.uuid4())},
        )  # fmt: skip
        path = f"/imports/{made['id']}/files/results"
        return self.ask("PUT", path, body, **{"Content-Type": "text/csv"} | headers)

    def import_(self, procedure_id: int, body: bytes) -> tuple[float, dict[str, float]]:
        """Import a file from the first byte to the rollups; gives seconds, in all and by step."""
        begun = time.perf_counter()
        shown = self.upload(procedure_id, body)
        uploaded = time.perf_counter()
        self.settled(shown["id"], "checked")
        checked = time.perf_counter()
        self.ask(
            "POST", f"/imports/{shown['id']}/commit", {},
            **{"Idempotency-Key": str(uuid.uuid4())},
        )  # fmt: skip
        done = self.settled(shown["id"], "committed")
        ended = time.perf_counter()
        assert done["stored"] == done["rows_in"] == ROWS
        steps = {
            "upload": uploaded - begun, "check": checked - uploaded, "commit": ended - checked
        }  # fmt: skip
        return ended - begun, steps


async def _measure(server: Embedded, tell: Callable[[str], None]) -> list[Figure]:
    passwords = Passwords.fresh()
    await bootstrap(server.admin_url(), {SERVICE.name: passwords})
    owner = role_url(server.admin_url(), SERVICE.name, "owner", passwords.owner)
    await upgrade(SERVICE, owner)
    app = role_url(server.admin_url(), SERVICE.name, "app", passwords.app)
    admin = await asyncpg.connect(server.admin_url(database_of(SERVICE.name)))
    await admin.execute("INSERT INTO region VALUES (1, '67', 'Область')")
    await admin.execute(
        "INSERT INTO municipality (id, region_id, code, name)"
        " SELECT i, 1, i::text, 'Район ' || i FROM generate_series(1, 30) i"
    )
    await admin.execute(
        "INSERT INTO school (id, region_id, municipality_id, code, name)"
        f" SELECT i + 1, 1, 1 + i % 30, (100000 + i)::text, 'Школа' FROM generate_series(0, {SCHOOLS - 1}) i"
    )
    await admin.execute(PLAIN)
    files = [await asyncio.to_thread(rows, ROWS, seed=seed) for seed in range(1, ROUNDS + 1)]
    tell(f"{ROWS} rows, {len(files[0]) / 1e6:.0f} MB")

    async def plain_copy(body: bytes) -> float:
        await admin.execute("TRUNCATE plain")
        begun = time.perf_counter()
        await admin.copy_to_table(
            "plain", source=io.BytesIO(body), format="csv", delimiter=";", header=True
        )
        return time.perf_counter() - begun

    async def stored_copy(procedure_id: int) -> float:
        out = io.BytesIO()
        await admin.copy_from_query(
            f"SELECT * FROM result WHERE procedure_id = {procedure_id}", output=out
        )
        out.seek(0)
        await admin.execute(
            "DROP TABLE IF EXISTS plain_stored; CREATE TABLE plain_stored (LIKE result)"
        )
        begun = time.perf_counter()
        await admin.copy_to_table("plain_stored", source=out)
        return time.perf_counter() - begun

    plain, stored, whole, again, announced = [], [], [], [], []
    with _service(app, owner) as (port, worker):
        caller = Caller(port)
        with _watched(worker) as peak:
            for turn, body in enumerate(files):
                procedure = await asyncio.to_thread(
                    caller.ask, "POST", "/procedures",
                    {"kind": "oge", "grade": 9, "year": 2024, "title": f"ОГЭ {turn}", "published": True},
                )  # fmt: skip
                plain.append(await plain_copy(body))
                seconds, steps = await asyncio.to_thread(caller.import_, procedure["id"], body)
                whole.append(seconds)
                stored.append(await stored_copy(procedure["id"]))
                tell(f"COPY of the file {plain[-1]:.2f} s, of stored rows {stored[-1]:.2f} s, import {seconds:.2f} s: "
                     + ", ".join(f"{name} {step:.2f}" for name, step in steps.items()))  # fmt: skip
                begun = time.perf_counter()
                await asyncio.to_thread(caller.upload, procedure["id"], body)
                again.append(time.perf_counter() - begun)
                begun = time.perf_counter()
                await asyncio.to_thread(
                    lambda p=procedure, b=body: caller.upload(
                        p["id"], b, **{"Repr-Digest": _digest(b)}
                    )
                )
                announced.append(time.perf_counter() - begun)
    await admin.close()
    middle = {name: statistics.median(values) for name, values in
              (("plain", plain), ("stored", stored), ("whole", whole), ("again", again), ("announced", announced))}  # fmt: skip
    tell(f"medians: {middle}; worker's peak {peak[0]:.0f} MB")
    return [
        Figure("import of 1 M rows / plain COPY of the file", middle["plain"] / middle["whole"], floor=0.15),
        Figure("import of 1 M rows / plain COPY of the stored rows", middle["stored"] / middle["whole"], floor=0.15),
        Figure("identical re-import, times faster", middle["whole"] / middle["again"], floor=3),
        Figure("identical re-import announced by Repr-Digest, times faster", middle["whole"] / middle["announced"], floor=3),
        Figure("worker's peak memory of an import", peak[0], "MB", ceiling=500),
    ]  # fmt: skip


def _digest(body: bytes) -> str:
    import base64
    import hashlib

    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


@contextmanager
def _service(app: str, owner: str) -> Iterator[tuple[int, int]]:
    """Start the service and its worker; gives the port and the worker's process id."""
    port = 18_771
    environment = os.environ | {
        "OPORA_INDICATORS_DATABASE_URL": app,
        "OPORA_INDICATORS_OWNER_DATABASE_URL": owner,
        "OPORA_INDICATORS_JWKS": TEST_JWKS,
        "OPORA_INDICATORS_ACCESS_LOG": "false",
        "OPORA_INDICATORS_LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "services.kit.cli", "indicators"]
    server = subprocess.Popen([*command, "serve", "--port", str(port)], env=environment)
    worker = subprocess.Popen([*command, "work"], env=environment)
    try:
        for _ in range(600):
            time.sleep(0.1)
            try:
                http = HTTPConnection("127.0.0.1", port)
                http.request("GET", "/health/ready")
                if http.getresponse().status == 200:
                    break
            except OSError:
                continue
        yield port, worker.pid
    finally:
        for process in (server, worker):
            process.terminate()
            process.wait()


@contextmanager
def _watched(pid: int) -> Iterator[list[float]]:
    """Watch a process's resident memory, megabytes; the list holds the peak."""
    peak, stop = [0.0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.02):
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                return
            line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
            peak[0] = max(peak[0], int(line.split()[1]) / 1024)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()
