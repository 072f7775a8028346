"""Canary persons and secrets go through everything; nothing that is written down may name them.

Real processes (`opora up`), several hundred canaries: names, logins and e-mail addresses in every text
that takes personal data, passwords, secrets, tokens, participants of exams; in good calls, in refused
ones, with line breaks and colours of terminals in them. Then everything that was written is searched.
"""

import asyncio
import json
import re
import socket
import uuid

import asyncpg
import httpx
import pytest

from tests.support.steps import add_procedure, add_schools, new_region, upload
from tests.support.up import ready, started
from tests.support.world import world_of

SERVICES = ("gateway", "registry", "indicators", "monitoring", "training")
PEOPLE = 60
PUPILS = 300


class Canaries:
    """Makes texts that exist nowhere else, and remembers them."""

    def __init__(self):
        self.personal: list[str] = []
        self.secret: list[str] = []

    def person(self, form="{}"):
        self.personal.append(canary := f"kanarejka{uuid.uuid4().hex[:16]}")
        return form.format(canary)

    def password(self, form="{}"):
        self.secret.append(canary := f"tajna{uuid.uuid4().hex[:20]}")
        return form.format(canary)


async def journey(world, canaries):
    """Bring canaries everywhere; return the callers that may not see them and every refusal's body."""
    region = await new_region(world, "67", "Смоленская область")
    schools = await add_schools(
        region,
        {"01": "Велижский"},
        [{"code": f"67010{n}", "name": f"Школа {n}", "municipality": "01"} for n in (1, 2)],
    )
    school = schools["670101"]
    refusals = []

    async def refused(method, path, **options):
        answer = await region.analyst.ask(method, path, **options)
        assert 400 <= answer.status_code < 500, f"{path}: {answer.status_code} {answer.text}"
        refusals.append(answer.text)

    def account(**values):
        return {
            "login": canaries.person(),
            "display_name": canaries.person("Фамилия {}"),
            "role": "municipality",
            "municipality_id": school["municipality_id"],
            "password": canaries.password("длинный пароль {}"),
        } | values

    for number in range(PEOPLE):
        wanted = account()
        made = await region.analyst.post("/api/accounts", wanted)
        assert made["login"] == wanted["login"]
        if number % 6:
            continue
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        await refused("POST", "/api/accounts", json=wanted, headers=headers)  # 409: taken
        hostile = canaries.person("x\n{}\x1b[31m") + canaries.password()
        await refused("POST", "/api/accounts", json=account(display_name=hostile))
        await refused("POST", "/api/accounts", json=account(role=canaries.person()))
        await refused("POST", "/api/accounts", json=account() | {canaries.person(): 1})
        await refused("POST", "/api/accounts", content=json.dumps(account())[:-1])
        await refused(
            "PATCH", f"/api/accounts/{made['id']}", json={"display_name": canaries.person()}
        )
        await refused(
            "PATCH",
            f"/api/accounts/{made['id']}",
            json={"display_name": canaries.person()},
            headers={"If-Match": '"99"'},
        )
        await refused("GET", f"/api/registry/v1/schools/{canaries.person()}")
        await refused("GET", "/api/accounts", params={"cursor": canaries.person("{}\n{{}}")})
    async with httpx.AsyncClient(base_url=world.gateway_url, timeout=30) as nobody:
        for _ in range(10):
            grant = {"grant_type": "password", "login": canaries.person()}
            answer = await nobody.post(
                "/api/auth/token", json=grant | {"password": canaries.password("{}\n\x1b[0m")}
            )
            assert answer.status_code in (400, 401, 429), answer.text
            refusals.append(answer.text)
            token = {"Authorization": f"Bearer {canaries.password('{}.{{}}.x')}"}
            answer = await nobody.get(
                f"/api/registry/v1/schools?q={canaries.person()}", headers=token
            )
            assert answer.status_code == 401
            refusals.append(answer.text)
    client = await region.analyst.post(
        "/api/accounts/machine-clients",
        {"client_id": "canary", "title": "Канарейка", "scopes": ["changes:read"]},
    )
    issued = await region.analyst.post(
        f"/api/accounts/machine-clients/{client['id']}/secret", etag=client["version"]
    )
    canaries.secret.append(issued["client_secret"])
    for caller in (region.analyst, region.approver, region.machine):
        canaries.secret.append(caller.http.headers["Authorization"].removeprefix("Bearer "))
    procedure = await add_procedure(
        region, kind="oge", grade=9, year=2024, published=True, permitted_uses=[]
    )
    lines = ["Код ОО;Код участника;Фамилия;Дата рождения;Класс;Предмет;Балл"]
    lines += [
        f"670101;{canaries.password()};{canaries.person()};01.02.2009;9А;1;{'x' if n % 9 == 0 else 20}"
        for n in range(PUPILS)
    ]
    checked = await upload(
        region.machine, procedure["id"], {"results": ("\n".join(lines) + "\n").encode()}
    )
    found = await region.machine.ask(
        "GET", f"/api/indicators/v1/imports/{checked['id']}/findings.csv"
    )
    refusals += [json.dumps(checked), found.text]
    school_user = await world.person(region.analyst, "school", school_id=school["id"])
    curator = await world.person(region.analyst, "curator")
    return [school_user, curator, await world.client("canary", issued["client_secret"])], refusals


