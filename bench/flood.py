"""One client floods with a thousand requests a second; what others feel of it (threats, case 45).

The others ask at their own pace and are counted from the moment they meant to ask, so that a queue
shows as a wait. Three processes of the gateway on one database show that the rate is one rate.
"""

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bench.figures import Figure
from bench.load import LENGTH
from bench.reads import a_school
from services.kit.installation import Installation
from services.kit.supervisor import System, running

SECONDS = 10
FLOOD_PER_SECOND = 1000
OTHERS_PER_SECOND = 40
CALLER_PER_SECOND, CALLER_BURST = 50, 100
LIMITS = {
    "OPORA_GATEWAY_CALLER_PER_SECOND": str(CALLER_PER_SECOND),
    "OPORA_GATEWAY_CALLER_BURST": str(CALLER_BURST),
}


def measure(tell: Callable[[str], None]) -> list[Figure]:
    former = dict(os.environ)
    os.environ.update(LIMITS)
    try:
        with tempfile.TemporaryDirectory() as directory:
            installation = Installation(data_dir=Path(directory), port=0)
            with running(installation, tell=lambda _: None) as system:
                flooder, school_id = a_school(system)
                other = _another(system, flooder)
                path = f"/api/registry/v1/schools/{school_id}"
                return asyncio.run(_measured(system, path, flooder, other, tell))
    finally:
        os.environ.clear()
        os.environ.update(former)


async def _measured(
    system: System, path: str, flooder: str, other: str, tell: Callable[[str], None]
) -> list[Figure]:
    url = system.gateway_url + path
    ratios = []
    refused = 0.0
    for _ in range(3):
        calm, _ = await _paced(url, other, OTHERS_PER_SECOND, SECONDS)
        flood = asyncio.create_task(_flooding(url, flooder, SECONDS))
        await asyncio.sleep(1)
        disturbed, statuses = await _paced(url, other, OTHERS_PER_SECOND, SECONDS - 2)
        told = await flood
        refused = told[429] / sum(told.values())
        ratios.append(_p99(disturbed) / _p99(calm))
        tell(
            f"flood {sum(told.values()) / SECONDS:.0f}/s, of it 429: {refused:.0%}; "
            f"others p99 {_p99(calm):.1f} -> {_p99(disturbed):.1f} ms, {dict(statuses)}"
        )
    together = await _three_gateways(system, flooder, tell)
    return [
        Figure("p99 of others in a flood / without", statistics.median(ratios), ceiling=1.5),
        Figure("part of the flood that is told 429", refused, floor=0.8),
        Figure("let through by three gateways / the rate", together, ceiling=1.1),
    ]


async def _three_gateways(system: System, token: str, tell: Callable[[str], None]) -> float:
    """Start two more processes of the gateway on the same database, flood all three."""
    pid = system.processes()["gateway"]
    told_at_start = Path(f"/proc/{pid}/environ").read_text(encoding="utf-8")
    own = dict(pair.split("=", 1) for pair in told_at_start.split("\0") if pair)
    processes, urls = [], [system.gateway_url]
    try:
        for _ in range(2):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            command = [sys.executable, "-m", "services.kit.cli", "gateway", "serve"]
            processes.append(
                subprocess.Popen(
                    [*command, "--port", str(port)], env=own, stdout=subprocess.DEVNULL
                )
            )
            urls.append(f"http://127.0.0.1:{port}")
        await asyncio.gather(*(_ready(url) for url in urls))
        await asyncio.sleep(CALLER_BURST / CALLER_PER_SECOND + 1)
        began = time.monotonic()
        told = await asyncio.gather(
            *(_flooding(f"{url}/api/auth/me", token, SECONDS) for url in urls)
        )
        took = time.monotonic() - began
    finally:
        for process in processes:
            process.terminate()
            process.wait()
    through = sum(one[200] for one in told)
    allowed = CALLER_BURST + CALLER_PER_SECOND * took
    tell(f"three gateways: {[dict(one) for one in told]}, {through} of {allowed:.0f} allowed")
    return through / allowed


async def _ready(url: str) -> None:
    async with httpx.AsyncClient() as client:
        while True:
            try:
                if (await client.get(f"{url}/health/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)


async def _flooding(url: str, token: str, seconds: float) -> Counter[int]:
    """Flood from a process of its own; return how many answers of each status came."""
    command = [sys.executable, "-m", "bench.flood", url, str(FLOOD_PER_SECOND), str(seconds)]
    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ | {"OPORA_TOKEN": token}, stdout=subprocess.PIPE
    )
    out, _ = await process.communicate()
    return Counter({int(k): int(v) for k, v in (pair.split(b":") for pair in out.split())})


async def _paced(
    url: str, token: str, per_second: float, seconds: float
) -> tuple[list[float], Counter[int]]:
    """Ask at a steady pace; return the milliseconds from when each meant to ask, and the statuses."""
    times: list[float] = []
    statuses: Counter[int] = Counter()
    limits = httpx.Limits(max_connections=200)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(limits=limits, headers=headers, timeout=30) as client:

        async def ask(at: float) -> None:
            await asyncio.sleep(at - time.perf_counter())
            answer = await client.get(url)
            times.append((time.perf_counter() - at) * 1e3)
            statuses[answer.status_code] += 1

        begin = time.perf_counter() + 0.1
        count = int(per_second * seconds)
        await asyncio.gather(*(ask(begin + number / per_second) for number in range(count)))
    return times, statuses


def _p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


def _another(system: System, by: str) -> str:
    """Make a second person of the region and return its token."""
    with httpx.Client(base_url=system.gateway_url, timeout=30) as client:
        me = client.get("/api/auth/me", headers={"Authorization": f"Bearer {by}"}).json()
        client_id, secret = system.root_client
        grant = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
        }
        root = client.post("/api/auth/token", json=grant).raise_for_status().json()["access_token"]
        person = {"login": "bench.other", "password": "another tall tale for the bench"}
        new = {**person, "display_name": "Other", "role": "region", "region_id": me["region_id"]}
        client.post(
            "/api/accounts", json=new, headers={"Authorization": f"Bearer {root}"}
        ).raise_for_status()
        answer = client.post("/api/auth/token", json={"grant_type": "password", **person})
        return str(answer.raise_for_status().json()["access_token"])


async def _flood(url: str, per_second: float, seconds: float) -> None:
    """Ask from twenty connections by raw sockets: a client library would be slower than the door."""
    parts = urlsplit(url)
    request = (
        f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Authorization: Bearer {os.environ['OPORA_TOKEN']}\r\n\r\n"
    ).encode()
    statuses: Counter[int] = Counter()
    end = time.perf_counter() + seconds

    async def keep_asking() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        due = time.perf_counter()
        while due < end:
            await asyncio.sleep(due - time.perf_counter())
            due += 20 / per_second
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = LENGTH.search(head)
            await reader.readexactly(int(length[1]) if length else 0)
            statuses[int(head[9:12])] += 1
        writer.close()

    await asyncio.gather(*(keep_asking() for _ in range(20)))
    print(*(f"{status}:{count}" for status, count in statuses.items()))


if __name__ == "__main__":
    asyncio.run(_flood(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
