"""Smolensk's 75 schools of 2018 as they would come to be: loaded, examined, identified, published.

Source: Table 5 of the Smolensk report (methodology A6), all rows and columns of which add up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.indicators.methodologies.shipped import shipped_methodologies
from tests.support import objectivity, steps
from tests.support.context import add_context
from tests.support.steps import Region
from tests.support.world import Caller, World, until

# Municipality: all, only low results (НРО), only adverse conditions (ФНСУ), both.
TABLE_5 = {
    "Велижский": (2, 1, 0, 1),
    "Вяземский": (6, 2, 4, 0),
    "Гагаринский": (2, 0, 2, 0),
    "Глинковский": (2, 0, 2, 0),
    "Демидовский": (3, 1, 0, 2),
    "г. Десногорск": (2, 2, 0, 0),
    "Дорогобужский": (2, 1, 1, 0),
    "Духовщинский": (3, 1, 2, 0),
    "Ельнинский": (3, 1, 2, 0),
    "Ершичский": (2, 1, 1, 0),
    "Кардымовский": (1, 1, 0, 0),
    "Краснинский": (2, 1, 1, 0),
    "Монастырщинский": (2, 1, 0, 1),
    "Новодугинский": (5, 2, 3, 0),
    "Починковский": (2, 1, 1, 0),
    "Рославльский": (3, 1, 2, 0),
    "Руднянский": (2, 2, 0, 0),
    "Сафоновский": (3, 3, 0, 0),
    "г. Смоленск": (5, 4, 1, 0),
    "Смоленский": (5, 5, 0, 0),
    "Сычевский": (2, 1, 1, 0),
    "Темкинский": (2, 1, 0, 1),
    "Угранский": (4, 0, 2, 2),
    "Хиславичский": (2, 2, 0, 0),
    "Холм-Жирковский": (1, 0, 1, 0),
    "Шумячский": (2, 0, 2, 0),
    "Ярцевский": (5, 3, 2, 0),
}
YEARS = (2024, 2025)
LIST_YEAR = 2026
PUPILS = 12


@dataclass
class Smolensk:
    """The region after its list is published, and one person of each kind in it."""

    region: Region
    municipalities: dict[str, int]
    schools: dict[str, dict[str, Any]]
    procedures: list[dict[str, Any]]
    imports: list[dict[str, Any]]
    school_import: int
    run: dict[str, Any]
    municipality_user: Caller
    school_user: Caller
    curator: Caller
    # Where these three stand: «Велижский», its first school; the curator has its second.
    own_school: dict[str, Any]
    granted_school: dict[str, Any]
    wave: dict[str, Any]
    course: dict[str, Any]
    enrolment: dict[str, Any]
    # An open appeal of the own school, about the mark in its card.
    appeal: dict[str, Any]
    draft: dict[str, Any]
    split: dict[str, Any]
    # Ids of profiles, an index and a calculation, by path parameter.
    context: dict[str, Any]
    scenario: dict[str, Any]
    detection: Mapping[str, Any]
    # Of the own school.
    sign: Mapping[str, Any]


async def _dispute(
    region: Region, run_id: int, schools: dict[str, dict[str, Any]], procedure_id: int
) -> dict[str, Any]:
    """Contest two cells: one decision is made and moves no school; return the appeal left open."""
    result = {
        "kind": "result",
        "procedure_id": procedure_id,
        "n": PUPILS - 1,
        "low": 0,
        "failed": 0,
    }
    decided = await steps.appeal(region.analyst, run_id, schools["670103"]["id"], result)
    await steps.accept(region.approver, decided)
    mark = {"kind": "mark", "adverse_conditions": True}
    made: dict[str, Any] = await steps.appeal(region.analyst, run_id, schools["670101"]["id"], mark)
    return made


def planned_schools() -> list[dict[str, Any]]:
    """Return Table 5 as schools, and beside them one school a municipality that is neither."""
    schools = []
    for number, (name, (_, low, adverse, both)) in enumerate(TABLE_5.items(), start=1):
        kinds = (
            [(True, False)] * low
            + [(False, True)] * adverse
            + [(True, True)] * both
            + [(False, False)]
        )
        for position, (is_low, is_adverse) in enumerate(kinds, start=1):
            schools.append(
                {
                    "code": f"67{number:02}{position:02}",
                    "name": f"Школа № {position}, {name}",
                    "municipality": f"{number:02}",
                    "is_low": is_low,
                    "adverse_conditions": is_adverse,
                },
            )
    return schools


def with_context() -> dict[str, Any]:
    """Return Smolensk's methodology, which freezes an index and signs too and has the same list.

    "The mark, or the mark and more" is the mark, whatever the rest is.
    """
    document = shipped_methodologies()["smolensk-nro-fnsu"].canonical()
    mark = {"school_mark": True}
    more = [
        {"index": "isbsh", "operator": "<", "value": "45"},
        {"signs": {"at_least": 1, "years": 5}},
    ]
    document["flags"][1] |= {
        "taken_from": "conditions", "when": {"any": [mark, {"all": [mark, *more]}]},
    }  # fmt: skip
    component = {"title": "Неполные семьи", "attribute": "incomplete_families", "adverse": "high"}
    document["indices"] = [
        {
            "code": "isbsh", "title": "Индекс социального благополучия",
            "method": "weighted_z", "components": [component],
        }
    ]  # fmt: skip
    return document


def results_file(schools: list[dict[str, Any]], year: int) -> bytes:
    """Return a year's ОГЭ results: half the pupils of a weak school are below the minimum in Russian."""
    lines = ["Код ОО;Код участника;Фамилия;Дата рождения;Класс;Предмет;Балл"]
    for school in schools:
        for pupil in range(PUPILS):
            weak = school["is_low"] and pupil < PUPILS // 2
            person = f"{school['code']};{year}{school['code']}{pupil:02};Канарейкин;01.02.2009;9А"
            lines += [f"{person};1;{10 if weak else 24}", f"{person};2;16"]
    return ("\n".join(lines) + "\n").encode()


