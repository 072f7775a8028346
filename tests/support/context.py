"""Profiles of a region's schools, an index over them and a calculation, as an analyst makes them."""

import uuid
from collections.abc import Iterable
from typing import Any

from tests.support.steps import Region
from tests.support.world import until

API = "/api/indicators/v1"
YEAR = 2025


async def add_context(region: Region, codes: Iterable[str], remark: str = "") -> dict[str, Any]:
    """Load profiles of these schools by file, keep ИСБШ, calculate; return ids by path parameter.

    `profile_id` is a mapping from the school's id. One row of the file is wrong on purpose.
    """
    analyst, codes = region.analyst, list(codes)
    await analyst.post(f"{API}/profile-attributes/adoption", {})
    (attribute, *_) = await analyst.all(f"{API}/profile-attributes")

    async def follows() -> bool:
        template = await analyst.ask(
            "GET", f"{API}/profile-imports/template", params={"year": YEAR}
        )
        return all(f"\n{code};" in template.text for code in codes)

    await until(follows, what="indicators to know the schools")
    header = (
        "Код ОО;both_parents_higher;incomplete_families;on_register;unemployed_parents;staff_higher"
    )
    lines = [
        f"{code};{(place * 7) % 30 + 5}/60;{(place * 5) % 40}/60;{place % 9}/60;{place % 7}/60;0,{80 + place % 20}"
        for place, code in enumerate(codes)
    ]
    file = "\n".join([header, *lines, "999999;много;;;;", ""]).encode()
    answer = await analyst.ask(
        "POST",
        f"{API}/profile-imports",
        params={"year": YEAR, "source": f"Социальные паспорта {remark}".strip()},
        content=file,
        headers={"Content-Type": "text/csv", "Idempotency-Key": uuid.uuid4().hex},
    )
    assert answer.status_code == 201, answer.text
    loaded = answer.json()
    await analyst.post(f"{API}/profile-imports/{loaded['id']}/commit", {"accept_partial": True})
    index = await analyst.post(f"{API}/context-indices", {"shipped": "isbsh"})
    calculation = await analyst.post(
        f"{API}/context-calculations",
        {
            "year": YEAR,
            "index_ids": [index["id"]],
            "expectation": {
                "result": {"taken_from": "attributes", "attributes": ["staff_higher"]},
                "on": [{"index": "isbsh"}],
            },
        },
    )
    profiles = await analyst.all(f"{API}/school-profiles", year=YEAR)
    return {
        "attribute_id": attribute["id"],
        "profile_import_id": loaded["id"],
        "index_id": index["id"],
        "calculation_id": calculation["id"],
        "profile_id": {profile["school_id"]: profile["id"] for profile in profiles},
    }
