"""Every operation that makes something honours the key, or says why not.

Whatever does not follow a convention stands in a table below with its reason. A reason that no longer
applies fails as well: the tables say how things are.
"""

import asyncio
import re
import uuid

import asyncpg
import pytest

from services.indicators.methodologies import packages
from services.indicators.methodologies.shipped import shipped_methodologies
from tests.support import steps
from tests.support.running import problem
from tests.sweeps.operations import EVERY
from tests.sweeps.test_operations import call, ids, with_ids  # noqa: F401  a fixture

BY_ID = {operation.id: operation for operation in EVERY}


def headers_of(operation) -> set[str]:
    return {p["name"].lower() for p in operation.spec.get("parameters", []) if p["in"] == "header"}


ONCE_BY_IF_MATCH = "If-Match: the second call finds another version and gets 412"
STATES_AGAIN = "says how something is to be; saying it twice changes nothing"
SECRET = "answers with a secret, which is never stored and so cannot be answered again"
PROOF = "bound to a proof that is used up (code, ticket, invitation, state)"

NO_KEY = {
    "gateway_issue_token": "asks for no idempotency: every call is a login of its own",
    "gateway_revoke_token": STATES_AGAIN,
    "gateway_begin_external_login": PROOF,
    "gateway_finish_external_login": PROOF,
    "gateway_redeem_invitation": PROOF,
    "gateway_enrol_own_second_factor": SECRET,
    "gateway_enrol_by_ticket": SECRET,
    "gateway_replace_own_recovery_codes": SECRET,
    "gateway_remove_own_second_factor": STATES_AGAIN,
    "gateway_issue_machine_client_secret": f"{SECRET}; {ONCE_BY_IF_MATCH}",
    "gateway_invite_account": f"{SECRET}; {ONCE_BY_IF_MATCH}",
    "gateway_reset_account_password": f"{SECRET}; {ONCE_BY_IF_MATCH}",
    "gateway_verify_audit": "reads only",
    "registry_verify_audit": "reads only",
    "indicators_verify_audit": "reads only",
    "monitoring_verify_audit": "reads only",
    "training_verify_audit": "reads only",
    "indicators_lint_methodology": "reads only",
    "indicators_verify_identification_run": "reads only",
    "indicators_find_detectable_changes": "calculates, stores nothing",
    "indicators_judge_one_target": "calculates, stores nothing",
    "registry_close_school": ONCE_BY_IF_MATCH,
    "registry_reopen_school": ONCE_BY_IF_MATCH,
    "registry_withdraw_participation": ONCE_BY_IF_MATCH,
}

ONE_TIME = {
    "indicators_upload_profiles",
    "indicators_commit_profile_import",
    "registry_upload_schools",
    "registry_commit_school_import",
    "registry_apply_participations",
    "registry_create_curator_grants",
    "indicators_create_import",
    "indicators_commit_import",
    "indicators_start_identification_run",
    "indicators_publish_identification_run",
    "training_enrol_schools",
}
"""Acts that happen once: without a key they are refused (design 3).

Schools and sizes written many at once are not: they say how things are, and a second time change nothing.
"""


def test_every_post_takes_an_idempotency_key_or_says_why_not():
    without = {
        operation.id
        for operation in EVERY
        if operation.method == "POST" and "idempotency-key" not in headers_of(operation)
    }

    unexplained = without - NO_KEY.keys()
    outdated = NO_KEY.keys() - without
    assert (unexplained, outdated) == (set(), set())


@pytest.mark.parametrize("name", sorted(ONE_TIME))
async def test_a_one_time_act_without_a_key_is_refused(name, smolensk, ids):  # noqa: F811
    operation = BY_ID[name]
    path = operation.at(ids, default=1)
    answer = await smolensk.region.approver.ask(
        operation.method, path, json=operation.body(), headers={"If-Match": '"1"'}
    )

    problem(answer, 400, "idempotency-key-missing")


