"""A small region in which a run has everything to freeze: results, profiles, signs, unknown facts."""

from typing import Any

from services.indicators.methodologies.shipped import shipped_methodologies
from tests.support.builders.context import a_detection, a_profile
from tests.support.builders.rollups import (
    a_municipality,
    a_procedure,
    a_region,
    a_school,
    results,
)

FLAGS = ("low_results", "adverse_conditions", "biased_results", "decline_risk", "prevention")
CONDITIONS = {
    "adverse_conditions": {
        "any": [{"school_mark": True}, {"index": "isbsh", "lowest_share": "1/4"}]
    },
    "biased_results": {"signs": {"at_least": 1, "years": 1}},
    "decline_risk": {
        "all": [
            {"attribute": "staff_shortage", "operator": ">=", "value": "0.2"},
            {"index": "isbsh", "operator": "<", "value": "50"},
        ]
    },
    "prevention": {
        "at_least": 2,
        "of": [
            {"rule": "b"},
            {"attribute": "staff_shortage", "operator": ">", "value": "0.1"},
            {"school_mark": True},
        ],
    },
}
ISBSH = {
    "code": "isbsh",
    "title": "Индекс социального благополучия школы",
    "method": "weighted_z",
    "components": [
        {
            "attribute": "higher_education", "title": "Оба родителя с высшим образованием",
            "adverse": "low", "weight": "2",
        },
        {"attribute": "large_families", "title": "Многодетные семьи", "adverse": "high"},
    ],
    "max_missing_weight": "1/2",
}  # fmt: skip


def five_flags(**changed: Any) -> dict[str, Any]:
    """A methodology that uses everything: five flags, an index, attributes, signs, rules."""
    document = shipped_methodologies()["smolensk-nro-fnsu"].canonical()
    document["code"] = "five-flags"
    document["flags"] = [
        {"code": "low_results", "title": "НР", "taken_from": "rules"},
        *(
            {"code": code, "title": code, "taken_from": "conditions", "when": when}
            for code, when in CONDITIONS.items()
        ),
    ]
    # The first flag that a school has names its category: exclusive and complete.
    document["categories"] = [
        {"code": f"c{place}", "title": flag, "has": [flag], "has_not": list(FLAGS[:place])}
        for place, flag in enumerate(FLAGS)
    ]
    document["indices"] = [ISBSH]
    return document | changed


# school: (municipality, mark, higher education, large families, staff shortage)
SCHOOLS = {
    1: (1, True, "0.10", "0.40", "0.25"),
    2: (1, False, "0.30", "0.20", "0.05"),
    3: (1, None, "0.55", "0.10", "0.20"),
    4: (2, None, "0.45", None, "0.30"),
    5: (2, False, None, "0.35", None),
    6: (2, False, "0.60", "0.05", "0.00"),
    7: (2, None, "0.20", "0.30", "0.15"),
    8: (1, False, "0.50", "0.15", "0.10"),
}
# procedure: school -> (low, participants)
RESULTS = {
    241: {1: (20, 40), 2: (2, 40), 3: (9, 30), 4: (0, 1), 6: (3, 25), 7: (30, 60), 8: (1, 12)},
    242: {1: (15, 30), 2: (1, 20), 3: (1, 15), 6: (0, 18), 7: (12, 20), 8: (0, 9)},
    231: {1: (12, 38), 2: (3, 41), 3: (10, 32), 6: (2, 22), 7: (5, 55), 8: (3, 10)},
    232: {1: (6, 25), 3: (0, 12), 6: (1, 20), 7: (2, 19)},
}


async def full_region(session: Any, *, backwards: bool = False) -> None:
    """Write the region; ``backwards`` writes every row in the opposite order."""

    def ordered(items: Any) -> list[Any]:
        listed = list(items)
        return listed[::-1] if backwards else listed

    await a_region(session)
    for number, name in ordered([(1, "Ёлкинский"), (2, "г. Вязьма")]):
        await a_municipality(session, number, name)
    for number, year in ordered([(240, 2024), (230, 2023)]):
        for place, kind, grade in ordered([(1, "oge", 9), (2, "ege", 11)]):
            await a_procedure(session, number + place, kind=kind, grade=grade, year=year)
    for number, (place, mark, *_) in ordered(SCHOOLS.items()):
        await a_school(session, number, municipality_id=place, adverse=mark)
    for procedure, counts in ordered(RESULTS.items()):
        await results(session, procedure, dict(ordered(counts.items())))
    for number, (_, _, *values) in ordered(SCHOOLS.items()):
        named = zip(("higher_education", "large_families", "staff_shortage"), values, strict=True)
        if number != 5:
            known = {code: value for code, value in named if value is not None}
            await a_profile(session, number, dict(ordered(known.items())))
    await a_detection(
        session, year=2024, asked=ordered([1, 2, 3, 6]),
        signs=ordered([(2, "border_peak"), (2, "over_easy"), (6, "repeated")]),
    )  # fmt: skip
