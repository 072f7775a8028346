"""What curators and machine clients can find out about a few pupils: nothing.

A region with small schools; a curator of all of them, and a machine client of the region, collect every
answer that counts pupils (lists, filters, traces, lists of two runs before and after a correction, the
workbook) and solve for what is hidden (tests/privacy/attack.py), with all totals that may be told.
"""

import io
import random
import re

import pytest
import python_calamine
from sqlalchemy import text

from services.indicators.app import SERVICE
from services.indicators.suppression.threshold import PEOPLE, Group, Unit, hidden_numbers
from services.kit.contracts import document
from tests.indicators.identification.conftest import RUNS, Desk
from tests.privacy.attack import besiege
from tests.support.builders import rollups
from tests.support.callers import curator, machine, municipality_user, region_user, school_user
from tests.support.running import problem, running

SIZE = 5
PROCEDURES = (241, 251)
CURATOR = curator(region_id=1, user_id=40)
READS = ["indices:read", "runs:read", "procedures:read", "methodologies:read", "changes:read"]
MACHINE = machine(region_id=1, scopes=READS)
EXACT_MACHINE = machine(region_id=1, scopes=[*READS, "indices:exact"], client_id="ris")
CORRECTED = 12


def counts() -> dict[int, dict[int, tuple[int, int]]]:
    """Make up (low, n) of 24 schools in two years."""
    chance = random.Random(7)
    found = {}
    for procedure in PROCEDURES:
        found[procedure] = {
            school: (round(n * chance.choice([0, 0.05, 0.1, 0.3, 0.4, 0.9, 1])), n)
            for school in range(1, 25)
            for n in [chance.choice([2, 4, 7, 12, 25, 40, 60])]
        }
        # Large, safe, and corrected by one pupil between the runs.
        found[procedure][CORRECTED] = (20, 60)
    return found


def municipality_of(school: int) -> int:
    return 1 if school == 1 else 2 + school % 5  # the first municipality has one school


def units_of(numbers: dict[int, tuple[int, int]]) -> list[Unit]:
    return [
        Unit(
            school,
            municipality_of(school),
            {
                PEOPLE: Group(n, low, low),
                "rus": Group(n, 0, 0, 0, 0),
                "mat": Group(n, low, low, 0, 0),
            },
        )
        for school, (low, n) in numbers.items()
    ]


@pytest.fixture(scope="module")
async def besieged(databases):
    """The region after two runs, with a correction of one pupil between them."""
    numbers = counts()
    async with databases.fresh(SERVICE) as urls, running(SERVICE, urls) as service:
        desk = Desk(service)
        async with service.worker():
            async with desk.facts() as session:
                await rollups.a_region(session)
                for place in range(1, 7):
                    await rollups.a_municipality(session, place, f"Район {place}")
                for school in range(1, 25):
                    place = municipality_of(school)
                    await rollups.a_school(session, school, municipality_id=place, adverse=True)
                    await rollups.insert(
                        session,
                        "curator_grant",
                        id=school,
                        region_id=1,
                        municipality_id=place,
                        school_id=school,
                        curator="user:40",
                        valid_from=__import__("datetime").date(2020, 1, 1),
                    )
                for procedure, year in zip(PROCEDURES, (2024, 2025), strict=True):
                    await rollups.a_procedure(session, procedure, year=year, margin=0)
                    await rollups.results(session, procedure, numbers[procedure])
            version = await desk.methodology(shipped="smolensk-nro-fnsu")
            first = await desk.computed(version, year=2026)
            async with desk.facts() as session:
                for table in ("rollup_pattern", "rollup_subject", "rollup_source"):
                    await session.execute(
                        text(f"DELETE FROM {table} WHERE school_id = {CORRECTED}")
                    )
                numbers[251][CORRECTED] = (21, 60)
                for procedure in PROCEDURES:
                    await rollups.results(
                        session, procedure, {CORRECTED: numbers[procedure][CORRECTED]}
                    )
                await session.execute(
                    text("UPDATE procedure SET rollup_revision = rollup_revision + 1")
                )
            second = await desk.computed(version, year=2026)
        yield desk, numbers, (first["id"], second["id"])