@pytest.fixture(scope="module")
async def workshop(opora):
    """A region of its own, in which everything that can be made is made, twice with one key."""
    region = await steps.new_region(opora, "71", "Тульская область")
    schools = await steps.add_schools(
        region,
        {"01": "Алексинский"},
        [{"code": f"7100{n}", "name": f"Школа № {n}", "municipality": "01"} for n in range(1, 6)],
    )
    analyst = region.analyst
    year = await analyst.post("/api/registry/v1/programme-years", {"year": 2031})
    procedure = await steps.add_procedure(
        region, kind="oge", grade=9, year=2024, published=True, permitted_uses=[]
    )
    wave = {
        "year": 2031,
        "kind": "entry",
        "title": "Входной",
        "opens_on": "2031-03-01",
        "closes_on": "2031-03-31",
    }
    course = {
        "year": 2031,
        "title": "Курс",
        "hours": 36,
        "places": 35,
        "starts_on": "2031-03-12",
        "ends_on": "2031-03-27",
    }
    made_wave = await analyst.post("/api/monitoring/v1/waves", wave)
    made_course = await analyst.post("/api/training/v1/courses", course)
    school = [schools[f"7100{n}"] for n in range(1, 6)]
    place = school[0]["municipality_id"]
    grant = {"curator": "user:9", "valid_from": "2025-03-15", "reason": "Приказ № 1"}
    taking_part = {"year": 2031, "categories": ["low_results"]}
    draft = await analyst.post(
        "/api/indicators/v1/imports", {"procedure_id": procedure["id"], "layout": "opora-results"}
    )
    enrolment = await analyst.post(
        "/api/training/v1/enrolments",
        {"course_id": made_course["id"], "school_id": school[4]["id"], "people": 1},
    )
    given = await analyst.post(
        "/api/registry/v1/curator-grants", grant | {"school_id": school[4]["id"]}
    )
    opened = made_wave
    document = shipped_methodologies()["federal-shnor-gia"].canonical()
    own_rules = await steps.methodology_draft(region, document=document | {"code": "own-rules"})
    origin = {"code": "packed", "number": 1}
    package = packages.make(document=document | {"code": "packed"}, origin=origin, findings=[])
    printed_split = {
        "year": 2019,
        "title": "Прежний список",
        "source": {"document": "Программа"},
        "total": 1,
        "flags": [{"code": "low_results", "title": "НР"}],
        "cells": [{"flags": ["low_results"], "count": 1}],
    }
    bodies = {
        "gateway_create_machine_client": {
            "client_id": "twice",
            "title": "Дважды",
            "scopes": ["changes:read"],
        },
        "gateway_create_account": {
            "login": "twice.account",
            "display_name": "Дважды Д. Д.",
            "role": "municipality",
            "municipality_id": place,
            "password": "длинный пароль для испытаний",
        },
        "registry_create_municipality": {"code": "02", "name": "Белёвский", "kind": "district"},
        "registry_create_school": {
            "code": "71099",
            "name": "Новая школа",
            "municipality_id": place,
            "kind": "sosh",
            "stages": ["noo"],
        },
        "registry_write_schools": {
            "schools": [
                {
                    "code": "71098",
                    "name": "Ещё школа",
                    "municipality_id": place,
                    "kind": "sosh",
                    "stages": ["noo"],
                }
            ]
        },
        "registry_write_sizes": {
            "sizes": [
                {
                    "school_id": school[0]["id"],
                    "year": 2024,
                    "pupils": 100,
                    "classes": 5,
                    "source": "ОО-1",
                }
            ]
        },
        "registry_create_programme_year": {"year": 2032},
        "registry_create_participation": taking_part | {"school_id": school[0]["id"]},
        "registry_apply_participations": {
            "year": 2031,
            "source": "order",
            "order_number": "1",
            "order_date": "2026-03-15",
            "entries": [{"school_id": school[1]["id"], "categories": ["low_results"]}],
        },
        "registry_create_curator_grant": grant | {"school_id": school[0]["id"]},
        "registry_create_curator_grants": {"grants": [grant | {"school_id": school[1]["id"]}]},
        ("registry_revoke_curator_grant", given["id"]): {"reason": "Увольнение"},
        "indicators_add_procedure": {
            "kind": "oge",
            "grade": 9,
            "year": 2025,
            "published": True,
            "permitted_uses": [],
        },
        "indicators_create_import": {"procedure_id": procedure["id"], "layout": "opora-results"},
        ("indicators_cancel_import", draft["id"]): None,
        "indicators_adopt_attributes": {"codes": ["both_parents_higher", "incomplete_families"]},
        "indicators_add_profile_attribute": {
            "code": "bus_minutes",
            "title": "Минут в пути",
            "kind": "number",
            "unit": "мин",
            "group": "other",
            "source": "Приказ № 5",
            "is_about_pupils": False,
        },
        "indicators_add_school_profile": {
            "school_id": school[0]["id"],
            "year": 2025,
            "cells": [{"attribute": "bus_minutes", "value": "10", "source": "Анкета"}],
        },
        "indicators_write_school_profiles": {
            "year": 2025,
            "profiles": [
                {
                    "school_id": school[1]["id"],
                    "cells": [{"attribute": "bus_minutes", "value": "20", "source": "Анкета"}],
                }
            ],
        },
        "indicators_add_context_index": {
            "document": {
                "code": "own",
                "title": "Свой",
                "method": "weighted_z",
                "components": [{"attribute": "bus_minutes", "title": "Путь", "adverse": "high"}],
            }
        },
        "indicators_calculate_context": {
            "year": 2025,
            "expectation": {
                "result": {"taken_from": "attributes", "attributes": ["bus_minutes"]},
                "on": [{"attribute": "bus_minutes"}],
            },
        },
        "indicators_add_methodology_version": {"shipped": "smolensk-nro-fnsu"},
        "indicators_begin_methodology_draft": {"shipped": "federal-shnor-gia"},
        ("indicators_adopt_methodology_draft", own_rules["id"]): {},
        "indicators_import_methodology_package": package,
        "indicators_keep_printed_split": printed_split,
        "monitoring_plan_wave": wave | {"title": "Вторая"},
        ("monitoring_add_expected_schools", made_wave["id"]): {"school_ids": [school[0]["id"]]},
        "training_plan_course": course | {"title": "Второй"},
        "training_enrol_school": {
            "course_id": made_course["id"],
            "school_id": school[0]["id"],
            "people": 2,
        },
        "training_enrol_schools": {
            "course_id": made_course["id"],
            "enrolments": [{"school_id": school[1]["id"], "people": 2}],
        },
        ("training_withdraw_enrolment", enrolment["id"], enrolment["version"]): {
            "reason": "Перенос на осень"
        },
    }
    assert year["year"] == 2031
    assert opened["id"]
    return region, bodies


