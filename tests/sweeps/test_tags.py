"""Every change asks for the tag it has seen, every record has one, or says why not.

Whatever does not follow a convention stands in a table below with its reason. A reason that no longer
applies fails as well: the tables say how things are.
"""

import re
import uuid

import pytest

from tests.support.running import problem
from tests.sweeps.operations import EVERY
from tests.sweeps.test_operations import call, ids, with_ids  # noqa: F401  a fixture

BY_ID = {operation.id: operation for operation in EVERY}


def headers_of(operation) -> set[str]:
    return {p["name"].lower() for p in operation.spec.get("parameters", []) if p["in"] == "header"}


STATES_AGAIN = "says how something is to be; saying it twice changes nothing"
PROOF = "bound to a proof that is used up (code, ticket, invitation, state)"
STEP = "a step from one state to the next: out of its state it is refused with 409"
OWN = "of the caller's own account, proved by password or code"
NO_IF_MATCH = {
    "indicators_commit_profile_import": STEP,
    "indicators_create_scenario": "begins a thing of its own beside the run, which stays as it is",
    "gateway_revoke_key": "the only change a key knows: the second changes nothing",
    "gateway_end_own_session": STATES_AGAIN,
    "gateway_end_other_own_sessions": STATES_AGAIN,
    "gateway_end_account_session": STATES_AGAIN,
    "gateway_end_account_sessions": STATES_AGAIN,
    "gateway_change_own_password": OWN,
    "gateway_confirm_own_second_factor": OWN,
    "gateway_confirm_by_ticket": OWN,
    "gateway_begin_external_login": PROOF,
    "gateway_finish_external_login": PROOF,
    "registry_commit_school_import": STEP,
    "registry_revoke_curator_grant": "the only change a grant knows: the second gets 409",
    "indicators_add_scale": "makes a record under another",
    "indicators_try_appeal_correction": "makes a record under another",
    "indicators_verify_identification_run": "reads only",
    "indicators_put_import_file": "replaces the file of a draft; a later upload wins and says so",
    "indicators_check_import": STEP,
    "indicators_commit_import": f"{STEP}; the check is repeated",
    "indicators_cancel_import": STEP,
    "monitoring_add_expected_schools": "adds to a set; schools that are there stay",
}


def changes_one(operation) -> bool:
    return operation.method in {"PUT", "PATCH", "DELETE"} or (
        operation.method == "POST" and bool(operation.path_parameters)
    )


def test_every_change_asks_for_if_match_or_says_why_not():
    without = {o.id for o in EVERY if changes_one(o) and "if-match" not in headers_of(o)}

    assert (without - NO_IF_MATCH.keys(), NO_IF_MATCH.keys() - without) == (set(), set())


IF_MATCHED = sorted(o.id for o in EVERY if "if-match" in headers_of(o))
BODIES = {
    "gateway_change_machine_client": {"title": "Новое название"},
    "gateway_set_machine_client_keys": {"keys": []},
}
"""Where the contract's examples are no sound body for Smolensk."""

NOT_STALE = {
    "monitoring_close_wave": "409: planned",
    "registry_reopen_school": "409: the school is open",
    "indicators_change_procedure": "checked before: results are there",
    "indicators_change_scale": "checked before: results are there",
    "indicators_prepare_identification_run": "409: published",
    "indicators_approve_identification_run": "409: published",
    "indicators_publish_identification_run": "409: published",
    "indicators_void_identification_run": "409: published",
}


@pytest.mark.parametrize("name", IF_MATCHED)
async def test_a_change_without_or_with_a_stale_tag_is_refused(name, smolensk, ids):  # noqa: F811
    operation = BY_ID[name]
    path = operation.at(ids, default=1)
    body = BODIES.get(name, with_ids(operation.body(), ids))
    key = {"Idempotency-Key": uuid.uuid4().hex}
    caller = smolensk.region.approver

    blind = await caller.ask(operation.method, path, json=body, headers=key)
    key = {"Idempotency-Key": uuid.uuid4().hex}
    stale = await caller.ask(
        operation.method, path, json=body, headers=key | {"If-Match": '"999999"'}
    )

    problem(blind, 428, "precondition-required")
    told = f"{stale.status_code} {stale.text[:300]}"
    assert stale.status_code == 412 or (stale.status_code == 409 and name in NOT_STALE), told


READS_ONE = sorted(o.id for o in EVERY if o.method == "GET" and o.path.endswith("}"))


@pytest.mark.parametrize("name", READS_ONE)
async def test_one_record_has_a_strong_tag_and_is_not_sent_twice(name, smolensk, ids):  # noqa: F811
    operation = BY_ID[name]
    path = operation.at(ids)
    assert "/None" not in path, "say which there is, in the fixture ids"
    caller = smolensk.region.analyst
    read = await caller.ask("GET", path)
    assert read.status_code == 200, read.text
    tag = read.headers["etag"]

    held = await caller.ask("GET", path, headers={"If-None-Match": f'"other", {tag}'})
    older = await caller.ask("GET", path, headers={"If-None-Match": '"other"'})

    assert re.fullmatch(r'"[\x21\x23-\x7e]+"', tag), "a strong tag"
    assert (held.status_code, held.content, held.headers["etag"]) == (304, b"", tag)
    assert (older.status_code, older.headers["etag"]) == (200, tag)
    assert "304" in operation.spec["responses"]
