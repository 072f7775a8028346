"""An operator verifies and exports the audit from the command line, as real processes."""

import asyncio
import hashlib
import json
import os
import sys

import asyncpg
import pytest

from services.registry.app import SERVICE as REGISTRY


@pytest.fixture
async def urls(databases):
    """The registry's database with three linked events."""
    async with databases.fresh(REGISTRY) as urls:
        owner = await asyncpg.connect(urls.owner.replace("+asyncpg", ""))
        await owner.execute(
            "SELECT opora_record('login', 'failure', n, '{}', 1, NULL, NULL)"
            " FROM generate_series(1, 3) n; SELECT opora_seal(10)"
        )
        await owner.close()
        yield urls


async def opora(urls, *words):
    """Run `opora registry <words>`; return its exit status and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.kit.cli",
        "registry",
        *words,
        env=os.environ | {"OPORA_REGISTRY_DATABASE_URL": urls.app},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    return process.returncode, said.decode(), complained.decode()


async def test_the_operator_verifies_exports_and_compares_with_a_head_that_was_kept(urls):
    status, lines, _ = await opora(urls, "export-audit")
    links = [json.loads(line) for line in lines.splitlines()]
    kept = f"3:{links[-1]['hash']}"
    whole = await opora(urls, "verify-audit", "--kept", kept)
    other = await opora(urls, "verify-audit", "--kept", f"3:{'0' * 64}")
    unreadable = await opora(urls, "verify-audit", "--kept", "конец")

    assert status == 0
    assert [link["position"] for link in links] == [1, 2, 3]
    assert hashlib.sha256(links[0]["canonical"].encode()).hexdigest() == links[0]["digest"]
    assert whole[0] == 0
    assert f"цела, конец {kept}" in whole[1]
    assert other[0] == 1
    assert "rewritten, место 3" in other[2]
    assert unreadable[0] == 1
    assert "МЕСТО:ХЕШ" in unreadable[2]


async def test_the_operator_is_told_what_was_tampered_with(urls):
    owner = await asyncpg.connect(urls.owner.replace("+asyncpg", ""))
    await owner.execute("UPDATE audit_entry SET subject = 'user:666' WHERE id = 2")
    await owner.close()

    status, _, complained = await opora(urls, "verify-audit")

    assert status == 1
    assert "changed, место 2, запись 2. Цело до места 1" in complained