async def _leave_traces(region: Region, school: dict[str, Any], procedure: dict[str, Any]) -> int:
    """Do what fills the remaining tables: a correction, and two files with an error, only checked.

    Returns the number of the import of schools.
    """
    code, year = school["code"], procedure["year"]
    head = "Код ОО;Код участника;Предмет;Балл;Версия результата\n"
    correction = f"{head}{code};{year}{code}11;2;17;2\n".encode()
    await steps.import_results(region.machine, procedure["id"], correction)
    faulty = f"{head}{code};{year}{code}98;2;99;1\n999999;{year}{code}99;2;16;1\n".encode()
    await steps.upload(region.machine, procedure["id"], {"results": faulty})
    template = await region.analyst.ask(
        "GET", "/api/registry/v1/school-imports/template", params={"format": "csv"}
    )
    assert template.status_code == 200, template.text
    body = template.content + b"\xd0\x9a\xd0\xbe\xd0\xb4 \xd0\x9e\xd0\x9e;\n"
    uploaded = await region.analyst.ask(
        "POST",
        "/api/registry/v1/school-imports",
        content=body,
        headers={"Content-Type": "text/csv", "Idempotency-Key": "faulty-schools"},
    )
    assert uploaded.status_code == 201, uploaded.text
    return int(uploaded.json()["id"])


def printed_table_5() -> dict[str, Any]:
    """Give Table 5 as a printed split: its three groups and its municipalities."""
    low, adverse = "low_results", "adverse_conditions"
    _, only_low, only_adverse, both = (sum(row) for row in zip(*TABLE_5.values(), strict=True))
    return {
        "year": 2018,
        "title": "Таблица 5",
        "source": {"document": "Отчёт Смоленской области", "paragraph": "таблица 5"},
        "total": only_low + only_adverse + both,
        "flags": [{"code": low, "title": "НРО"}, {"code": adverse, "title": "ФНСУ"}],
        "cells": [
            {"flags": [low], "count": only_low},
            {"flags": [adverse], "count": only_adverse},
            {"flags": [low, adverse], "count": both},
        ],
        "municipalities": [{"name": name, "count": row[0]} for name, row in TABLE_5.items()],
    }


async def _merge_a_school(region: Region, into: dict[str, Any]) -> None:
    """Have a school that took no exam merge into another, before the list is made."""
    former = await region.analyst.post(
        "/api/registry/v1/schools",
        {
            "code": "670199",
            "name": "Малая школа, присоединённая",
            "municipality_id": into["municipality_id"],
            "kind": "nosh",
            "stages": ["noo"],
        },
    )
    await region.analyst.post(
        f"/api/registry/v1/schools/{former['id']}/closure",
        {"closed_on": "2025-09-01", "successor_id": into["id"], "order_number": "15"},
        etag=former["version"],
    )


