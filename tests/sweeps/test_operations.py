"""Questions asked of every operation: who may call it, and what does a caller from elsewhere get?

A new endpoint is in these sweeps the moment it exists. What they need to know of it, a value for a
new path parameter, they demand by failing.
"""

import uuid

import asyncpg
import httpx
import pytest

from tests.support import steps
from tests.support.running import problem
from tests.sweeps.operations import EVERY, Operation

each_operation = pytest.mark.parametrize("operation", EVERY, ids=lambda operation: operation.id)

PUBLIC = {
    "gateway_issue_token",
    "gateway_revoke_token",
    "gateway_publish_keys",
    "gateway_list_login_issuers",
    "gateway_begin_external_login",
    "gateway_finish_external_login",
    # Whoever holds a code or a ticket, which stand in for a token.
    "gateway_redeem_invitation",
    "gateway_enrol_by_ticket",
    "gateway_confirm_by_ticket",
}
# What people see and change of their own.
ANYBODY_WITH_A_TOKEN = {
    "gateway_who_am_i",
    "gateway_list_own_sessions",
    "gateway_end_own_session",
    "gateway_end_other_own_sessions",
    "gateway_change_own_password",
    "gateway_read_own_second_factor",
    "gateway_enrol_own_second_factor",
    "gateway_confirm_own_second_factor",
    "gateway_replace_own_recovery_codes",
    "gateway_remove_own_second_factor",
}

CONTEXT = ("attribute_id", "profile_import_id", "index_id", "calculation_id")

# What all of a region reads: territory-wide facts. Everything else named by an id is of one place.
OPEN_TO_THE_REGION = {
    "region_id",
    "procedure_id",
    "scale_id",
    "version_id",
    "split_id",
    "run_id",
    "detection_id",
    "attribute_id",
    "index_id",
    "wave_id",
    "course_id",
    "programme_year_id",
    "name",
    "table",
}


async def call(caller, operation: Operation, values=None, body=None, query=None):
    path = operation.path.format(**dict.fromkeys(operation.path_parameters, 1) | (values or {}))
    headers = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": '"1"'}
    return await caller(operation.method, path, json=body, headers=headers, params=query)


def test_the_public_operations_are_those_that_let_people_in():
    assert {operation.id for operation in EVERY if operation.is_public} == PUBLIC


def test_every_other_operation_asks_for_a_scope():
    unguarded = {
        operation.id for operation in EVERY if not operation.is_public and not operation.scopes
    }

    assert unguarded == ANYBODY_WITH_A_TOKEN


@each_operation
async def test_without_a_token_nothing_is_answered(operation, opora):
    if operation.is_public:
        pytest.skip("lets people in")
    for base in (opora.gateway_url, opora.service_urls[operation.service]):
        async with httpx.AsyncClient(base_url=base) as client:
            answer = await call(client.request, operation, body=operation.body())

        problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.fixture(scope="module")
async def powerless(smolensk, opora):
    """A real machine client of the region that holds one harmless scope."""
    analyst = smolensk.region.analyst
    client = await analyst.post(
        "/api/accounts/machine-clients",
        {"client_id": "powerless", "title": "Без прав", "scopes": ["changes:read"]},
    )
    secret = await analyst.post(
        f"/api/accounts/machine-clients/{client['id']}/secret",
        etag=client["version"],
    )
    return await opora.client("powerless", secret["client_secret"])


@each_operation
async def test_without_its_scope_an_operation_is_forbidden(operation, powerless):
    if not operation.scopes or operation.scopes == ["changes:read"]:
        pytest.skip("asks for no other scope")
    answer = await call(powerless.ask, operation, body=operation.body())

    problem(answer, 403, "missing-scope")