PROVED_ELSEWHERE = {
    "indicators_upload_profiles": "takes a file: tests/indicators/profile_imports",
    "indicators_commit_profile_import": "a step after a file: tests/indicators/profile_imports",
    "gateway_rotate_key": "only the root client: tests/gateway/keys/test_rotation.py",
    "gateway_revoke_key": "only the root client: tests/gateway/keys/test_rotation.py",
    "registry_create_region": "regions are made by the root client: tests/registry/territory",
    "registry_create_succession": "tests/registry/schools/test_history.py",
    "registry_upload_schools": "takes a file: tests/registry/school_imports",
    "registry_commit_school_import": "a step after a file: tests/registry/school_imports",
    "indicators_add_scale": "a step of a procedure: tests/indicators/procedures",
    "indicators_check_import": "a step after a file: tests/indicators/results/test_import.py",
    "indicators_commit_import": "a step after a file: tests/indicators/results/test_import.py",
    "indicators_start_identification_run": "tests/indicators/identification/test_runs.py",
    "indicators_prepare_identification_run": "tests/indicators/identification/test_approval.py",
    "indicators_approve_identification_run": "tests/indicators/identification/test_approval.py",
    "indicators_publish_identification_run": "tests/indicators/identification/test_approval.py",
    "indicators_void_identification_run": "tests/indicators/identification/test_approval.py",
    "indicators_file_appeal": "asks for a published list: tests/indicators/appeals",
    "indicators_withdraw_appeal": "tests/indicators/appeals/test_appeals.py",
    "indicators_start_appeal_review": "tests/indicators/appeals/test_appeals.py",
    "indicators_try_appeal_correction": "tests/indicators/appeals/test_appeals.py",
    "indicators_decide_appeal": "tests/indicators/appeals/test_appeals.py",
    "indicators_create_scenario": "asks for a run: tests/indicators/scenarios",
    "indicators_void_scenario": "tests/indicators/scenarios/test_scenarios.py",
    "indicators_start_objectivity_detection": "asks for results: tests/indicators/objectivity",
    "indicators_publish_objectivity_detection": "tests/indicators/objectivity/test_signs.py",
    "indicators_void_objectivity_detection": "tests/indicators/objectivity/test_signs.py",
    "indicators_review_objectivity_sign": "tests/indicators/objectivity/test_signs.py",
    "monitoring_open_wave": "waits for its day: tests/monitoring/waves",
    "monitoring_close_wave": "waits for its day: tests/monitoring/waves",
}


