"""A run with all five flags over HTTP: every school is decided again from its printed trace."""

import json
import re
from itertools import chain, combinations

import pytest

from services.indicators.identification.operations import mark_published
from services.indicators.objectivity.tables import (
    ObjectivityDetection,
    ObjectivitySchool,
    ObjectivitySign,
)
from services.indicators.profiles.tables import SchoolProfile
from services.kit.clock import now
from tests.indicators.identification.conftest import RUNS, desk, idle_desk  # noqa: F401
from tests.support.builders.rollups import a_municipality, a_procedure, a_region, a_school, results
from tests.support.callers import machine, municipality_user, school_user
from tests.trace_checker.printed import decide, parts_of_page
from tests.trace_checker.recompute import disagreements, recompute

FLAGS = ("low_results", "adverse_conditions", "biased_results", "decline_risk", "prevention")
SCHOOLS = range(1, 13)


def methodology():
    """Vologda's three flags and two more; every condition that there is."""
    isbsh = {
        "code": "isbsh", "title": "ИСБШ", "method": "weighted_z",
        "components": [
            {"attribute": "incomplete_families", "title": "Неполные семьи", "adverse": "high"},
            {"attribute": "unemployed_parents", "title": "Безработные", "adverse": "high"},
        ],
    }  # fmt: skip
    staff = {
        "code": "staff", "title": "Кадры", "method": "bounded_shares",
        "components": [
            {"attribute": "vacancies", "over": "stakes", "title": "Вакансии", "adverse": "high"},
        ],
    }  # fmt: skip
    when = {
        "adverse_conditions": {
            "any": [{"index": "isbsh", "lowest_share": "1/4"}, {"school_mark": True}]
        },
        "biased_results": {"signs": {"at_least": 1, "years": 2}},
        "decline_risk": {
            "at_least": 1,
            "of": [
                {"index": "staff", "operator": "<", "value": "0.5"},
                {"attribute": "vacancies", "operator": ">=", "value": "4"},
            ],
        },
        "prevention": {"all": [{"rule": "b"}, {"index": "isbsh", "operator": "<=", "value": "60"}]},
    }
    flags = [{"code": "low_results", "title": "НР", "taken_from": "rules"}] + [
        {"code": code, "title": f"Признак {code}", "taken_from": "conditions", "when": condition}
        for code, condition in when.items()
    ]
    subsets = chain.from_iterable(combinations(FLAGS, size) for size in range(1, 6))
    return {
        "code": "five-flags",
        "title": "Пять признаков",
        "order": {"number": "01-05/112", "date": "2024-09-01"},
        "in_force_from": "2020-01-01",
        "low_result": {"based_on": "minimum", "threshold": "3/10", "operator": ">="},
        "procedures": [{"kind": "oge"}, {"kind": "ege"}],
        "rules": [
            {"code": "a", "title": "Две процедуры", "years_back": [1], "at_least": 2},
            {"code": "b", "title": "Два года", "years_back": [1, 2], "at_least": 1},
        ],
        "small_n": {"below": 10, "policy": "pool", "years": 2},
        "certainty": {"z": "1.959964", "shrinkage": "beta_binomial"},
        "flags": flags,
        "categories": [
            {
                "code": f"c{number}",
                "title": " + ".join(has),
                "has": list(has),
                "has_not": [flag for flag in FLAGS if flag not in has],
            }
            for number, has in enumerate(subsets, start=1)
        ],
        "indices": [isbsh, staff],
    }


def a_value(number):
    state = "not_submitted" if number is None else "value"
    return {
        "state": state, "value": None if number is None else str(number), "numerator": None,
        "denominator": None, "source": "Социальный паспорт", "import_id": None, "row_no": None,
    }  # fmt: skip


async def profiles(session):
    for school in SCHOOLS:
        values = {
            "incomplete_families": a_value("0.3" if school in (3, 4) else f"0.{school:02}"),
            "unemployed_parents": a_value(None if school == 5 else f"0.{school % 4}5"),
            "vacancies": a_value(school % 5),
            "stakes": a_value(20),
        }
        session.add(
            SchoolProfile(
                region_id=1,
                municipality_id=1,
                school_id=school,
                year=2024,
                values=values,
                filled=4,
                not_applicable=0,
                updated_by="user:1",
            )
        )


async def detections(session):
    """Signs were looked for in two years; schools 2 and 6 have one."""
    for year in (2023, 2024):
        detection = ObjectivityDetection(
            region_id=1, year=year, state="computed", settings={}, settings_hash="a" * 64,
            input_hash="b" * 64, result_hash="c" * 64, procedures=[], tests=[], counts={},
            created_by="user:1", computed_at=now(),
        )  # fmt: skip
        session.add(detection)
        await session.flush()
        for school in SCHOOLS:
            session.add(
                ObjectivitySchool(
                    detection_id=detection.id,
                    school_id=school,
                    region_id=1,
                    municipality_id=1,
                    code=f"{school}",
                    name="x",
                    municipality_name="x",
                    asked=0 if school == 7 else 1,
                    limited=0,
                    too_few=0,
                    cells={},
                )
            )
        if year == 2024:
            for school in (2, 6):
                session.add(
                    ObjectivitySign(
                        region_id=1,
                        municipality_id=1,
                        school_id=school,
                        detection_id=detection.id,
                        year=year,
                        detector="border_peak",
                        procedure_id=241,
                        subject="rus",
                        n=50,
                        sample="full",
                        evidence={},
                    )
                )


