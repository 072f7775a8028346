"""The contract breaks no client of the last landed one, unless it is accepted with a reason.

openapi/landed/README.md says what to do when this fails.
"""

import copy
import datetime as dt
import fnmatch
import json
import re
from pathlib import Path

import pytest
import yaml

from tests.support import tools
from tests.support.compatibility import Finding, breaking_changes

OPENAPI = Path(__file__).parents[2] / "openapi"
LANDED = json.loads((OPENAPI / "landed/opora.json").read_text(encoding="utf-8"))
ACCEPTED = yaml.safe_load((OPENAPI / "landed/accepted.yaml").read_text(encoding="utf-8"))

# What specshift calls breaking and is not. (pattern of the finding, reason)
FALSE_ALARMS = (
    (
        r"> response .*(alidation pattern|Constraint .* \(stricter\))",
        "an answer that keeps to a narrower shape than before is understood by every client",
    ),
)


def second_opinion(directory, old, new):
    """Return what specshift calls breaking, as findings; false alarms left out."""
    for name, document in (("old", old), ("new", new)):
        (directory / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    done = tools.run(
        [
            str(tools.program("specshift")),
            *("diff", str(directory / "old.json"), str(directory / "new.json")),
            *("--format", "json", "--fail-on", "none"),
        ]
    )
    assert done.returncode == 0, done.stderr
    said = [
        # An entry of the accepted says what is accepted there, not only where.
        Finding("specshift", f"{change['location']}: {change['message']}", change["severity"])
        for change in json.loads(done.stdout)["changes"]
        if change["severity"] == "breaking"
    ]
    return [
        finding
        for finding in said
        if not any(re.search(pattern, str(finding)) for pattern, _ in FALSE_ALARMS)
    ]


def accepts(entry, finding):
    return entry["kind"] == finding.kind and fnmatch.fnmatchcase(
        finding.where, re.sub(r"\[", "[[]", entry["where"])
    )


@pytest.fixture(scope="module")
def found(merged, tmp_path_factory):
    """Everything that breaks clients now, by both readers."""
    directory = tmp_path_factory.mktemp("specshift")
    return breaking_changes(LANDED, merged) + second_opinion(directory, LANDED, merged)


def test_nothing_breaks_a_client_of_the_landed_contract_without_being_accepted(found):
    surprising = [
        str(finding) for finding in found if not any(accepts(entry, finding) for entry in ACCEPTED)
    ]

    assert surprising == [], "see openapi/landed/README.md"


def test_every_accepted_change_is_still_there_and_says_why_and_when(found):
    idle = [entry for entry in ACCEPTED if not any(accepts(entry, finding) for finding in found)]
    mute = [
        entry
        for entry in ACCEPTED
        if set(entry) != {"kind", "where", "reason", "since"}
        or len(entry["reason"]) < 20
        or not isinstance(entry["since"], dt.date)
    ]

    assert (idle, mute) == ([], [])


def schema(document, name):
    return document["components"]["schemas"][name]


def operation(document, method, path):
    return document["paths"][f"/api/registry/v1{path}"][method]


def limit(document):
    return next(
        one
        for one in operation(document, "get", "/schools")["parameters"]
        if one["name"] == "limit"
    )


def removed_path(document):
    del document["paths"]["/api/registry/v1/schools"]


def removed_operation(document):
    del document["paths"]["/api/registry/v1/schools"]["post"]


def renamed_operation(document):
    operation(document, "get", "/schools")["operationId"] = "registry_schools"


def another_scope(document):
    operation(document, "get", "/schools")["security"] = [{"Opora": ["schools:administer"]}]


def removed_parameter(document):
    operation(document, "get", "/schools")["parameters"].remove(limit(document))


def required_parameter(document):
    limit(document)["required"] = True


def narrowed_parameter(document):
    limit(document)["schema"]["maximum"] = 5


def required_field(document):
    schema(document, "SchoolIn")["properties"]["motto"] = {"type": "string"}
    schema(document, "SchoolIn")["required"].append("motto")


def field_not_taken_any_more(document):
    del schema(document, "SchoolIn")["properties"]["inn"]


def null_not_taken_any_more(document):
    inn = schema(document, "SchoolIn")["properties"]["inn"]
    inn["anyOf"].remove({"type": "null"})


def narrowed_inside_of_an_alternative(document):
    schema(document, "SchoolIn")["properties"]["inn"]["anyOf"][0]["maxLength"] = 3


def narrowed_enum(document):
    schema(document, "SchoolKind")["enum"].remove("sosh")


def widened_enum(document):
    schema(document, "SchoolKind")["enum"].append("novel")


def changed_type_of_a_request(document):
    schema(document, "SchoolIn")["properties"]["code"] = {"type": "integer"}


def changed_type_of_an_answer(document):
    schema(document, "SchoolOut")["properties"]["name"] = {"type": "integer"}


def null_in_an_answer(document):
    schema(document, "SchoolOut")["properties"]["name"] = {
        "anyOf": [{"type": "string"}, {"type": "null"}]
    }


def field_removed_from_an_answer(document):
    schema(document, "SchoolOut")["required"].remove("name")
    del schema(document, "SchoolOut")["properties"]["name"]


def field_of_an_answer_that_may_be_missing(document):
    schema(document, "SchoolOut")["required"].remove("name")


def another_status(document):
    answers = operation(document, "post", "/schools")["responses"]
    answers["202"] = answers.pop("201")


def another_media_type(document):
    content = operation(document, "get", "/schools")["responses"]["200"]["content"]
    content["application/xml"] = content.pop("application/json")


def named_enum(document):
    run = schema(document, "RunOut")["properties"]
    document["components"]["schemas"]["RunState"] = run["state"]
    run["state"] = {"$ref": "#/components/schemas/RunState"}


def renamed_schema(document):
    text = json.dumps(document).replace('/SchoolOut"', '/School"')
    document.update(json.loads(text))
    schemas = document["components"]["schemas"]
    schemas["School"] = schemas.pop("SchoolOut")


# What is planted, the kind by which our reader tells it, and whether specshift finds it breaking too.
PLANTED = (
    (removed_path, "operation-removed", True),
    (removed_operation, "operation-removed", True),
    (renamed_operation, "operation-id", False),
    (another_scope, "security", False),
    (removed_parameter, "parameter-removed", False),
    (required_parameter, "parameter-required", True),
    (narrowed_parameter, "request-bound", True),
    (required_field, "request-field-required", True),
    (field_not_taken_any_more, "request-field-removed", False),
    (null_not_taken_any_more, "request-type", True),
    (narrowed_inside_of_an_alternative, "request-bound", False),
    (narrowed_enum, "request-enum", True),
    (widened_enum, "answer-enum", False),
    (changed_type_of_a_request, "request-type", True),
    (changed_type_of_an_answer, "answer-type", True),
    (null_in_an_answer, "answer-type", False),
    (field_removed_from_an_answer, "answer-field-removed", True),
    (field_of_an_answer_that_may_be_missing, "answer-field-required", True),
    (another_status, "answer-removed", True),
    (another_media_type, "media-removed", True),
    (named_enum, "enum-name", False),
    (renamed_schema, "schema-name", False),
)


@pytest.mark.parametrize(("plant", "kind", "_"), PLANTED)
def test_a_planted_break_is_found(plant, kind, _):
    changed = copy.deepcopy(LANDED)
    plant(changed)

    assert kind in {finding.kind for finding in breaking_changes(LANDED, changed)}


def test_the_second_reader_finds_what_it_is_relied_on_for(tmp_path):
    blind = []
    for plant, _, is_seen in PLANTED:
        if is_seen:
            changed = copy.deepcopy(LANDED)
            plant(changed)
            if not second_opinion(tmp_path, LANDED, changed):
                blind.append(plant.__name__)

    assert blind == []


def test_an_answer_that_became_narrower_is_no_break(tmp_path):
    changed = copy.deepcopy(LANDED)
    schema(changed, "SchoolOut")["properties"]["name"]["pattern"] = "^Школа"
    schema(changed, "SchoolOut")["properties"]["id"]["minimum"] = 1

    assert breaking_changes(LANDED, changed) == []
    assert second_opinion(tmp_path, LANDED, changed) == []


def test_an_addition_breaks_nobody(tmp_path):
    changed = copy.deepcopy(LANDED)
    changed["paths"]["/api/registry/v1/novelties"] = {
        "get": copy.deepcopy(operation(changed, "get", "/schools"))
        | {"operationId": "registry_list_novelties"}
    }
    schema(changed, "SchoolIn")["properties"]["motto"] = {"type": "string"}
    schema(changed, "SchoolOut")["properties"]["motto"] = {"type": "string"}
    schema(changed, "SchoolOut")["required"].append("motto")
    limit(changed)["schema"]["maximum"] = 5000
    operation(changed, "get", "/schools")["responses"]["418"] = copy.deepcopy(
        operation(changed, "get", "/schools")["responses"]["401"]
    )

    assert breaking_changes(LANDED, changed) == []
    assert second_opinion(tmp_path, LANDED, changed) == []


def test_the_landed_contract_is_a_real_one():
    """An empty file would accept everything."""
    assert len(LANDED["paths"]) >= 88


def test_acceptance_is_by_kind_and_place():
    entry = {"kind": "request-enum", "where": "SchoolIn.stages[]*"}

    assert accepts(entry, Finding("request-enum", "SchoolIn.stages[].code", "x"))
    assert not accepts(entry, Finding("answer-enum", "SchoolIn.stages[].code", "x"))
    assert not accepts(entry, Finding("request-enum", "SchoolIn.stage", "x"))
