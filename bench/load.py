"""A load generator small enough not to be the thing measured: raw sockets, kept open, one loop.

Run as a process of its own (`python -m bench.load URL CONNECTIONS SECONDS` with the token in
OPORA_TOKEN), so that it shares no event loop with anything.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Load:
    """What one run of load gave: answers a second, and seconds to answer."""

    per_second: float
    p50_ms: float
    p99_ms: float
    failures: int


def load(url: str, token: str, *, connections: int, seconds: float) -> Load:
    """Read the URL again and again from a process of its own."""
    command = [sys.executable, "-m", "bench.load", url, str(connections), str(seconds)]
    answer = subprocess.run(
        command,
        env=os.environ | {"OPORA_TOKEN": token},
        capture_output=True,
        check=True,
        text=True,
    )
    return Load(**json.loads(answer.stdout))


async def _generate(url: str, token: str, connections: int, seconds: float) -> Load:
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    times: list[float] = []
    failures = 0
    end = time.perf_counter() + seconds

    async def keep_asking() -> None:
        nonlocal failures
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        while (started := time.perf_counter()) < end:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = LENGTH.search(head)
            if length:
                await reader.readexactly(int(length[1]))
            else:
                await _read_chunks(reader)
            times.append(time.perf_counter() - started)
            failures += not head.startswith(b"HTTP/1.1 200")
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(keep_asking() for _ in range(connections)))
    took = time.perf_counter() - begun
    times.sort()
    return Load(
        len(times) / took,
        times[len(times) // 2] * 1e3,
        times[int(len(times) * 0.99)] * 1e3,
        failures,
    )


async def _read_chunks(reader: asyncio.StreamReader) -> None:
    while size := int((await reader.readline()).strip(), 16):
        await reader.readexactly(size + 2)
    await reader.readexactly(2)


if __name__ == "__main__":
    import uvloop

    url, connections, seconds = sys.argv[1:]
    measured = uvloop.run(
        _generate(url, os.environ["OPORA_TOKEN"], int(connections), float(seconds))
    )
    print(json.dumps(measured.__dict__))