async def build(world: World) -> Smolensk:
    """Do the whole job over HTTP."""
    region = await steps.new_region(world, "67", "Смоленская область")
    planned = planned_schools()
    schools = await steps.add_schools(
        region,
        {f"{number:02}": name for number, name in enumerate(TABLE_5, start=1)},
        [
            {key: school[key] for key in ("code", "name", "municipality", "adverse_conditions")}
            | (
                {"adverse_reason": "Социальный паспорт", "adverse_source": "Анкета 2025"}
                if school["adverse_conditions"]
                else {}
            )
            for school in planned
        ],
    )
    await _merge_a_school(region, schools["670101"])
    await region.analyst.post("/api/registry/v1/programme-years", {"year": LIST_YEAR})
    permitted = [
        {"use": "identification", "from": None, "to": None, "basis": "Приказ департамента № 1"}
    ]
    procedures = [
        await steps.add_procedure(
            region, kind="oge", grade=9, year=year, published=True, permitted_uses=permitted
        )
        for year in YEARS
    ]
    imports = [
        await steps.import_results(
            region.machine, procedure["id"], results_file(planned, procedure["year"])
        )
        for procedure in procedures
    ]
    detection, sign = await objectivity.detect(
        region, [school["code"] for school in planned[:12]], planned[0]["code"]
    )
    context = await add_context(region, schools)
    version = await steps.methodology(region, document=with_context())
    run = await steps.publish(
        region,
        await steps.identify(region, year=LIST_YEAR, methodology_version_id=version),
    )
    school_import = await _leave_traces(region, planned[0], procedures[1])
    municipalities = {
        item["name"]: item["id"]
        for item in await region.analyst.all("/api/registry/v1/municipalities")
    }
    own, granted = schools["670101"], schools["670102"]
    curator = await world.person(region.analyst, "curator")
    await region.analyst.post(
        "/api/registry/v1/curator-grants",
        {
            "curator": curator.subject,
            "school_id": granted["id"],
            "valid_from": "2025-09-01",
            "reason": "Приказ № 7",
        },
    )

    async def granted_everywhere() -> bool:
        seen = await curator.get("/api/indicators/v1/indices", count="true")
        return bool(seen["total"])

    await until(granted_everywhere, what="the grant to reach indicators")
    wave = await region.analyst.post(
        "/api/monitoring/v1/waves",
        {
            "year": LIST_YEAR,
            "kind": "entry",
            "title": "Входной мониторинг",
            "opens_on": "2026-03-01",
            "closes_on": "2026-03-31",
        },
    )
    wave = await region.analyst.post(
        f"/api/monitoring/v1/waves/{wave['id']}/schools", {"participants": True}
    )
    course = await region.analyst.post(
        "/api/training/v1/courses",
        {
            "year": LIST_YEAR,
            "title": "Подготовка тьюторов",
            "hours": 36,
            "places": 35,
            "starts_on": "2026-03-12",
            "ends_on": "2026-03-27",
        },
    )
    enrolment = await region.analyst.post(
        "/api/training/v1/enrolments",
        {"course_id": course["id"], "school_id": own["id"], "people": 5},
    )
    school_user = await world.person(region.analyst, "school", school_id=own["id"])
    number = int(school_user.subject.partition(":")[2])
    await steps.link_to_issuer(region.analyst, number, "1000200067")
    return Smolensk(
        region=region,
        municipalities=municipalities,
        schools=schools,
        procedures=procedures,
        imports=imports,
        school_import=school_import,
        run=run,
        municipality_user=await world.person(
            region.analyst, "municipality", municipality_id=municipalities["Велижский"]
        ),
        school_user=school_user,
        curator=curator,
        own_school=own,
        granted_school=granted,
        wave=wave,
        course=course,
        enrolment=enrolment,
        draft=await steps.methodology_draft(region, version_id=version),
        split=await steps.printed_split(region, **printed_table_5()),
        context=context,
        scenario=await steps.scenario(region, run["id"]),
        detection=detection,
        sign=sign,
        appeal=await _dispute(region, run["id"], schools, procedures[0]["id"]),
    )
