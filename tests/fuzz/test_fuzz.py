"""Twenty thousand made-up requests, as every role, against the processes of `opora up`.

schemathesis reads the contract and makes requests that it allows and requests that it forbids, alone
and in chains. No answer may be a 5xx, and every answer must be one that the contract declares, in
shape, status, headers and media type. The seed is fixed, so that a red run can be had again;
OPORA_FUZZ_SEED and OPORA_FUZZ_EXAMPLES explore further.
"""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import reports, steps, tools
from tests.support.smolensk import results_file
from tests.support.up import ready, started
from tests.support.world import world_of

CONTRACT = Path(__file__).parents[2] / "openapi/opora.json"
HOOKS = Path(__file__).parent / "hooks.py"
SETTINGS = Path(__file__).parent / "schemathesis.toml"
SEED = os.environ.get("OPORA_FUZZ_SEED", "20261122")
CASES = 20_000

# Most for those who may do most. `coverage` walks every bound of every schema, a hundred requests an
# operation, so one role does it: whoever calls, a schema is the same.
ALONE, WALKED = "examples,fuzzing,stateful", "examples,coverage,fuzzing,stateful"
ROLES = {
    "school": (ALONE, 3),
    "curator": (ALONE, 3),
    "municipality": (ALONE, 4),
    "machine": (ALONE, 4),
    "region": (WALKED, 16),
}
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "ignored_auth",
)


@dataclass(frozen=True)
class Fuzzed:
    """What became of one role's cases."""

    role: str
    cases: int
    seconds: float
    output: str
    exit_code: int


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    up = started(
        tmp_path_factory.mktemp("fuzz") / "data",
        # Floods are refused elsewhere (tests/gateway); here every answer shall come from a route.
        gateway_caller_per_second=0,
        gateway_machine_per_second=0,
        gateway_source_per_second=0,
        gateway_sign_in_per_second=0,
    )
    try:
        yield ready(up)
    finally:
        up.stop()


@pytest.fixture(scope="module")
async def grants(system):
    """A region in which the main job is done, and the way in for each role."""
    async with world_of(system) as world:
        region = await steps.new_region(world, "83", "Регион испытаний")
        codes = ["830101", "830102", "830201"]
        schools = await steps.add_schools(
            region,
            {"01": "Первый район", "02": "Второй район"},
            [{"code": code, "name": f"Школа {code}", "municipality": code[2:4]} for code in codes],
        )
        await _main_job(region, codes)
        own = schools[codes[0]]
        curator = await world.person(region.analyst, "curator")
        await region.analyst.post(
            "/api/registry/v1/curator-grants",
            {
                "curator": curator.subject,
                "school_id": own["id"],
                "valid_from": "2025-09-01",
                "reason": "Приказ № 7",
            },
        )
        municipality = await world.person(
            region.analyst, "municipality", municipality_id=own["municipality_id"]
        )
        school = await world.person(region.analyst, "school", school_id=own["id"])
        return {
            "school": school.grant,
            "curator": curator.grant,
            "municipality": municipality.grant,
            "machine": region.machine.grant,
            "region": region.analyst.grant,
        }


async def _main_job(region, codes):
    await region.analyst.post("/api/registry/v1/programme-years", {"year": 2026})
    permitted = [{"use": "identification", "from": None, "to": None, "basis": "Приказ № 1"}]
    for year in (2024, 2025):
        procedure = await steps.add_procedure(
            region, kind="oge", grade=9, year=year, published=True, permitted_uses=permitted
        )
        weak = [{"code": code, "is_low": True} for code in codes]
        await steps.import_results(region.machine, procedure["id"], results_file(weak, year))
    version = await steps.methodology(region, shipped="smolensk-nro-fnsu")
    await steps.publish(
        region, await steps.identify(region, year=2026, methodology_version_id=version)
    )


def fuzz(role, grant, gateway_url, folder):
    phases, examples = ROLES[role]
    done = tools.run(
        [
            str(tools.program("schemathesis")),
            f"--config-file={SETTINGS}",
            "run",
            str(CONTRACT),
            f"--url={gateway_url}",
            f"--phases={phases}",
            f"--max-examples={os.environ.get('OPORA_FUZZ_EXAMPLES', examples)}",
            f"--checks={','.join(CHECKS)}",
            f"--seed={SEED}",
            # Its threads share a parser of Python 3.11 that cannot be shared.
            "--workers=1",
            "--request-timeout=40",
            "--continue-on-failure",
            "--no-shrink",
            "--warnings=off",
            "--suppress-health-check=all",
            "--no-color",
        ],
        cwd=folder,
        within=1200,
        FUZZ_GATEWAY=gateway_url,
        FUZZ_GRANT=json.dumps(grant),
        SCHEMATHESIS_HOOKS=str(HOOKS),
    )
    cases = re.search(r"([\d,]+) generated", done.stdout)
    seconds = re.search(r" in ([\d.]+)s =+\s*$", done.stdout)
    return Fuzzed(
        role,
        int(cases[1].replace(",", "")) if cases else 0,
        float(seconds[1]) if seconds else 0.0,
        done.stdout + done.stderr,
        done.returncode,
    )


def test_no_made_up_request_breaks_the_contract(system, grants, tmp_path):
    # Two at a time; the region last, for it may block the others.
    with ThreadPoolExecutor(2) as two:
        *below, region = [
            two.submit(fuzz, role, grants[role], system.gateway_url, tmp_path) for role in ROLES
        ]
        fuzzed = [one.result() for one in (*below, region)]
    write_report(fuzzed)

    for one in fuzzed:
        assert one.exit_code == 0, f"{one.role}: {one.output[-20_000:]}"
    assert sum(one.cases for one in fuzzed) >= CASES


def write_report(fuzzed):
    """Write how many cases each role made and what was found, with the tool's own words."""
    lines = [
        "# Fuzzing of the contract",
        "",
        f"Seed {SEED}; checks: {', '.join(CHECKS)}.",
        "",
        "| role | cases | seconds | failures |",
        "|---|---|---|---|",
        *(
            f"| {one.role} | {one.cases} | {one.seconds} | {'none' if one.exit_code == 0 else 'yes'} |"
            for one in fuzzed
        ),
        f"| all | {sum(one.cases for one in fuzzed)} | | |",
        "",
    ]
    for one in fuzzed:
        lines += [f"## {one.role}", "", "```", one.output.strip(), "```", ""]
    reports.write("fuzz.md", "\n".join(lines))
