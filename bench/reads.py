"""A database-backed read through the gateway against the same read on the service directly.

Both on the processes of `opora up`, at 16 and at 64 connections, in turn; nginx with the same upstream stands
beside it when it is installed.
"""

import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.figures import Figure
from bench.load import Load, load
from services.kit.installation import Installation
from services.kit.supervisor import System, running

CONNECTIONS = (16, 64)
SECONDS = 4
ROUNDS = 3


def measure(tell: Callable[[str], None]) -> list[Figure]:
    with tempfile.TemporaryDirectory() as directory:
        installation = Installation(data_dir=Path(directory), port=0)
        with running(installation, tell=lambda _: None) as system:
            token, school_id = a_school(system)
            path = f"/api/registry/v1/schools/{school_id}"
            with _nginx(system) as nginx_url:
                doors = {"direct": system.url("registry"), "gateway": system.gateway_url}
                if nginx_url:
                    doors["nginx"] = nginx_url
                urls = {name: base + path for name, base in doors.items()}
                figures = []
                for connections in CONNECTIONS:
                    figures += _figures(_in_turn(urls, token, connections, tell), connections)
                return figures


def _figures(rounds: dict[str, list[Load]], connections: int) -> list[Figure]:
    figures = []
    for name in list(rounds)[1:]:
        ratios = [
            one.per_second / direct.per_second
            for one, direct in zip(rounds[name], rounds["direct"], strict=True)
        ]
        figures.append(
            Figure(
                f"read through {name} / direct, {connections} connections",
                statistics.median(ratios),
                floor=0.75 if name == "gateway" else None,
            )
        )
    for name, loads in rounds.items():
        figures.append(
            Figure(
                f"p99 of the read, {name}, {connections} connections",
                statistics.median(one.p99_ms for one in loads),
                "ms",
            )
        )
    return figures


def _in_turn(
    urls: dict[str, str], token: str, connections: int, tell: Callable[[str], None]
) -> dict[str, list[Load]]:
    rounds: dict[str, list[Load]] = {name: [] for name in urls}
    for url in urls.values():
        load(url, token, connections=connections, seconds=1)
    for _ in range(ROUNDS):
        for name, url in urls.items():
            one = load(url, token, connections=connections, seconds=SECONDS)
            rounds[name].append(one)
            tell(
                f"{name}: {one.per_second:.0f}/s, p50 {one.p50_ms:.1f} ms, p99 {one.p99_ms:.1f} ms, failures {one.failures}"
            )
    return rounds


def a_school(system: System) -> tuple[str, int]:
    """Make a region with one school; return a region user's token and the school's id."""
    with httpx.Client(base_url=system.gateway_url, timeout=30) as client:

        def post(path: str, body: object, token: str | None = None) -> dict[str, object]:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            answer = client.post(path, json=body, headers=headers)
            answer.raise_for_status()
            return dict(answer.json())

        client_id, secret = system.root_client
        grant = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
        }
        root = str(post("/api/auth/token", grant)["access_token"])
        region = post(
            "/api/registry/v1/regions", {"code": "67", "name": "Смоленская область"}, root
        )
        person = {"login": "bench", "password": "bench password of a person"}
        post(
            "/api/accounts",
            {**person, "display_name": "Bench", "role": "region", "region_id": region["id"]},
            root,
        )
        token = str(post("/api/auth/token", {"grant_type": "password", **person})["access_token"])
        district = post(
            "/api/registry/v1/municipalities",
            {"code": "1", "name": "Вяземский", "kind": "district"},
            token,
        )
        school = {
            "code": "670001",
            "name": "СШ № 1",
            "kind": "sosh",
            "stages": ["noo"],
            "municipality_id": district["id"],
        }
        return token, int(str(post("/api/registry/v1/schools", school, token)["id"]))


@contextmanager
def _nginx(system: System) -> Iterator[str | None]:
    program = shutil.which("nginx")
    if program is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as directory:
        upstream = system.url("registry").removeprefix("http://")
        port = int(system.gateway_url.rsplit(":", 1)[1]) + 500
        (Path(directory) / "nginx.conf").write_text(
            f"""
            daemon off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;
            events {{ worker_connections 512; }}
            http {{
                access_log off;
                upstream registry {{ server {upstream}; keepalive 64; }}
                server {{
                    listen 127.0.0.1:{port};
                    location / {{
                        proxy_pass http://registry; proxy_http_version 1.1; proxy_set_header Connection "";
                    }}
                }}
            }}
            """,
        )
        process = subprocess.Popen([program, "-p", directory, "-c", f"{directory}/nginx.conf"])
        time.sleep(0.5)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()
