"""The authorization matrix: every operation, as every caller, on records of every place.

The result stands in reports/matrix.md: what was asked, what was answered, what leaked (nothing may).
"""

import json
import time
from collections import Counter, defaultdict
from dataclasses import replace
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, Request

from services.kit.principals import Principal, authenticate, authorise
from services.kit.reach import Level, Reach
from tests.matrix import cells as matrix
from tests.matrix.cells import Cell, Expected
from tests.matrix.leaks import leaks
from tests.matrix.territory import grantable
from tests.support import reports
from tests.sweeps.operations import EVERY
from tests.sweeps.test_operations import fingerprint

MUST = {Expected.UNKNOWN: 401, Expected.FORBIDDEN: 403, Expected.ABSENT: 404}


class Asked:
    """Makes the calls of cells and keeps what came out."""

    def __init__(self, opora, territory):
        self._opora = opora
        self.territory = territory
        self._tokens = {}
        self.failures = []
        self.leaked = []
        self.statuses = []  # (cell, status)

    async def run(self, http, cells):
        for cell in cells:
            answer = await matrix.call(http, cell, self.territory, await self.token(cell))
            self.judge(cell, answer)

    async def token(self, cell):
        asking = cell.asking
        if asking.role == "anonymous":
            return None
        if asking.role != "integration":
            return await self._fresh(asking.name, asking.caller.grant)
        scopes = set(cell.operation.scopes) | matrix.ALSO_NEEDED.get(cell.operation.id, set())
        if asking.name == "machine without the scope" or not scopes <= grantable():
            scopes = grantable() - scopes
        wanted = " ".join(sorted(scopes))
        grant = {
            "grant_type": "client_credentials",
            "scope": wanted,
        } | self.territory.machine_secret
        return await self._fresh(wanted, grant)

    async def _fresh(self, name, grant):
        token, until = self._tokens.get(name, (None, 0))
        if until < time.monotonic():
            async with httpx.AsyncClient(base_url=self._opora.gateway_url) as client:
                answer = await client.post("/api/auth/token", json=grant)
            assert answer.status_code == 200, answer.text
            token = answer.json()["access_token"]
            self._tokens[name] = (token, time.monotonic() + 200)
        return token

    def judge(self, cell, answer):
        expected = cell.expected()
        self.statuses.append((cell, answer.status_code))
        told = f"{cell.name}: {answer.status_code} {answer.text[:200]}"
        self.leaked += [f"{told}: {leak}" for leak in leaks(answer, cell.asking, self.territory)]
        if expected is not Expected.ANSWERED:
            if answer.status_code != MUST[expected]:
                self.failures.append(f"{told}; expected {expected}")
            return
        used_up = matrix.USED_UP.get(cell.operation.id)
        if used_up and answer.status_code == 404 and answer.json()["code"] == used_up:
            return
        is_scope = answer.status_code == 403 and "missing-scope" in answer.text
        if is_scope or answer.status_code >= 500 or answer.status_code in (401, 404):
            self.failures.append(f"{told}; expected an answer")


def writes(territory, *, allowed):
    """Return the cells that would change something, by whether their caller may."""
    return [
        cell
        for cell in matrix.cells(territory)
        if cell.operation.method != "GET" and (cell.expected() is Expected.ANSWERED) is allowed
    ]


def foreign_bodies(territory):
    """Yield cells of operations that name a place in the body, with places their caller cannot see."""
    for cell in matrix.cells(territory):
        named = set(keys_of(cell.operation.body())) & {
            "school_id",
            "school_ids",
            "municipality_id",
        }
        if cell.operation.method == "GET" or not named or cell.place is not None:
            continue
        depth = matrix.RECORDS["municipality_id" if named == {"municipality_id"} else "school_id"]
        for place in territory.places.values():
            if cell.asking.role != "anonymous" and not cell.asking.sees(depth, place):
                yield Cell(cell.operation, cell.asking, place)


def keys_of(node):
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from keys_of(value)
    elif isinstance(node, list):
        for value in node:
            yield from keys_of(value)


async def everything(opora, territory):
    regions = {place.region_id for place in territory.places.values()}
    return {
        (region, *table): content
        for region in regions
        for table, content in (await fingerprint(opora, region)).items()
    }


def changed(before, after):
    return sorted(str(table) for table in before if before[table] != after.get(table))


@pytest.fixture(scope="module")
async def matrices(opora, territory):
    """What the tests of this file ask, for the report: the matrix itself, and foreign bodies."""
    asked, foreign = Asked(opora, territory), Asked(opora, territory)
    yield asked, foreign
    write_report(asked, foreign)


@pytest.fixture
async def through_the_gateway(opora):
    async with httpx.AsyncClient(base_url=opora.gateway_url, timeout=60) as http:
        yield http


async def test_reading_answers_with_the_callers_own(territory, matrices, through_the_gateway):
    asked, _ = matrices
    reading = [cell for cell in matrix.cells(territory) if cell.operation.method == "GET"]

    await asked.run(through_the_gateway, reading)

    assert asked.leaked == []
    assert asked.failures == []


