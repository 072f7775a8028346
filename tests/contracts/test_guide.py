"""openapi/README.md is run: every snippet of it, in order, as another program against a real Opora."""

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.support import steps

GUIDE = Path(__file__).parents[2] / "openapi" / "README.md"
SCOPES = [
    "changes:read",
    "imports:read",
    "imports:write",
    "indices:read",
    "procedures:read",
    "procedures:write",
    "schools:read",
    "schools:write",
    "territory:read",
    "territory:write",
]


def snippets(language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


async def run(program: list[str], text: str, folder: Path, values: dict[str, str]) -> None:
    """Run a program with this text on its standard input; what it says is shown when it fails."""
    process = await asyncio.create_subprocess_exec(
        *program,
        cwd=folder,
        env=os.environ | values | {"PYTHONWARNINGS": "error"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(text.encode()), timeout=120)
    assert process.returncode == 0, said.decode()


@pytest.fixture(scope="module")
async def client(opora):
    """A region with nothing in it, and a machine client of it, as a system of somebody else gets them."""
    region = await steps.new_region(opora, "76", "Ярославская область")
    made = await region.analyst.post(
        "/api/accounts/machine-clients",
        {"client_id": "guide", "title": "Руководство", "scopes": SCOPES},
    )
    secret = await region.analyst.post(
        f"/api/accounts/machine-clients/{made['id']}/secret", etag=made["version"]
    )
    return {
        "OPORA": opora.gateway_url,
        "CLIENT_ID": made["client_id"],
        "CLIENT_SECRET": secret["client_secret"],
    }


async def test_every_python_snippet_of_the_guide_works(client, tmp_path):
    found = snippets("python")

    assert len(found) >= 6
    await run([sys.executable, "-"], "\n".join(found), tmp_path, client)


async def test_every_shell_snippet_of_the_guide_works(client, tmp_path):
    if shutil.which("curl") is None:
        pytest.skip("the snippets are written for curl, which this machine does not have")
    found = snippets("bash")

    assert len(found) >= 3
    await run(["bash", "-euo", "pipefail"], "\n".join(found), tmp_path, client)


async def test_a_snippet_that_fails_is_seen(tmp_path):
    with pytest.raises(AssertionError, match="stale"):
        await run([sys.executable, "-"], "raise SystemExit('stale')", tmp_path, {})


def test_the_guide_has_no_snippet_in_another_language():
    assert set(re.findall(r"^```(\w+)$", GUIDE.read_text("utf-8"), re.MULTILINE)) == {
        "bash",
        "python",
    }


def test_every_link_of_the_guide_leads_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", GUIDE.read_text("utf-8"))

    assert [one for one in links if not (GUIDE.parent / one).exists()] == []


def test_every_error_code_that_the_guide_names_exists():
    listed = (GUIDE.parent / "problems.md").read_text("utf-8")
    named = set(re.findall(r"(?:40\d|41\d|42\d|50\d) `([a-z-]+)`", GUIDE.read_text("utf-8")))

    assert len(named) >= 3
    assert {code for code in named if f"`{code}`" not in listed} == set()
