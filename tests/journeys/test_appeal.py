"""A listed school disputes one number: the sandbox, the decision, the new list, and why it differs."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.support import steps
from tests.support.running import problem
from tests.support.smolensk import PUPILS, results_file
from tests.support.steps import Region
from tests.support.world import Caller

INDICATORS = "/api/indicators/v1"
LIST_YEAR = 2026
MUNICIPALITIES = {"01": "Абанский", "02": "Ачинский"}
# code: (municipality, is low)
SCHOOLS = {"240101": ("01", True), "240102": ("01", True), "240201": ("02", True)}


@dataclass
class Dispute:
    """The region after the appeal was decided and the next list published."""

    region: Region
    judge: Caller
    schools: dict[str, dict[str, Any]]
    people: dict[str, Caller]
    procedure: dict[str, Any]
    first: dict[str, Any]
    second: dict[str, Any]
    before: dict[str, Any]
    appeal: dict[str, Any]
    sandbox: dict[str, Any]
    between: dict[str, Any]


@pytest.fixture(scope="module")
async def dispute(opora):
    region = await steps.new_region(opora, "24", "Красноярский край")
    schools = await steps.add_schools(
        region,
        MUNICIPALITIES,
        [
            {"code": code, "name": f"Школа {code}", "municipality": place}
            for code, (place, _) in SCHOOLS.items()
        ],
    )
    await region.analyst.post("/api/registry/v1/programme-years", {"year": LIST_YEAR})
    permitted = [{"use": "identification", "from": None, "to": None, "basis": "Приказ № 1"}]
    procedures = [
        await steps.add_procedure(
            region, kind="oge", grade=9, year=year, published=True, permitted_uses=permitted
        )
        for year in (LIST_YEAR - 2, LIST_YEAR - 1)
    ]
    planned = [{"code": code, "is_low": low} for code, (_, low) in SCHOOLS.items()]
    for procedure in procedures:
        await steps.import_results(
            region.machine, procedure["id"], results_file(planned, procedure["year"])
        )
    version = await steps.methodology(region, shipped="smolensk-nro-fnsu")

    async def publish(order: str) -> dict[str, Any]:
        run = await steps.identify(region, year=LIST_YEAR, methodology_version_id=version)
        return await steps.publish(region, run, order)

    first = await publish("11-ОД")
    own = schools["240101"]
    people = {
        code: await opora.person(region.analyst, "school", school_id=school["id"])
        for code, school in schools.items()
    }
    people["01"] = await opora.person(
        region.analyst, "municipality", municipality_id=own["municipality_id"]
    )
    people["02"] = await opora.person(
        region.analyst, "municipality", municipality_id=schools["240201"]["municipality_id"]
    )
    judge = await opora.person(await opora.root(), "region", region_id=region.id)
    before = await region.analyst.get(f"{INDICATORS}/identification-runs/{first['id']}/list")

    number = procedures[1]["id"]
    appeal = await people["240101"].post(
        f"{INDICATORS}/appeals",
        {
            "run_id": first["id"],
            "school_id": own["id"],
            "claimed": {
                "kind": "result", "procedure_id": number, "n": PUPILS, "low": 2, "failed": 2,
            },
            "reason": "Четыре работы проверены по ключу другого варианта",
            "evidence": [{"title": "Протокол перепроверки", "document_number": "17"}],
        },
    )  # fmt: skip
    path = f"{INDICATORS}/appeals/{appeal['id']}"
    taken = await judge.post(f"{path}/review", etag=appeal["version"])
    sandbox = await judge.post(f"{path}/sandboxes", {"corrected": None})
    await judge.post(
        f"{path}/decision",
        {
            "outcome": "accepted", "reason": "Перепроверка подтвердила ошибку",
            "protocol_number": "3", "protocol_date": "2026-04-20",
            "commission": ["заместитель министра", "директор РЦОКО"], "order_number": "31-ОД",
        },
        etag=taken["version"],
    )  # fmt: skip
    between = await region.analyst.get(f"{INDICATORS}/identification-runs/{first['id']}/list")
    second = await publish("12-ОД")
    return Dispute(
        region, judge, schools, people, procedures[1], first, second, before, appeal, sandbox,
        between,
    )  # fmt: skip


def named(listed: dict[str, Any]) -> set[str]:
    return {s["code"] for m in listed["municipalities"] for s in m["schools"]}


async def test_the_sandbox_foretold_that_the_school_leaves_and_nobody_else_moves(dispute):
    assert dispute.appeal["contested"]["n"] == PUPILS
    outcome = dispute.sandbox["outcome"]
    assert (outcome["change"], outcome["others"]) == ("left", [])


async def test_the_decision_alone_changes_no_list(dispute):
    assert dispute.between == dispute.before
    assert named(dispute.between) == set(SCHOOLS)


async def test_the_new_list_is_without_the_school_and_the_old_one_stays(dispute):
    path = f"{INDICATORS}/identification-runs"
    analyst = dispute.region.analyst

    assert named(await analyst.get(f"{path}/{dispute.second['id']}/list")) == {"240102", "240201"}
    assert await analyst.get(f"{path}/{dispute.first['id']}/list") == dispute.before


async def test_the_comparison_of_the_runs_says_why_in_one_sentence(dispute):
    found = await dispute.region.analyst.get(
        f"{INDICATORS}/identification-runs/{dispute.second['id']}/differences",
        earlier_run_id=dispute.first["id"],
    )

    (item,) = found["items"]
    assert (item["code"], item["kind"]) == ("240101", "left")
    sentence = item["reason"]["sentence"]
    assert sentence.startswith("«Школа 240101» вышла из списка: по апелляции № ")
    assert f"№ {dispute.appeal['id']} (приказ 31-ОД)" in sentence
    assert f"было 6 из {PUPILS}, стало 2 из {PUPILS}" in sentence
    assert sentence.count(".") == 1


async def test_the_registry_follows_the_new_list(dispute):
    found = await dispute.region.analyst.all("/api/registry/v1/participations", year=LIST_YEAR)

    assert {item["school_id"] for item in found} == {
        dispute.schools[code]["id"] for code in ("240102", "240201")
    }


async def test_the_appeal_names_the_run_that_carried_it_out(dispute):
    found = await dispute.people["240101"].get(f"{INDICATORS}/appeals/{dispute.appeal['id']}")

    assert (found["state"], found["carried_out_run_id"]) == ("accepted", dispute.second["id"])
    assert found["decided_by"] == dispute.judge.subject


async def test_everybody_sees_his_own(dispute):
    path = f"{INDICATORS}/appeals/{dispute.appeal['id']}"
    for who in ("240101", "01"):
        assert (await dispute.people[who].get(path))["id"] == dispute.appeal["id"]
    for who in ("240102", "240201", "02"):
        assert (await dispute.people[who].get(f"{INDICATORS}/appeals"))["items"] == []
        problem(await dispute.people[who].ask("GET", path), 404, "appeal-not-found")
    sandboxes = await dispute.people["240101"].ask("GET", f"{path}/sandboxes")
    problem(sandboxes, 403, "missing-scope")