async def test_a_refused_write_changes_nothing(opora, territory, matrices, through_the_gateway):
    asked, _ = matrices
    before = await everything(opora, territory)

    await asked.run(through_the_gateway, writes(territory, allowed=False))

    assert asked.leaked == []
    assert asked.failures == []
    assert changed(before, await everything(opora, territory)) == []


async def test_a_foreign_place_in_a_body_changes_nothing(
    opora, territory, matrices, through_the_gateway
):
    _, foreign = matrices
    before = await everything(opora, territory)

    for cell in foreign_bodies(territory):
        answer = await matrix.call(through_the_gateway, cell, territory, await foreign.token(cell))
        foreign.statuses.append((cell, answer.status_code))
        foreign.leaked += [f"{cell.name}: {one}" for one in leaks(answer, cell.asking, territory)]

    assert len(foreign.statuses) > 100
    assert foreign.leaked == []
    assert changed(before, await everything(opora, territory)) == []


def write_report(asked, foreign):
    """Write the matrix: a row per operation, a column per caller, the statuses per place."""
    names = list(asked.territory.callers)
    rows = defaultdict(lambda: defaultdict(list))
    for cell, status in asked.statuses:
        rows[cell.operation.id][cell.asking.name].append(str(status))
    lines = [
        "# Authorization matrix",
        "",
        f"Cells: {len(asked.statuses)} (operation, caller, place) and {len(foreign.statuses)} with a",
        f"foreign place in the body. Leaks: {len(asked.leaked) + len(foreign.leaked)}.",
        f"Wrong codes: {len(asked.failures)}.",
        "",
        "Where a record is named, the statuses stand for: own school, sibling school, another",
        "municipality, another region (of a whole region's record: own region, another region).",
        "A write that is allowed carries a stale entity tag: 412 means that the caller may.",
        "",
        "| operation | " + " | ".join(names) + " |",
        "|---" * (len(names) + 1) + "|",
        *(
            f"| {operation} | " + " | ".join(" ".join(row[name]) for name in names) + " |"
            for operation, row in rows.items()
        ),
        "",
        *asked.leaked,
        *foreign.leaked,
        *asked.failures,
    ]
    reports.write("matrix.md", "\n".join(lines) + "\n")
    reports.write(
        "matrix.json",
        json.dumps(
            {
                "cells": len(asked.statuses) + len(foreign.statuses),
                "leaks": len(asked.leaked) + len(foreign.leaked),
                "wrong_codes": len(asked.failures),
            }
        ),
    )


@pytest.fixture
def without_scopes(opora):
    """Take the application's check away: whoever has a token may call everything."""
    for app in opora.apps.values():
        app.dependency_overrides[authorise] = authenticate
    yield
    for app in opora.apps.values():
        app.dependency_overrides.pop(authorise)


async def read_all(opora, territory, http, callers=None):
    asked = Asked(opora, territory)
    known = [
        cell
        for cell in matrix.cells(territory)
        if cell.asking.role != "anonymous" and (callers is None or cell.asking.name in callers)
    ]
    await asked.run(http, [cell for cell in known if cell.operation.method == "GET"])
    return asked


async def test_row_security_alone_blocks_every_foreign_read(
    opora, territory, through_the_gateway, without_scopes
):
    asked = await read_all(opora, territory, through_the_gateway)

    assert asked.leaked == []
    # The check is really gone: nobody is told of a missing scope.
    assert not any("missing-scope" in failure for failure in asked.failures)
    assert len(asked.statuses) > 1000


async def as_before(request: Request):
    """Do what `authenticate` does, under a name that is not replaced."""
    return await authenticate(request, request.headers["authorization"].removeprefix("Bearer "))


@pytest.fixture
def without_reach(opora):
    """Take row security away too: every transaction runs with the reach of the system."""

    async def anybody(caller: Annotated[Principal, Depends(as_before)]):
        return replace(caller, reach=Reach(Level.SYSTEM))

    for app in opora.apps.values():
        app.dependency_overrides[authenticate] = anybody
    yield
    for app in opora.apps.values():
        app.dependency_overrides.pop(authenticate)


async def test_the_matrix_can_tell(
    opora, territory, through_the_gateway, without_scopes, without_reach
):
    asked = await read_all(opora, territory, through_the_gateway, {"school", "other region"})

    assert len({leak.split(":", 1)[0] for leak in asked.leaked}) > 30


async def test_what_is_allowed_is_answered(territory, matrices, through_the_gateway):
    """Last, because it makes records: a later test would see more than the tables say."""
    asked, _ = matrices

    await asked.run(through_the_gateway, writes(territory, allowed=True))

    assert asked.leaked == []
    assert asked.failures == []
    # Each kind of answer was met: a matrix in which everything is refused would prove nothing.
    kinds = Counter(cell.expected() for cell, _ in asked.statuses)
    assert min(kinds[one] for one in Expected) > 50, kinds


def test_every_record_of_a_path_is_in_the_matrix():
    named = {
        matrix.parameter(operation, name)
        for operation in EVERY
        if not operation.is_public
        for name in operation.path_parameters
    }

    assert named == matrix.RECORDS.keys() | matrix.NAMES.keys()