async def test_every_keyed_operation_is_called_twice_here_or_elsewhere(workshop):
    _, bodies = workshop
    here = {name if isinstance(name, str) else name[0] for name in bodies}
    keyed = {o.id for o in EVERY if "idempotency-key" in headers_of(o)}

    assert (keyed - here - PROVED_ELSEWHERE.keys(), PROVED_ELSEWHERE.keys() - keyed) == (
        set(),
        set(),
    )


async def rows(opora):
    """Count the rows of all tables but those that every request may write."""
    counted = {}
    for service, urls in opora.urls.items():
        connection = await asyncpg.connect(urls.admin.replace("+asyncpg", ""))
        for (table,) in await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND NOT relispartition"
            " AND relnamespace = 'public'::regnamespace"
        ):
            if not re.match(
                "idempotency|attempt|feed_cursor|rate|job|session|audit|read_|bucket", table
            ):
                counted[service, table] = await connection.fetchval(
                    f'SELECT count(*) FROM "{table}"'
                )
        await connection.close()
    return counted


async def settled(opora):
    """Return the counts when nothing moves any more: other services and jobs follow what was done."""
    before = await rows(opora)
    for _ in range(50):
        await asyncio.sleep(0.3)
        after = await rows(opora)
        if after == before:
            break
        before = after
    return before


async def test_the_same_key_has_one_effect_and_one_answer(workshop, opora):
    region, bodies = workshop
    told = []
    for name, body in bodies.items():
        operation_id, *rest = (name,) if isinstance(name, str) else name
        operation = BY_ID[operation_id]
        path = operation.path.format(
            **dict.fromkeys(operation.path_parameters, rest[0] if rest else 0)
        )
        version = rest[1] if len(rest) > 1 else 1
        headers = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": f'"{version}"'}

        async def ask(caller, content, *, path=path, headers=headers):
            return await caller.ask("POST", path, json=content, headers=headers)

        first = await ask(region.analyst, body)
        before = await settled(opora)
        second = await ask(region.analyst, body)
        after = await settled(opora)
        other = await ask(region.analyst, (body or {}) | {"reason": "иная"})
        neighbour = await ask(region.approver, body)

        if first.status_code not in (200, 201, 202):
            told.append(f"{operation_id}: {first.status_code} {first.text[:200]}")
            continue
        if (second.status_code, second.content) != (first.status_code, first.content):
            told.append(f"{operation_id}: another answer: {second.status_code} {second.text[:200]}")
        if second.headers.get("idempotency-replayed") != "true":
            told.append(f"{operation_id}: is not marked as replayed")
        if before != after:
            grown = {table for table in after if after[table] != before.get(table)}
            told.append(f"{operation_id}: a second effect in {grown}")
        if (other.status_code, other.json().get("code")) != (422, "idempotency-key-reused"):
            told.append(f"{operation_id}: another body: {other.status_code} {other.text[:200]}")
        if "idempotency-replayed" in neighbour.headers:
            told.append(f"{operation_id}: the key of another caller was answered")

    assert told == []
