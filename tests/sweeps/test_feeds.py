"""Every located table is in a feed, or says why not.

Whatever does not follow a convention stands in a table below with its reason. A reason that no longer
applies fails as well: the tables say how things are.
"""

import json

import asyncpg

from services.kit.database import Located
from tests.sweeps.operations import EVERY, SERVICES
from tests.sweeps.test_operations import call, ids, with_ids  # noqa: F401  a fixture

BY_ID = {operation.id: operation for operation in EVERY}


def headers_of(operation) -> set[str]:
    return {p["name"].lower() for p in operation.spec.get("parameters", []) if p["in"] == "header"}


IMPORT_PART = "part of an import: read through it, and the feed tells the import"
RUN_PART = "part of a run: never changes after it is computed, and is read through it"
COPY = "a copy of the registry's: the registry's feed tells it"
PUPILS = "counts or rows of pupils: told with suppression by the lists only"
NO_FEED = {
    ("registry", "school_state"): "the history of a school: the feed tells every state as it comes",
    ("registry", "school_import_issue"): IMPORT_PART,
    ("registry", "school_import_row"): IMPORT_PART,
    ("registry", "participation_event"): "the feed tells every state of the participation",
    ("registry", "applied_run"): "the feed tells the participations that it makes",
    ("indicators", "profile_import_row"): IMPORT_PART,
    (
        "indicators",
        "context_school",
    ): "part of a calculation, which is never changed: read through it",
    ("indicators", "class_label"): PUPILS,
    ("indicators", "import_file"): IMPORT_PART,
    ("indicators", "import_chunk"): IMPORT_PART,
    ("indicators", "import_finding"): IMPORT_PART,
    ("indicators", "import_rejection"): IMPORT_PART,
    ("indicators", "result"): PUPILS,
    ("indicators", "result_history"): PUPILS,
    ("indicators", "rollup_subject"): PUPILS,
    ("indicators", "rollup_pattern"): PUPILS,
    ("indicators", "rollup_source"): PUPILS,
    ("indicators", "objectivity_school"): "part of a detection, which asks for a scope of its own",
    ("indicators", "run_procedure"): RUN_PART,
    ("indicators", "scenario_school"): "part of a scenario: never changes, and is read through it",
    ("indicators", "run_import"): RUN_PART,
    ("indicators", "run_evidence"): RUN_PART,
    ("indicators", "run_school"): RUN_PART,
    ("indicators", "run_index"): RUN_PART,
    ("indicators", "run_context"): RUN_PART,
    ("indicators", "run_sign"): RUN_PART,
    ("indicators", "run_reorganisation"): RUN_PART,
    ("indicators", "succession"): COPY,
    **{
        (service, table): COPY
        for service in ("indicators", "monitoring", "training")
        for table in ("region", "municipality", "school", "curator_grant")
    },
}


async def test_every_located_table_is_in_a_feed_or_says_why_not(opora):
    silent = set()
    for service in SERVICES:
        connection = await asyncpg.connect(opora.urls[service.name].admin.replace("+asyncpg", ""))
        tracked = {
            name
            for (name,) in await connection.fetch(
                "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'track_%'"
            )
        }
        await connection.close()
        located = {
            mapper.class_.__tablename__
            for mapper in service.base.registry.mappers
            if issubclass(mapper.class_, Located)
        }
        silent |= {(service.name, table) for table in located - tracked}

    unexplained, outdated = silent - NO_FEED.keys(), NO_FEED.keys() - silent
    assert (unexplained, outdated) == (set(), set()), json.dumps(sorted(map(str, silent)))
