"""A running system, and regions in it for clients that other people's generators made of the contract."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import steps
from tests.support.smolensk import PUPILS, results_file
from tests.support.world import Caller, World

CONTRACT = Path(__file__).parents[2] / "openapi/opora.json"
YEARS = (2024, 2025)
LIST_YEAR = 2026
SCHOOLS = 60


@dataclass(frozen=True)
class Task:
    """What a scenario is given on its standard input, and what it has to see."""

    gateway_url: str
    given: dict[str, Any]
    codes: list[str]
    listed: list[str]

    def __str__(self) -> str:
        return json.dumps(self.given, ensure_ascii=False)


def planned(code: str) -> list[dict[str, Any]]:
    """Return schools of which every twelfth is weak and every fifteenth works in adverse conditions."""
    return [
        {
            "code": f"{code}{number:04}",
            "name": f"Школа № {number}",
            "municipality": f"{number % 3 + 1:02}",
            "is_low": number % 12 == 0,
            "adverse_conditions": number % 15 == 0,
        }
        for number in range(1, SCHOOLS + 1)
    ]


async def prepared(world: World, code: str, name: str, directory: Path) -> Task:
    """Make a region whose first year of results is there; the second is left to the client."""
    region = await steps.new_region(world, code, name)
    schools = planned(code)
    adverse = {"adverse_reason": "Социальный паспорт", "adverse_source": "Анкета 2025"}
    await steps.add_schools(
        region,
        {f"{number:02}": f"Район № {number}" for number in (1, 2, 3)},
        [
            {key: value for key, value in school.items() if key != "is_low"}
            | (adverse if school["adverse_conditions"] else {})
            for school in schools
        ],
    )
    permitted = [
        {"use": "identification", "from": None, "to": None, "basis": "Приказ департамента № 1"}
    ]
    procedures = [
        await steps.add_procedure(
            region, kind="oge", grade=9, year=year, published=True, permitted_uses=permitted
        )
        for year in YEARS
    ]
    before, now = (results_file(schools, year) for year in YEARS)
    await steps.import_results(region.machine, procedures[0]["id"], before)
    file = directory / f"results-{code}.csv"
    file.write_bytes(now)
    version = await steps.methodology(region, shipped="smolensk-nro-fnsu")
    analyst: Caller = region.analyst
    return Task(
        gateway_url=world.gateway_url,
        given={
            "login": analyst.grant["login"],
            "password": analyst.grant["password"],
            "file": str(file),
            "procedure_id": procedures[1]["id"],
            "methodology_version_id": version,
            "year": LIST_YEAR,
        },
        codes=[school["code"] for school in schools],
        listed=sorted(
            school["code"] for school in schools if school["is_low"] or school["adverse_conditions"]
        ),
    )


def saw_everything(seen: dict[str, Any], task: Task) -> None:
    """Compare what a client saw with what there is."""
    rows = SCHOOLS * PUPILS * 2
    assert seen["login"] == task.given["login"]
    assert seen["pages"] == [25, 25, 10]
    assert seen["codes"] == task.codes
    assert seen["import"] == {"state": "committed", "stored": rows, "rows_in": rows}
    assert sorted(seen["listed"]) == task.listed
    assert seen["total"] == len(task.listed)
    assert (seen["stale"]["status"], seen["stale"]["code"]) == (412, "stale-version")
    assert seen["stale"]["hint"]
    assert seen["changed"] == "Второе"
    assert seen["same"] is True
    assert seen["other"] == [422, "idempotency-key-reused"]
    assert seen["after_logout"] == 400


def told(printed: str) -> str:
    """Return a sentence for the report about what a scenario saw."""
    seen = json.loads(printed)
    return (
        f"школ {len(seen['codes'])} на {len(seen['pages'])} страницах, строк записано "
        f"{seen['import']['stored']} из {seen['import']['rows_in']}, в списке {seen['total']}, устаревший "
        f"ETag: {seen['stale']['status']} {seen['stale']['code']}, повтор с тем же ключом: один импорт"
    )
