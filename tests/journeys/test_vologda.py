"""Vologda: seven printed cells that cannot be true, the corrected ones, and its own methodology."""

import uuid

import pytest

from services.indicators.algebra.categories import Flag, category_of
from services.indicators.methodologies.document import Methodology
from tests.support import steps
from tests.support.running import problem
from tests.support.vologda import MUNICIPALITIES, corrected, printed
from tests.support.world import until

SPLITS = "/api/indicators/v1/printed-splits"
VERSIONS = "/api/indicators/v1/methodology-versions"
DRAFTS = "/api/indicators/v1/methodology-drafts"


@pytest.fixture(scope="module")
async def vologda(opora):
    region = await steps.new_region(opora, "19", "Вологодская область (путь)")
    await steps.add_schools(
        region,
        {f"{number:02}": name for number, name in enumerate(MUNICIPALITIES, start=1)},
        [{"code": "190001", "name": "Школа № 1", "municipality": "01"}],
    )

    async def is_known():
        asked = await region.analyst.ask(
            "POST", SPLITS, json=printed(), headers={"Idempotency-Key": uuid.uuid4().hex}
        )
        return "municipality-unknown" in asked.text

    await until(is_known, what="the municipalities to reach indicators")
    return region


async def test_the_printed_cells_are_refused_and_the_corrected_ones_pass(vologda):
    refused = problem(
        await vologda.analyst.ask(
            "POST", SPLITS, json=printed(), headers={"Idempotency-Key": uuid.uuid4().hex}
        ),
        422,
        "figures-inconsistent",
    )
    told = {error["pointer"]: error["detail"] for error in refused["errors"]}
    assert "59 ≠ 63" in told["/cells"]
    assert "подразумевает 27" in told["/cells/3/percent"]
    assert "64 ≠ 63" in told["/municipalities"]
    assert "«Варнавинский» в регионе нет" in told["/municipalities/3/name"]

    as_printed = await vologda.analyst.post(
        SPLITS, printed() | {"accept_as_printed": True, "reason": "Исправление не издано"}
    )
    kept = await vologda.analyst.post(SPLITS, corrected())

    assert (as_printed["is_consistent"], kept["is_consistent"]) == (False, True)
    assert {one["code"] for one in as_printed["findings"] if one["severity"] == "error"} == {
        error["code"] for error in refused["errors"]
    }
    assert [(one["flag"], one["count"]) for one in kept["sums"]["by_flag"]] == [
        ("low_results", 48),
        ("adverse_conditions", 43),
        ("biased_results", 14),
    ]
    listed = await vologda.analyst.all(SPLITS, year=2019)
    assert [one["is_consistent"] for one in listed] == [False, True]


async def test_the_cells_of_the_split_are_the_categories_of_the_shipped_methodology(vologda):
    version = await vologda.analyst.get(
        f"{VERSIONS}/{await steps.methodology(vologda, shipped='vologda-nr-ssk-no')}"
    )
    categories = Methodology.model_validate(version["document"]).as_categories()
    bits = {flag.code: flag for flag in Flag}

    counts = {}
    for cell in corrected()["cells"]:
        flags = Flag(sum(bits[code] for code in cell["flags"]))
        counts[category_of(flags, categories).code] = cell["count"]

    assert counts == {
        "nr": 13,
        "ssk": 9,
        "no": 4,
        "nr-ssk": 27,
        "nr-no": 3,
        "ssk-no": 2,
        "nr-ssk-no": 5,
    }


async def test_the_region_lowers_its_threshold_and_is_told_so_in_words(vologda):
    former = (await vologda.analyst.all(VERSIONS, code="vologda-nr-ssk-no"))[0]
    draft = await vologda.analyst.post(DRAFTS, {"version_id": former["id"]})
    patch = {"low_result": {"threshold": "1/4"}, "in_force_from": "2026-01-01"}
    changed = await vologda.analyst.ask(
        "PATCH",
        f"{DRAFTS}/{draft['id']}",
        json={"document": patch},
        headers={"If-Match": '"1"'},
    )
    adopted = await vologda.analyst.post(
        f"{DRAFTS}/{draft['id']}/adoption",
        {"replaces_id": former["id"]},
        etag=changed.json()["version"],
    )

    words = await vologda.analyst.get(
        f"{VERSIONS}/{adopted['id']}/comparison", **{"with": former["id"]}
    )
    ended = await vologda.analyst.get(f"{VERSIONS}/{former['id']}")

    assert [one["text"] for one in words["differences"]] == [
        "действует с: 2020-09-01 → 2026-01-01",
        "порог низкого результата: 30 % → 25 %",
    ]
    assert (ended["in_force_to"], ended["replaced_by_id"]) == ("2025-12-31", adopted["id"])