@pytest.fixture(scope="module")
async def ids(smolensk):
    """An id of Smolensk's for every path parameter and every id in a body."""
    region, own = smolensk.region, smolensk.own_school
    participations = await region.analyst.all("/api/registry/v1/participations")
    accounts = await region.analyst.all("/api/accounts")
    clients = await region.analyst.all("/api/accounts/machine-clients")
    secrets = await region.analyst.all(f"/api/accounts/machine-clients/{clients[0]['id']}/secrets")
    grants = await region.analyst.all("/api/registry/v1/curator-grants")
    years = await region.analyst.all("/api/registry/v1/programme-years")
    scales = await region.analyst.get(
        f"/api/indicators/v1/procedures/{smolensk.procedures[0]['id']}"
    )
    return {
        "region_id": region.id,
        "municipality_id": own["municipality_id"],
        "school_id": own["id"],
        "predecessor_id": smolensk.granted_school["id"],
        "participation_id": next(p["id"] for p in participations if p["school_id"] == own["id"]),
        "programme_year_id": years[0]["id"],
        "grant_id": grants[0]["id"],
        "account_id": next(a["id"] for a in accounts if a["school_id"] == own["id"]),
        "session_id": "7f8c1d2e-5b7a-4c1e-9d0a-3f6b2a1c4d5e",
        "client_number": clients[0]["id"],
        "secret_id": secrets[0]["id"],
        "procedure_id": smolensk.procedures[0]["id"],
        "scale_id": scales["scales"][0]["id"],
        "import_id": smolensk.imports[0]["id"],
        "school-imports/import_id": smolensk.school_import,
        "version_id": smolensk.run["methodology_version_id"],
        "with": smolensk.run["methodology_version_id"],
        "draft_id": smolensk.draft["id"],
        "split_id": smolensk.split["id"],
        "methodology_version_id": smolensk.run["methodology_version_id"],
        "run_id": smolensk.run["id"],
        "earlier_run_id": smolensk.run["id"],
        "appeal_id": smolensk.appeal["id"],
        "scenario_id": smolensk.scenario["id"],
        "other_scenario_id": smolensk.scenario["id"],
        "detection_id": smolensk.detection["id"],
        "sign_id": smolensk.sign["id"],
        **{name: smolensk.context[name] for name in CONTEXT},
        "profile_id": smolensk.context["profile_id"][own["id"]],
        "wave_id": smolensk.wave["id"],
        "course_id": smolensk.course["id"],
        "enrolment_id": smolensk.enrolment["id"],
        "kid": (await region.analyst.get("/api/auth/jwks"))["keys"][0]["kid"],
        # Not ids: a template and a table of a layout.
        "name": "opora-results.csv",
        "table": "results",
    }


@pytest.fixture(scope="module")
async def strangers(opora, smolensk):
    """Callers from elsewhere, by name: each with the schools it may see."""
    other = await steps.new_region(opora, "35", "Вологодская область")
    theirs = await steps.add_schools(
        other,
        {"01": "Бабаевский"},
        [{"code": "350001", "name": "Школа № 1", "municipality": "01"}],
    )
    school = theirs["350001"]
    analyst = smolensk.region.analyst
    vyazma = smolensk.municipalities["Вяземский"]
    sibling = smolensk.schools["670201"]
    of_vyazma = {s["id"] for s in smolensk.schools.values() if s["municipality_id"] == vyazma}
    return {
        "another region": (other.analyst, {school["id"]}),
        "another region's municipality": (
            await opora.person(
                other.analyst, "municipality", municipality_id=school["municipality_id"]
            ),
            {school["id"]},
        ),
        "another region's school": (
            await opora.person(other.analyst, "school", school_id=school["id"]),
            {school["id"]},
        ),
        "another municipality": (
            await opora.person(analyst, "municipality", municipality_id=vyazma),
            of_vyazma,
        ),
        "a sibling school": (
            await opora.person(analyst, "school", school_id=sibling["id"]),
            {sibling["id"]},
        ),
        "a curator without grants": (await opora.person(analyst, "curator"), set()),
    }


def school_ids(answer) -> set[int]:
    """Collect every school id in a JSON answer, at any depth."""
    found = set()

    def look(node):
        if isinstance(node, dict):
            found.update(
                value
                for key, value in node.items()
                if key == "school_id" and isinstance(value, int)
            )
            for value in node.values():
                look(value)
        elif isinstance(node, list):
            for value in node:
                look(value)

    look(answer)
    return found


