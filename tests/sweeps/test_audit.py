"""Questions asked of every operation and every table about the audit: is it recorded, and is it whole?

A new endpoint that shows a person, and a new table that people change, are in these sweeps the moment
they exist.
"""

import json
import uuid

import asyncpg
import pytest

from services.kit.audit import OWN, PERSONAL_MARK, READS_MARK
from services.kit.database import Located, Shared
from tests.support import steps
from tests.support.world import PASSWORD, until
from tests.sweeps.operations import EVERY, SERVICES
from tests.sweeps.test_tables import each_service, mapped

# Callers see their own data only: nobody reads somebody.
OWN_DATA = {
    "gateway_who_am_i": "one's own name",
    "gateway_list_own_sessions": "one's own devices and networks",
}

# Words for what a person is called, reached or recognised by, wherever they stand in a contract.
NAMES_OF_PEOPLE = {
    "birth_date",
    "device",
    "display_name",
    "email",
    "first_name",
    "full_name",
    "last_name",
    "login",
    "patronymic",
    "phone",
    "snils",
    "username",
}

# Tables that no trigger watches, with what tells about them instead.
UNTRACKED = {
    "registry.school_state": "history of schools, kept by a trigger of its own; school is tracked",
    "registry.participation_event": "itself the history of participation, which is tracked",
    "registry.applied_run": "which run was applied; its participations are tracked one by one",
    "registry.school_import_issue": "found in a file, whose import is tracked; never changed",
    "registry.school_import_row": "rows of a file, whose import is tracked; schools are tracked",
    "indicators.profile_import_row": "rows of a file, whose import is tracked; profiles are tracked",
    "indicators.context_school": "a part of its calculation, which is tracked; never changed",
    "indicators.class_label": "names of classes met in a file; its import is tracked",
    "indicators.import_file": "a part of its import, which is tracked",
    "indicators.import_chunk": "a part of its import, which is tracked",
    "indicators.import_finding": "found in a file, whose import is tracked; never changed",
    "indicators.import_rejection": "found in a file, whose import is tracked; never changed",
    "indicators.result": "changes by imports only; each row names its import, file and line",
    "indicators.result_history": "itself the history of results",
    "indicators.rollup_subject": "counted from results by an import, which is tracked",
    "indicators.rollup_pattern": "counted from results by an import, which is tracked",
    "indicators.rollup_source": "counted from results by an import, which is tracked",
    "indicators.run_procedure": "a part of its run, which is tracked; never changed once computed",
    "indicators.run_import": "a part of its run, which is tracked; never changed once computed",
    "indicators.run_evidence": "a part of its run, which is tracked; never changed once computed",
    "indicators.run_reorganisation": "a part of its run, which is tracked; never changed once computed",
    "indicators.run_index": "a part of its run, which is tracked; never changed once computed",
    "indicators.run_context": "a part of its run, which is tracked; never changed once computed",
    "indicators.objectivity_school": "a part of its detection, which is tracked; never changed",
    "indicators.scenario_school": "a part of its scenario, which is tracked; never changed",
    "indicators.run_sign": "a part of its run, which is tracked; never changed once computed",
    "indicators.run_school": "a part of its run, which is tracked; never changed once computed",
    **{
        f"{service}.{table}": "a copy of the registry's rows, tracked there"
        for service in ("indicators", "monitoring", "training")
        for table in ("region", "municipality", "school", "curator_grant")
    },
    "indicators.succession": "a copy of the registry's rows, tracked there",
}

READING = [operation for operation in EVERY if operation.spec.get(READS_MARK)]
OF_PERSONS = [
    operation
    for operation in READING
    if operation.spec[READS_MARK] != OWN and not operation.spec[READS_MARK].startswith("audit_")
]


def personal_fields(operation):
    """Yield the marked fields of every answer of an operation, however deep they lie."""
    seen = set()

    def walk(schema):
        if "$ref" in schema:
            if schema["$ref"] in seen:
                return
            seen.add(schema["$ref"])
        shape = operation.resolved(schema)
        for name, part in shape.get("properties", {}).items():
            if part.get(PERSONAL_MARK):
                yield name
            yield from walk(part)
        for key in ("anyOf", "oneOf", "allOf"):
            for part in shape.get(key, ()):
                yield from walk(part)
        for key in ("items", "additionalProperties"):
            if isinstance(shape.get(key), dict):
                yield from walk(shape[key])

    for status, answer in operation.spec["responses"].items():
        if status.startswith("2"):
            for content in answer.get("content", {}).values():
                yield from walk(content.get("schema", {}))


def test_every_operation_that_shows_a_person_says_so():
    silent = {
        operation.id: sorted(set(personal_fields(operation)))
        for operation in EVERY
        if set(personal_fields(operation)) and not operation.spec.get(READS_MARK)
    }
    idle = [operation.id for operation in OF_PERSONS if not set(personal_fields(operation))]

    assert silent == {}
    assert idle == [], "marked, but nothing in the answer is: mark the fields as PERSONAL"


def test_only_what_callers_see_of_themselves_goes_unrecorded():
    own = {operation.id for operation in READING if operation.spec[READS_MARK] == OWN}

    assert own == set(OWN_DATA)


def test_a_field_that_names_a_person_is_marked_wherever_it_stands():
    unmarked = sorted(
        f"{operation.service}: {schema}.{name}"
        for operation in EVERY
        for schema, shape in operation.schemas.items()
        if schema.endswith("Out") or schema == "WhoAmI"
        for name, part in shape.get("properties", {}).items()
        if name in NAMES_OF_PEOPLE and not part.get(PERSONAL_MARK)
    )

    assert sorted(set(unmarked)) == []


