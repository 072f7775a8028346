"""A detection of objectivity signs in a story: a work of the fourth grade in which one school is inflated."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import asyncpg

from tests.support import steps
from tests.support.steps import Region
from tests.support.world import until

API = "/api/indicators/v1"
YEAR = 2021
"""A year that no other part of a story looks at."""
PUPILS = 40
BORDERS = (14, 24, 33)
"""Marks of ВПР, русский язык, 4 класс. Source: methodology B8."""


def works(codes: Iterable[str], inflated: str) -> bytes:
    """Write the works: scores of 4 to 36 evenly; the inflated school's go up to the next border."""
    lines = ["Код ОО;Код участника;Предмет;Балл;Отметка по журналу"]
    for place, code in enumerate(codes):
        for pupil in range(PUPILS):
            score = 4 + (pupil * 7 + place * 5) % 33
            if code == inflated:
                score = next((b for b in BORDERS if b - 3 <= score < b), score)
            lines.append(f"{code};{YEAR}{code}{pupil:02};rus;{score};4")
    return ("\n".join(lines) + "\n").encode()


async def detect(
    region: Region, codes: Iterable[str], inflated: str
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Import the works, look for signs, open them to municipalities; return the detection and a sign."""
    procedure = await steps.add_procedure(
        region, kind="vpr", grade=4, year=YEAR, published=True,
        permitted_uses=[{"use": "analysis", "from": None, "to": None, "basis": "Порядок ВПР"}],
    )  # fmt: skip
    await steps.import_results(region.machine, procedure["id"], works(codes, inflated))
    path = f"{API}/objectivity-detections"
    # A few schools are a region here.
    wish = {"year": YEAR, "settings": {"schools_from": 4}}
    started = await region.analyst.post(path, wish)

    async def computed() -> Any:
        found = await region.analyst.get(f"{path}/{started['id']}")
        return None if found["state"] == "computing" else found

    detection = await until(computed, seconds=120, what="the detection")
    assert detection["state"] == "computed", detection
    detection = await region.analyst.post(
        f"{path}/{detection['id']}/publication", etag=detection["version"]
    )
    signs = await region.analyst.all(f"{path}/{detection['id']}/signs")
    sign = next(one for one in signs if one["school_code"] == inflated)
    return detection, sign


async def write(
    admin_url: str, region_id: int, schools: Iterable[tuple[int, int]], name: str
) -> tuple[int, dict[int, int]]:
    """Write an open detection with a sign for each school (id, municipality) straight into the database.

    Regions of one to three schools, which no detector says anything of, have signs only so.

    Returns:
        The detection and the signs by school.
    """
    connection = await asyncpg.connect(admin_url.replace("+asyncpg", ""))
    detection = await connection.fetchval(
        "INSERT INTO objectivity_detection (region_id, year, state, is_published, settings, settings_hash,"
        " result_hash, counts, created_by) VALUES ($1, 2021, 'published', true, '{}', $2, $2, $3, $4)"
        " RETURNING id",
        region_id, "0" * 64,
        '{"schools": 1, "asked": 1, "flagged": 1, "signs": 1, "by_detector": {}}', "user:1",
    )  # fmt: skip
    signs = {}
    for school, municipality in schools:
        place = (region_id, municipality, school, detection)
        await connection.execute(
            "INSERT INTO objectivity_school (region_id, municipality_id, school_id, detection_id,"
            " is_published, code, name, municipality_name, asked, limited, too_few, cells)"
            " VALUES ($1, $2, $3, $4, true, '1', $5, $5, 1, 0, 0, $6)",
            *place, name,
            json.dumps({key: {"n": 1, "state": "asked"} for key in ("4_rus", "4_mat", "5_rus", "5_mat")}),
        )  # fmt: skip
        signs[school] = await connection.fetchval(
            "INSERT INTO objectivity_sign (region_id, municipality_id, school_id, detection_id,"
            " is_published, year, detector, sample, evidence)"
            " VALUES ($1, $2, $3, $4, true, 2021, 'repeated', 'full', $5) RETURNING id",
            *place,
            json.dumps({"detector": "repeated", "years": [2020, 2021], "within": 3, "signs": []}),
        )  # fmt: skip
    await connection.close()
    return int(detection), signs
