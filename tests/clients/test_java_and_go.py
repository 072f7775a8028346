"""Clients in Java and Go: openapi-generator makes them without a word about the contract.

The wheel brings the generator and a Java to run it; the Java client is compiled where there is a compiler.
"""

import json
import re
import shutil

import pytest

from tests.support import tools
from tests.support.clients import CONTRACT

# What the generator says whatever it is given. (pattern, reason)
NOISE = (
    (r"OpenAPI 3\.1 support is still in beta", "of the generator, not of a document"),
    # Its resolver asks for the name of `additionalProperties: false`, which in 3.1 is a schema without one;
    # that word is how the contract says that unknown fields are refused.
    (r"ModelUtils - Failed to get the schema name: null", "additionalProperties: false"),
    # A whole-body example is not written into the comments of the Java client.
    (r"AbstractJavaCodegen - Ignoring complex example on request body", "of its templates"),
)


def complaints(output):
    """Return the warnings and errors of a generator that are about the document."""
    return [
        line
        for line in output.splitlines()
        if re.search(r"\b(WARN|ERROR)\b|Exception|\[error\]|\[warning\]", line)
        and not re.search(r"INFO .*writing file", line)
        and not any(re.search(pattern, line) for pattern, _ in NOISE)
    ]


def generated(language, directory, contract=CONTRACT):
    """Generate a client; return what the generator printed."""
    return tools.succeeded(
        [
            str(tools.program("openapi-generator-cli")),
            *("generate", "--input-spec", str(contract), "--generator-name", language),
            *("--output", str(directory)),
        ]
    )


@pytest.fixture(scope="module")
def clients(tmp_path_factory, report):
    """Both clients, each with what the generator printed."""
    made = {}
    for language in ("java", "go"):
        directory = tmp_path_factory.mktemp(language)
        made[language] = (directory, generated(language, directory))
        found = len(complaints(made[language][1]))
        report.append(f"- {language} (openapi-generator): создан, замечаний к договору: {found}")
    return made


@pytest.mark.parametrize(
    ("language", "api"), [("java", "ImportsApi.java"), ("go", "api_imports.go")]
)
def test_a_client_is_generated_without_a_complaint(language, api, clients):
    directory, output = clients[language]

    assert complaints(output) == []
    assert list(directory.rglob(api))


def test_the_generator_complains_of_a_contract_that_it_cannot_use(tmp_path):
    """The check above can fail."""
    broken = tmp_path / "broken.json"
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Break"}}}
    answer = {"description": "Answer", "content": content}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Broken", "version": "1"},
        "paths": {"/a": {"get": {"operationId": "a", "responses": {"200": answer}}}},
        "components": {"schemas": {"Break": schema}},
    }
    broken.write_text(json.dumps(document), encoding="utf-8")

    assert complaints(generated("java", tmp_path / "client", broken))


def test_the_java_client_has_the_syntax_of_java(clients, tmp_path):
    javac = shutil.which("javac")
    if javac is None:
        pytest.skip("javac is not on this machine: the Java client is generated, not compiled")
    sources = [str(path) for path in (clients["java"][0] / "src/main/java").rglob("*.java")]
    # Its libraries (okhttp, gson) come from a Java registry, which we do not ask: parsing needs none.
    stop = ["-XDshould-stop.ifError=PARSE", "-XDshould-stop.ifNoError=PARSE"]
    done = tools.run([javac, "-proc:none", *stop, "-d", str(tmp_path / "out"), *sources])

    assert done.returncode == 0, done.stdout + done.stderr
    assert sources