def with_ids(node, ids):
    """Put Smolensk's ids into a body made of examples."""
    if isinstance(node, dict) and "school_ids" in node:
        node = node | {"school_ids": [ids["school_id"], ids["predecessor_id"]]}
    if isinstance(node, dict):
        return {
            key: ids[key] if key in ids and isinstance(value, int) else with_ids(value, ids)
            for key, value in node.items()
        }
    return [with_ids(value, ids) for value in node] if isinstance(node, list) else node


async def fingerprint(opora, region_id):
    """Hash everything the databases hold of a region, but for who logged in, read and was refused."""
    hashes = {}
    for name, urls in opora.urls.items():
        connection = await asyncpg.connect(urls.admin.replace("+asyncpg", ""))
        tables = await connection.fetch(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'region_id'"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
            " AND c.relname NOT IN ('audit_entry', 'read_entry')",
        )
        for (table,) in tables:
            hashes[name, table] = await connection.fetchval(
                f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM \"{table}\" t WHERE region_id = $1",
                region_id,
            )
        await connection.close()
    return hashes


@pytest.fixture(scope="module")
async def untouched(opora, smolensk, strangers, ids):
    """Smolensk before and after everything that strangers try: nothing of it may change."""
    before = await fingerprint(opora, smolensk.region.id)
    yield
    after = await fingerprint(opora, smolensk.region.id)
    assert {table for table in before if before[table] != after.get(table)} == set()


@each_operation
async def test_a_caller_from_elsewhere_reads_nothing_and_changes_nothing(
    operation, strangers, ids, smolensk, untouched
):
    if operation.is_public or operation.id in ANYBODY_WITH_A_TOKEN:
        pytest.skip("names nobody's rows")
    values = {name: operation.id_of(name, ids) for name in operation.path_parameters}
    body = with_ids(operation.body(), ids)
    query = with_ids(operation.query(), ids)
    for who, (caller, visible) in strangers.items():
        if operation.method != "GET" and not values and body == operation.body():
            continue  # makes something of the caller's own
        answer = await call(caller.ask, operation, values, body, query)
        told = f"{who}: {operation.id} -> {answer.status_code} {answer.text[:300]}"
        of_region = "region" not in who
        is_open = of_region and set(values) <= OPEN_TO_THE_REGION
        if operation.method != "GET":
            # With an id in the path the example is a sound body: what is refused is the place.
            assert answer.status_code in ({403, 404} if values else {403, 404, 422}), told
        elif values and not is_open and set(values) - {"name", "table"}:
            assert answer.status_code in {403, 404}, told
        elif answer.status_code == 200 and answer.headers["content-type"].startswith(
            "application/json"
        ):
            assert school_ids(answer.json()) <= visible, told
            if operation.id == "registry_list_schools":
                assert {item["id"] for item in answer.json()["items"]} == visible, told
            if operation.is_list and not of_region:
                regions = {item.get("region_id") for item in answer.json()["items"]} - {None}
                assert smolensk.region.id not in regions, told
        else:
            assert answer.status_code in {200, 400, 403, 404, 422}, told


async def test_a_missing_and_a_foreign_record_are_answered_alike(strangers, ids):
    caller, _ = strangers["a sibling school"]
    for operation in EVERY:
        located = [name for name in operation.path_parameters if name not in OPEN_TO_THE_REGION]
        if operation.method != "GET" or len(located) != 1 or len(operation.path_parameters) != 1:
            continue
        foreign = await call(caller.ask, operation, {located[0]: operation.id_of(located[0], ids)})
        missing = await call(caller.ask, operation, {located[0]: 999_999_999})
        assert foreign.status_code == missing.status_code, operation.id
        assert {**foreign.json(), "request_id": ""} == {**missing.json(), "request_id": ""}, (
            operation.id
        )