FEEDS = [f"/api/{name}/v1/changes" for name in ("registry", "indicators", "monitoring", "training")]
LISTS = [
    *FEEDS,
    "/api/registry/v1/schools",
    "/api/registry/v1/curator-grants",
    "/api/registry/v1/participations",
    "/api/indicators/v1/indices",
    "/api/indicators/v1/imports",
    "/api/accounts",
    "/api/accounts/machine-clients",
    "/api/audit/entries",
]


def leaks(text, canaries):
    """Return the canaries that a text names."""
    return [canary for canary in canaries if canary in text]


@pytest.fixture(scope="module")
def journeyed(tmp_path_factory):
    port, metered = _free_port(), {name: _free_port() for name in SERVICES}
    ports = {f"{name}_metrics_port": number for name, number in metered.items()}
    up = started(tmp_path_factory.mktemp("canaries") / "data", postgres_port=port, **ports)
    canaries = Canaries()

    async def go():
        async with world_of(ready(up)) as world:
            others, refusals = await journey(world, canaries)
            seen = [(await caller.ask("GET", path)).text for caller in others for path in LISTS]
            async with httpx.AsyncClient(timeout=30) as http:
                metrics = [
                    (await http.get(f"http://127.0.0.1:{number}/metrics")).text
                    for number in metered.values()
                ]
            return refusals, seen, metrics

    try:
        told = asyncio.run(go())
        yield up, canaries, *told, port
    finally:
        up.stop()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def logs(up):
    files = [path for path in up.directory.rglob("*.log*") if path.is_file()]
    texts = {str(path): path.read_text(errors="replace") for path in files}
    return texts | {"the supervisor": up.told()}


def test_no_log_names_a_canary_and_no_line_is_broken(journeyed):
    up, canaries, *_ = journeyed
    written = logs(up)

    assert len(canaries.personal + canaries.secret) > 500
    assert sum(len(text) for text in written.values()) > 10_000, written.keys()
    for name, text in written.items():
        assert leaks(text, canaries.personal + canaries.secret) == [], name
    planted = written | {"planted": f'{{"event": "x", "login": "{canaries.personal[3]}"}}'}
    assert any(leaks(text, canaries.personal) for text in planted.values()), "the search can find"
    assert not any("\x1b[31m" in text for text in written.values())


def test_neither_refusals_nor_metrics_name_a_canary(journeyed):
    _, canaries, refusals, _, metrics, _ = journeyed

    assert len(refusals) > 60
    for text in refusals:
        # A refusal goes to the one who sent the text, and still does not repeat what was secret.
        assert leaks(text, canaries.secret) == [], text[:500]
    for text in metrics:
        assert "opora_http" in text
        assert leaks(text, canaries.personal + canaries.secret) == []


def test_lists_feeds_and_audits_of_others_name_no_canary(journeyed):
    _, canaries, _, seen, _, _ = journeyed

    assert len(seen) == 3 * len(LISTS)
    for text in seen:
        assert leaks(text, canaries.personal + canaries.secret) == [], text[:500]


async def test_no_secret_lies_in_a_database_in_clear(journeyed):
    up, canaries, *_, port = journeyed
    found, rows = [], 0
    password = (next(up.directory.rglob("password"))).read_text().strip()
    for name in SERVICES:
        address = f"postgresql://postgres:{password}@127.0.0.1:{port}/opora_{name}"
        connection = await asyncpg.connect(address)
        for (table,) in await connection.fetch(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace"
        ):
            for (row,) in await connection.fetch(f"SELECT t::text FROM {table} t"):
                rows += 1
                hexed = "".join(
                    bytes.fromhex(part).decode(errors="replace")
                    for part in re.findall(r"x((?:[0-9a-f]{2}){8,})", row)
                )
                found += [(table, c[:12]) for c in leaks(row + hexed, canaries.secret)]
        await connection.close()
    assert rows > 300
    assert found == []