@pytest.fixture
async def world(desk):  # noqa: F811
    async with desk.facts() as session:
        await a_region(session)
        await a_municipality(session, 1, "Велижский")
        for school in SCHOOLS:
            mark = {1: True, 2: False}.get(school)
            await a_school(session, school, municipality_id=1, adverse=mark)
        for number, year in ((240, 2024), (230, 2023)):
            await a_procedure(session, number + 1, kind="oge", grade=9, year=year)
            await a_procedure(session, number + 2, kind="ege", grade=11, year=year)
        for procedure in (241, 231, 242):
            numbers = {s: ((s * procedure) % (s * 4), s * 4) for s in SCHOOLS if s != 9}
            await results(session, procedure, numbers)
        await profiles(session)
        await detections(session)
    run = await desk.computed(await desk.methodology(document=methodology()))
    return desk, run


async def test_every_school_of_a_run_with_five_flags_is_decided_again(world):
    desk, run = world  # noqa: F811
    seen = {flag: set() for flag in FLAGS}

    for school in SCHOOLS:
        path = f"{RUNS}/{run['id']}/schools/{school}"
        trace = (await desk.call("GET", f"{path}/trace")).json()

        answer = recompute(trace)

        assert answer.category == trace["school"]["category"]
        assert sorted(answer.flags) == sorted(trace["school"]["flags"])
        assert sorted(answer.unknown) == sorted(trace["school"]["unknown_flags"])
        assert disagreements(trace) == []
        page = (await desk.call("GET", f"{path}/sheet")).text
        assert decide(parts_of_page(page)).category == trace["category_title"]
        for flag in trace["flags"]:
            seen[flag["code"]].add(flag["answer"])
    assert all({"yes", "no"} <= answers for answers in seen.values()), seen
    assert "unknown" in seen["biased_results"]


async def test_who_may_not_see_signs_reads_hidden_and_finds_none_of_them(world):
    desk, run = world  # noqa: F811
    await desk.approved(await desk.prepared(run))
    async with desk.facts() as session:
        await mark_published(session, run["id"], at=now())
    path = f"{RUNS}/{run['id']}/schools/2"
    own = school_user(region_id=1, municipality_id=1, school_id=2)
    place = municipality_user(region_id=1, municipality_id=1)
    reader = machine(region_id=1, scopes=["runs:read"])

    for token, sees in ((own, False), (reader, False), (place, True), (None, True)):
        trace = (await desk.call("GET", f"{path}/trace", token=token)).json()
        page = (await desk.call("GET", f"{path}/sheet", token=token)).text
        assert (trace["signs"] is not None) is sees
        assert ("border_peak" in json.dumps(trace["signs"])) is sees
        assert ("border_peak" in page) is sees
    published = (await desk.call("GET", f"{path}/sheet.docx")).content
    assert b"border_peak" not in published
    # Without exact numbers nothing of the school's own stands in the indices.
    trace = (await desk.call("GET", f"{path}/trace", token=reader)).json()
    for index in trace["indices"]:
        assert index["is_hidden"]
        told = [index["value"], *(c[k] for c in index["components"] for k in OWN)]
        assert set(told) == {None}
    assert not re.search(r": у школы \d", json.dumps(trace["flags"], ensure_ascii=False))

    borders = [node["border"] for node in lowest_shares(trace["flags"])]
    assert borders
    assert set(borders) == {None}
    page = (await desk.call("GET", f"{path}/sheet", token=reader)).text
    assert "граница скрыта" in page
    # Nor what the numbers of all schools together would give back.
    whole = (await desk.call("GET", f"{path}/trace")).json()
    shrunken = [p["procedure_id"] for p in whole["procedures"] if p["prior"]]
    assert shrunken
    for procedure in trace["procedures"]:
        assert (procedure["prior"], procedure["shrunken"]) == (None, None)
        assert ("prior" in procedure["suppressed"]) is (procedure["procedure_id"] in shrunken)
    assert any(c["mean"] and c["sd"] for index in whole["indices"] for c in index["components"])
    assert any(node["border"] for node in lowest_shares(whole["flags"]))


def lowest_shares(part):
    """Find the conditions that compare a school with the lowest of all."""
    if isinstance(part, list):
        return [found for one in part for found in lowest_shares(one)]
    if not isinstance(part, dict):
        return []
    own = [part] if part.get("kind") == "lowest_share" else []
    return own + [found for inner in part.values() for found in lowest_shares(inner)]


OWN = ("value", "over_value", "points", "contribution", "mean", "sd", "minimum", "maximum")