async def pages(desk, path, token, **params):
    items, cursor = [], None
    while True:
        query = params | {"limit": 7} | ({"cursor": cursor} if cursor else {})
        answer = await desk.call("GET", path, token=token, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


async def told_to(desk, token, procedure):
    """Collect every number of a procedure that the indices tell: by list and by each filter."""
    told = {}
    filters = [{}, *({"school_id": s} for s in range(1, 25))]
    filters += [{"municipality_id": m} for m in range(1, 7)]
    for query in filters:
        for row in await pages(
            desk, "/api/indicators/v1/indices", token, procedure_id=procedure, **query
        ):
            found = {"n": row["n"]} | {
                name: row[name]["numerator"] for name in ("failed", "low", "mass", "top")
            }
            for name, number in found.items():
                if number is not None:
                    told[row["school_id"], row["subject"], name] = number
        for row in await pages(
            desk, "/api/indicators/v1/indices/low-results", token, procedure_id=procedure, **query
        ):
            found = {"n": row["participants"]} | {
                name: row[name]["numerator"] for name in ("failed", "low")
            }
            for name, number in found.items():
                if number is not None:
                    told[row["school_id"], PEOPLE, name] = number
    return told


@pytest.mark.parametrize("token", [CURATOR, MACHINE], ids=["curator", "machine"])
async def test_lists_filters_and_totals_give_no_hidden_number(besieged, token):
    desk, numbers, _ = besieged
    for procedure in PROCEDURES:
        told = await told_to(desk, token, procedure)
        units = units_of(numbers[procedure])

        hidden, found = besiege(units, told, hidden_numbers(units, SIZE))

        assert found == []
        assert hidden > 40, "an attack on nothing proves nothing"
        assert any(name == "low" for _, _, name in told), "what is safe is told"
        assert all(number == 0 or number >= SIZE for number in told.values())


@pytest.mark.parametrize("token", [CURATOR, MACHINE], ids=["curator", "machine"])
async def test_marks_absences_means_and_rows_are_not_told(besieged, token):
    desk, _, _ = besieged
    rows = await pages(desk, "/api/indicators/v1/indices", token)
    lineage = await pages(desk, "/api/indicators/v1/results/lineage", token, school_id=CORRECTED)

    for row in rows:
        assert {"absent", "cancelled", "mean", "marks"} <= set(row["suppressed"])
        assert [row[name] for name in ("absent", "cancelled", "mean", "marks")] == [None] * 4
    for row in lineage:
        assert row["suppressed"] == ["first_row", "last_row", "rows"]
        assert (row["first_row"], row["last_row"], row["rows"]) == (None, None, None)


async def test_a_choice_of_subjects_is_not_open_to_them(besieged):
    desk, _, _ = besieged
    answer = await desk.call(
        "GET",
        "/api/indicators/v1/indices/low-results",
        token=MACHINE,
        params={"procedure_id": 241, "subject": "mat"},
    )

    problem(answer, 403, "missing-scope")


def pairs(texts) -> set[tuple[int, int]]:
    return {(int(a), int(b)) for a, b in re.findall(r"(\d+) из (\d+)", " ".join(texts))}


def participants(texts) -> set[int]:
    return {int(n) for n in re.findall(r"участников (\d+)", " ".join(texts))}


async def test_two_runs_tell_only_what_the_indices_tell_today(besieged):
    desk, numbers, runs = besieged
    told = {procedure: await told_to(desk, MACHINE, procedure) for procedure in PROCEDURES}
    seen = 0
    for run_id in runs:
        for school in range(1, 25):
            answer = await desk.call(
                "GET", f"{RUNS}/{run_id}/schools/{school}/trace", token=MACHINE
            )
            trace = answer.json()
            allowed = set()
            for procedure in trace["procedures"]:
                mine = told[procedure["procedure_id"]]
                low, n = mine.get((school, PEOPLE, "low")), mine.get((school, PEOPLE, "n"))
                share = procedure["low"]
                if share["numerator"] is not None:
                    seen += 1
                    allowed.add((low, n))
                    assert (share["numerator"], share["denominator"]) == (low, n)
                else:
                    assert share["suppressed"] == ["numerator", "denominator", "percent"]
                    assert procedure["interval"] is None
                    assert procedure["judged"]["numerator"] is None
                    assert procedure["threshold"]["possible_from"] is None
                for subject in procedure["subjects"]:
                    for name in ("n", "low", "failed", "mass"):
                        if subject[name] is not None:
                            assert subject[name] == mine[school, subject["subject"], name]
                    assert subject["absent"] is None
                for source in procedure["sources"]:
                    assert source["rows"] is None
            assert pairs(trace["sentences"]) <= allowed
            assert participants(trace["sentences"]) <= {n for _, n in allowed}
    assert seen > 10
    corrected = await desk.call("GET", f"{RUNS}/{runs[0]}/schools/{CORRECTED}/trace", token=MACHINE)
    before = {p["procedure_id"]: p["low"] for p in corrected.json()["procedures"]}
    assert numbers[251][CORRECTED] == (21, 60)
    assert before[251]["numerator"] is None, "20 of 60 then and 21 of 60 now: one pupil"


async def precision(desk, run_id, token):
    return [
        (school, procedure)
        for school in await pages(desk, f"{RUNS}/{run_id}/precision", token)
        for procedure in school["procedures"]
    ]


OF_COUNTS = (
    "low", "n", "share", "wilson", "exact", "pupils_to_threshold", "detectable",
)  # fmt: skip
OF_ALL_SCHOOLS = ("prior", "shrunken_share", "probability")


async def test_precision_tells_only_what_the_indices_tell_today(besieged):
    desk, _, runs = besieged
    told = {procedure: await told_to(desk, MACHINE, procedure) for procedure in PROCEDURES}
    seen = 0
    for run_id in runs:
        for school, found in await precision(desk, run_id, MACHINE):
            mine = told[found["procedure_id"]]
            if found["n"] is None:
                assert [found[name] for name in OF_COUNTS] == [None] * len(OF_COUNTS)
                assert set(OF_COUNTS) <= set(found["suppressed"])
                assert school["is_borderline"] is None
            else:
                seen += 1
                for name in ("low", "n"):
                    assert found[name] == mine[school["school_id"], PEOPLE, name]
    assert seen > 10


async def test_what_all_schools_have_in_common_is_not_told(besieged):
    """With the sum of all numbers, and by rho that of their squares, two hidden schools are solved."""
    desk, _, runs = besieged
    for run_id in runs:
        for _, found in await precision(desk, run_id, MACHINE):
            assert [found[name] for name in OF_ALL_SCHOOLS] == [None] * 3
            assert set(OF_ALL_SCHOOLS) <= set(found["suppressed"])
        for _, found in await precision(desk, run_id, EXACT_MACHINE):
            assert None not in [found[name] for name in OF_ALL_SCHOOLS]


async def test_participants_of_a_procedure_are_taken_for_those_who_see_exact_numbers(besieged):
    desk, _, _ = besieged
    for token in (CURATOR, MACHINE):
        answer = await desk.call(
            "POST",
            "/api/indicators/v1/detectable-changes",
            token=token,
            json={"procedure_id": PROCEDURES[0]},
        )
        problem(answer, 403, "missing-scope")


async def test_lists_and_workbooks_tell_only_what_may_be_told(besieged):
    desk, _, runs = besieged
    safe = set()
    for procedure in PROCEDURES:
        told = await told_to(desk, MACHINE, procedure)
        safe |= {
            (told[s, PEOPLE, "low"], told[s, PEOPLE, "n"])
            for s, t, n in told
            if (t, n) == (PEOPLE, "n")
        }
    for run_id in runs:
        listed = await desk.listed(run_id, MACHINE)
        reasons = [s["reason"] for m in listed["municipalities"] for s in m["schools"]]
        assert len(reasons) == 24
        assert pairs(reasons) <= safe
        for token in (MACHINE, region_user(region_id=1)):
            book = await desk.call("GET", f"{RUNS}/{run_id}/list.xlsx", token=token)
            assert pairs(texts_of(book.content)) <= safe
    exact = await desk.call(
        "GET",
        f"{RUNS}/{runs[1]}/list.xlsx",
        token=region_user(region_id=1),
        params={"is_exact": True},
    )
    assert pairs(texts_of(exact.content)) - safe, "the region may take the exact numbers with it"
    refused = await desk.call(
        "GET", f"{RUNS}/{runs[1]}/list.xlsx", token=MACHINE, params={"is_exact": True}
    )
    problem(refused, 403, "missing-scope")


def texts_of(book: bytes) -> list[str]:
    workbook = python_calamine.load_workbook(io.BytesIO(book))
    return [
        str(cell)
        for name in workbook.sheet_names
        for row in workbook.get_sheet_by_name(name).to_python()
        for cell in row
    ]


@pytest.mark.parametrize(
    "token",
    [
        region_user(region_id=1),
        municipality_user(region_id=1, municipality_id=3),
        school_user(region_id=1, municipality_id=3, school_id=1 + 5),
        EXACT_MACHINE,
    ],
    ids=["region", "municipality", "school", "machine with the scope"],
)
async def test_those_who_have_the_rows_read_exact_numbers(besieged, token):
    desk, numbers, _ = besieged
    rows = await pages(
        desk, "/api/indicators/v1/indices/low-results", token, procedure_id=PROCEDURES[0]
    )

    assert rows
    for row in rows:
        low, n = numbers[PROCEDURES[0]][row["school_id"]]
        assert (row["low"]["numerator"], row["participants"]) == (low, n)
        assert row["suppressed"] == row["low"]["suppressed"] == []


# Whole numbers of the indicators' answers that do not count pupils, and what they are instead.
NOT_PUPILS = {
    "Id": r"^(id|.*_id)$",
    "a year, a grade, a number of a version or sheet": r"^(year|grade|version|number|sheet_no|"
    r"methodology_number|first_sheet|last_sheet|.*revision)$",
    "schools": r"^(schools|place|total|by_category|many)$",
    "procedures of a rule": r"^(at_least|with_data|certain|possible|not_excluded)$",
    "rows of a file, read by those who load it (imports:read)": r"^(rows_in|stored|rejected|ignored|"
    r"count|counts|first_row|last_row|size_bytes|done)$",
    "a place in a sequence": r"^(series|position|checked_from|checked_to|status)$",
    "points of a scale": r"^(minimum|maximum|top|low_below_milli|mass_from_milli)$",
    "years of a scale": r"^year_(from|to)$",
    "a setting of a methodology": r"^(small_below|years|below|from_n|places|.*_years|years_back)$",
}
COUNTING = {"IndexOut", "LowIndexOut", "LineageOut", "SubjectTraceOut", "SourceOut", "ThresholdOut"}
# The same by the answer, where the name of the field alone does not say it.
NOT_PUPILS_HERE = {
    "schools": {
        "AgreementOut": "n both here_only there_only",
        "AttributeStatisticsOut": "n not_applicable not_submitted",
        "BorderlineOut": "lost_by_one gained_by_one within_interval",
        "ClusterRangeOut": "known",
        "CorrelationOut": "n",
        "DetectionCountsOut": "asked flagged",
        "EffectOut": "listed_before listed_after entered left changed",
        "ExpectedOut": "adverse resilient struggling excluded",
        "GroupEffectOut": "listed_before listed_after entered left",
        "LadderOut": "listed",
        "LadderStepOut": "listed entered left",
        "LineOut": "n",
        "MarkersOut": "flagged wrote_rus4",
        "MeasuredComponentOut": "n",
        "MeasuredIndexOut": "n",
        "MunicipalityEffectOut": "listed_before listed_after entered left",
        "PupilsOut": "schools_unknown",
        "QuestionOut": "limited too_few",
        "SettingOut": "entered_alone left_alone",
        "SplitSums": "cells municipalities",  # of a split of schools that a document prints
    },
    "questions to a school, and signs": {
        "DetectedSchoolOut": "asked limited too_few signs",
        "DetectionCountsOut": "signs",
        "QuestionOut": "signs",
        "MarkerCellOut": "marker",
        "MarkerSchoolOut": "markers",
    },
    "rows of a file, profiles, their cells, findings about a document": {
        "BulkProfilesOut": "created updated unchanged",
        "CellOut": "row_no",
        "LintOut": "errors warnings",
        "ProfileImportOut": "rows_stored rows_rejected rows_ignored",
        "ProfileImportRowOut": "row_no",
        "ProfileImportSummary": "rows_stored rows_rejected rows_ignored",
        "ProfileIssueOut": "rows",
        "ProfileOut": "filled not_applicable",
        "ProfileRow": "filled not_applicable",
        "VerificationOut": "cells",
    },
    "points of a scale": {"BorderOut": "border first last", "ScoreOut": "score"},
    "a year, a grade, a number of a version": {
        "ClustersOut": "context_year",
        "ExitYearOut": "watch_year",
        "MethodologyOutput": "context_year_back",
        "PackageOut": "format_version",
        "Pair": "earlier_grade later_grade",
        "RepeatEvidence": "within",
    },
    "a setting of a methodology or a detection": {
        "AppealTerms": "filing_days decision_days",
        "BorderPeak": "window",
        "DetectionSettingsOutput": "full_from limited_from schools_from",
        "JournalMarksOutput": "difference left_out_percent",
        "OverEasyOutput": "spread_percentile",
    },
    # test_participants_of_a_procedure_are_taken_for_those_who_see_exact_numbers
    "participants that the request names, or that would be needed": {
        "DetectableLevelOut": "before after",
        "DetectableOut": "needed",
        "TargetOut": "needed",
    },
}
# Parts of an answer that is hidden as a whole: the evidence of a sign (SignOut.evidence).
HIDDEN_WHOLE = {"BorderOut", "BorderPeakEvidence", "JournalEvidence", "MeasuredOut", "ScoreOut"}


def answered(contract) -> set[str]:
    """Name the schemas that some answer is made of."""

    def named(part):
        if isinstance(part, dict):
            if isinstance(reference := part.get("$ref"), str):
                *_, kind, name = reference.split("/")
                yield kind, name
            for inner in part.values():
                yield from named(inner)
        elif isinstance(part, list):
            for inner in part:
                yield from named(inner)

    found: set[tuple[str, str]] = set()
    new = {
        there
        for operations in contract["paths"].values()
        for operation in operations.values()
        if isinstance(operation, dict)
        for there in named(operation.get("responses"))
    }
    while new:
        found |= new
        new = {
            inner
            for kind, name in new
            for inner in named(contract["components"].get(kind, {}).get(name))
        } - found
    return {name for kind, name in found if kind == "schemas"}


def is_known(name: str, field: str) -> bool:
    """Say whether a whole number of an answer is known not to count pupils."""
    if field.endswith("_id") or field in {"year", "grade", "sheet_no", "size_bytes"}:
        return True
    if any(field in here.get(name, "").split() for here in NOT_PUPILS_HERE.values()):
        return True
    return name not in COUNTING and any(re.match(rule, field) for rule in NOT_PUPILS.values())


def test_every_whole_number_of_an_answer_is_a_marked_count_of_pupils_or_known_not_to_be():
    contract = document(SERVICE)
    schemas = contract["components"]["schemas"]
    unknown = []
    for name in sorted(answered(contract)):
        fields = schemas[name].get("properties", {})
        counted = {field for field, shape in fields.items() if shape.get("x-opora-pupils") is True}
        if counted and "suppressed" not in fields and name not in HIDDEN_WHOLE:
            unknown.append(f"{name}: counts pupils and is not a Counted")
        for field, shape in fields.items():
            kinds = {shape.get("type")} | {s.get("type") for s in shape.get("anyOf", [])}
            if "integer" not in kinds or "x-opora-pupils" in shape:
                continue
            if not is_known(name, field):
                unknown.append(f"{name}.{field}")

    assert unknown == [], (
        "mark it `Pupils` (services/indicators/suppression/schemas.py) or add what it is to NOT_PUPILS"
    )


def test_whatever_is_known_not_to_count_pupils_is_still_answered():
    contract = document(SERVICE)
    known = {
        f"{name}.{field}"
        for here in NOT_PUPILS_HERE.values()
        for name, fields in here.items()
        for field in fields.split()
    }
    there = {
        f"{name}.{field}"
        for name in answered(contract)
        for field in contract["components"]["schemas"][name].get("properties", {})
    }

    assert known - there == set()
    assert there >= {f"{name}.n" for name in ("CellNumbersOut", "ResultCellOut")}