@each_service
async def test_every_table_that_people_change_is_tracked(service, databases):
    async with databases.fresh(service) as urls:
        connection = await asyncpg.connect(urls.admin.replace("+asyncpg", ""))
        tracked = {
            row["name"]
            for row in await connection.fetch(
                "SELECT tgrelid::regclass::text AS name FROM pg_trigger t"
                " JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.proname = 'opora_track'"
            )
        }
        await connection.close()
    located = {cls.__tablename__ for cls in mapped(service) if issubclass(cls, Located | Shared)}
    explained = {
        name.partition(".")[2] for name in UNTRACKED if name.startswith(f"{service.name}.")
    }

    assert located - tracked - explained == set(), "track(...) it, or say in UNTRACKED why not"
    assert explained & tracked == set(), "it is tracked: take it out of UNTRACKED"
    assert explained - located == set(), "there is no such table"


@pytest.fixture(scope="module")
async def region(opora):
    return await steps.new_region(opora, "29", "Архангельская область")


class Prepared:
    """What a request to an operation that shows persons needs, so that it succeeds."""

    def __init__(self, opora, region):
        self._opora, self._region = opora, region

    async def account(self, **other):
        """Make an account below the region's."""
        body = {
            "login": f"audited.{uuid.uuid4().hex[:8]}",
            "display_name": "Ответова Зоя",
            "role": "curator",
        }
        return await self._region.analyst.post("/api/accounts", body | other)

    async def of(self, operation):
        """Return path values, body and version for the operation."""
        usual = self.changed if operation.path_parameters else self.listed
        return await getattr(self, operation.id.removeprefix("gateway_"), usual)(operation)

    async def listed(self, operation):
        await self.account()
        return {}, operation.body(), None

    async def changed(self, operation):
        made = await self.account()
        return {"account_id": made["id"]}, operation.body(), made["version"]

    async def create_account(self, operation):
        body = operation.body() | {
            "login": f"audited.{uuid.uuid4().hex[:8]}",
            "role": "curator",
            "region_id": None,
            "municipality_id": None,
            "school_id": None,
        }
        return {}, body, 1

    async def active(self, operation):
        made = await self.account(password=PASSWORD)
        return {"account_id": made["id"]}, operation.body(), made["version"]

    reset_account_password = active

    async def read_external_identity(self, operation):
        made = await self.account()
        path = f"/api/accounts/{made['id']}/external-identity"
        linked = await self._region.analyst.ask(
            "PUT",
            path,
            json={"issuer": "esia", "subject": uuid.uuid4().hex},
            headers={"If-Match": f'"{made["version"]}"'},
        )
        assert linked.is_success, linked.text
        return {"account_id": made["id"]}, operation.body(), None


@pytest.mark.parametrize("operation", OF_PERSONS, ids=lambda operation: operation.id)
async def test_whoever_is_shown_a_person_is_in_the_audit(operation, opora, region):
    values, body, version = await Prepared(opora, region).of(operation)

    answer = await region.analyst.ask(
        operation.method,
        operation.path.format(**values),
        json=body,
        headers={"If-Match": f'"{version}"', "Idempotency-Key": uuid.uuid4().hex},
    )

    assert answer.is_success, f"teach Prepared how to call it: {answer.text}"
    since = {"subject": region.analyst.subject, "kind": operation.spec[READS_MARK]}
    found = [
        entry
        for entry in await region.analyst.all("/api/audit/readings", **since)
        if entry["request_id"] == answer.headers["x-request-id"]
    ]
    assert len(found) == 1, found
    assert found[0]["operation"] == operation.id
    shown = set(values.values()) or {
        item["id"] for item in answer.json().get("items", [answer.json()])
    }
    assert set(found[0]["ids"]) == shown


async def test_neither_audit_nor_feed_of_the_gateway_names_anybody(opora, region):
    people = await region.analyst.all("/api/accounts")
    connection = await asyncpg.connect(opora.urls["gateway"].admin.replace("+asyncpg", ""))
    kept = [
        json.dumps(dict(row), ensure_ascii=False, default=str)
        for table in ("audit_entry", "read_entry", "change")
        for row in await connection.fetch(f"SELECT * FROM {table}")
    ]
    await connection.close()

    assert kept
    named = [
        line
        for line in kept
        for person in people
        if person["login"] in line or person["display_name"] in line
    ]
    assert named == []


@each_service
async def test_every_service_answers_for_its_audit_and_it_is_whole(service, opora, region):
    prefix = f"{service.path_prefix}/audit"
    head = await region.analyst.get(f"{prefix}/head")
    verdict = await region.analyst.post(f"{prefix}/verification", {})

    assert verdict["is_intact"], verdict
    assert verdict["head"]["position"] >= head["position"]


@pytest.mark.parametrize("name", [service.name for service in SERVICES])
async def test_what_happens_is_linked_within_moments(name, opora, region):
    service = next(one for one in SERVICES if one.name == name)
    path = f"{service.path_prefix}/audit/entries"
    # Reading the audit leaves an entry, so there is something to link in every service.
    await region.analyst.get(path)
    connection = await asyncpg.connect(opora.urls[name].admin.replace("+asyncpg", ""))

    async def all_linked():
        return await connection.fetchval("SELECT count(*) = 0 FROM audit_pending")

    assert await until(all_linked, seconds=20, what="everything to be linked")
    await connection.close()
