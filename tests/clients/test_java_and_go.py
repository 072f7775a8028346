"""Clients in Java and Go: openapi-generator makes them without a word about the contract.

The wheel brings the generator and a Java to run it; the Java client is compiled where there is a compiler.
"""

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


@pytest.mark.parametrize(
    ("language", "api"), [("java", "ImportsApi.java"), ("go", "api_imports.go")]
)
def test_a_client_is_generated_without_a_complaint(language, api, tmp_path):
    assert complaints(generated(language, tmp_path / "client")) == []
    assert list((tmp_path / "client").rglob(api))


def test_the_generator_complains_of_a_contract_that_it_cannot_use(tmp_path):
    """The check above can fail."""
    broken = tmp_path / "broken.json"
    text = CONTRACT.read_text(encoding="utf-8")
    broken.write_text(text.replace('"operationId": "registry_list_schools",', ""), "utf-8")

    assert complaints(generated("go", tmp_path / "client", broken))


def test_the_java_client_has_the_syntax_of_java(tmp_path):
    javac = shutil.which("javac")
    if javac is None:
        pytest.skip("javac is not on this machine: the Java client is generated, not compiled")
    generated("java", tmp_path)
    sources = [str(path) for path in (tmp_path / "src/main/java").rglob("*.java")]
    # Its libraries (okhttp, gson) come from a Java registry, which we do not ask: parsing needs none.
    done = tools.run(
        [
            javac,
            "-proc:none",
            "-Xdiags:compact",
            "-XDshould-stop.ifError=PARSE",
            "-XDshould-stop.ifNoError=PARSE",
            "-d",
            str(tmp_path / "out"),
            *sources,
        ]
    )

    assert done.returncode == 0, done.stdout + done.stderr
