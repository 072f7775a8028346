"""Every forged token at every port: the gateway, each service behind it, and each service directly."""

import asyncio
import json
import time
from collections import Counter

import httpx
import pytest

from tests.support import reports
from tests.support.forging import Forger, forgeries, malformed_headers
from tests.support.serving import served

OPENED = {
    "gateway": "/api/auth/me",
    "registry": "/api/registry/v1/schools",
    "indicators": "/api/indicators/v1/procedures",
    "monitoring": "/api/monitoring/v1/waves",
    "training": "/api/training/v1/courses",
}
"""An operation of each that any region's user may use."""


class Trap:
    """Stands where a token says its key is to be found; nobody must come."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, scope, _, send):
        self.asked.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


@pytest.fixture
async def trap():
    trap = Trap()
    async with served(trap, lifespan="off") as url:
        trap.url = url
        yield trap


@pytest.fixture
async def forger(opora, trap):
    gateway = opora.apps["gateway"]
    signing = await gateway.state.parts.keyring.current(gateway.state.database)
    return Forger(signing.key, signing.kid, trap.url)


@pytest.fixture
async def public(opora, forger):
    async with httpx.AsyncClient(base_url=opora.gateway_url) as client:
        keys = (await client.get("/api/auth/jwks")).json()["keys"]
    return next(key for key in keys if key["kid"] == forger.kid)


def doors(opora):
    """Yield (name, URL) of every way to every operation."""
    for service, path in OPENED.items():
        yield f"gateway→{service}" if service != "gateway" else "gateway", opora.gateway_url + path
    for service, path in OPENED.items():
        if service != "gateway":
            yield service, opora.service_urls[service] + path


async def asked(client, url, headers):
    try:
        answer = await client.get(url, headers=headers)
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
        return "closed"
    return answer.status_code


async def test_no_forged_token_opens_any_door(opora, forger, public, trap):
    good = forger.signed()
    bearers = {
        name: [(b"Authorization", b"Bearer " + token.encode())]
        for name, token in forgeries(forger, public).items()
    }
    odd = malformed_headers(good, forger.signed(kid="k" * 1_000_000))
    table: dict[str, dict[str, object]] = {}
    controls: Counter = Counter()
    async with httpx.AsyncClient(timeout=20) as client:
        for door, url in doors(opora):
            # Before, between and after: no forgery spoils what is known of the good one.
            for number, (name, headers) in enumerate((bearers | odd).items()):
                if number % 20 == 0:
                    control = await asked(
                        client, url, [(b"Authorization", b"Bearer " + good.encode())]
                    )
                    controls[door, control] += 1
                table.setdefault(name, {})[door] = await asked(client, url, headers)
            in_query = await client.get(url, params={"access_token": good, "token": good})
            table.setdefault("in the query", {})[door] = in_query.status_code
    report(table, controls)

    assert len(bearers) >= 60
    assert {status for _, status in controls} == {200}, controls
    let_in = {name: statuses for name, statuses in table.items() if 200 in statuses.values()}
    assert let_in == {}
    wrong = {name: table[name] for name in bearers if set(table[name].values()) != {401}}
    assert wrong == {}
    # Some servers answer a malformed head by closing: 400, 401, 431 or no answer, never in; a query no validator knows.
    assert {status for name in (*odd, "in the query") for status in table[name].values()} <= {
        400,
        401,
        431,
        422,
        "closed",
    }
    assert trap.asked == []


async def test_a_token_is_accepted_half_a_minute_after_its_end_and_no_longer(opora, forger):
    now = int(time.time())
    # Ten seconds of room on the accepted side: this machine may be busy.
    late, too_late = forger.having(exp=now - 15), forger.having(exp=now - 31)
    async with httpx.AsyncClient() as client:
        for door, url in doors(opora):
            answers = [
                await asked(client, url, {"Authorization": f"Bearer {token}"})
                for token in (late, too_late)
            ]
            assert answers == [200, 401], door


async def test_unknown_kids_are_asked_for_rarely(opora, forger):
    """A flood of invented key numbers is no flood of questions to the gateway."""
    asked_for = []
    async with httpx.AsyncClient(timeout=20) as client:
        for service in ("registry", "training"):
            verifier = opora.apps[service].state.verifier
            before = verifier._fetched_at
            tokens = [forger.signed(kid=f"invented-{number}") for number in range(50)]
            url = opora.service_urls[service] + OPENED[service]
            await asyncio.gather(
                *(asked(client, url, {"Authorization": f"Bearer {token}"}) for token in tokens)
            )
            asked_for.append(verifier._fetched_at != before)
            first = verifier._fetched_at
            await asked(client, url, {"Authorization": f"Bearer {forger.signed(kid='one-more')}"})
            assert verifier._fetched_at == first

    assert len(asked_for) == 2


def report(table, controls):
    names = sorted({door for statuses in table.values() for door in statuses})
    lines = [
        "# Forged tokens",
        "",
        f"{len(table)} tokens and headers at {len(names)} doors: 401 is right, or 400 and 431 where",
        "the head itself is malformed; 200 would be a hole.",
        "",
        "| what is wrong | " + " | ".join(names) + " |",
        "|---" * (len(names) + 1) + "|",
        *(
            f"| {name} | " + " | ".join(str(statuses.get(door, "")) for door in names) + " |"
            for name, statuses in table.items()
        ),
        "| **a good token, in between** | "
        + " | ".join(
            ", ".join(
                f"{status} ×{times}" for (at, status), times in controls.items() if at == door
            )
            for door in names
        )
        + " |",
        "",
        f"Doors opened by a forgery: {sum(200 in statuses.values() for statuses in table.values())}.",
    ]
    reports.write("tokens.md", "\n".join(lines) + "\n")
    reports.write("tokens.json", json.dumps(table, ensure_ascii=False, indent=1))
