"""The steps of the main job over HTTP, as the people and programs of a region take them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.world import Caller, World, until

IMPORT_SCOPES = ["imports:read", "imports:write", "procedures:read", "indices:read"]


@dataclass
class Region:
    """A region with the people who run it: one analyst prepares, another approves."""

    id: int
    code: str
    analyst: Caller
    approver: Caller
    machine: Caller


async def new_region(world: World, code: str, name: str) -> Region:
    """Make a region, two of its analysts and РИС ГИА's machine client.

    The code is a wish: stories of one world do not know of each other, so a taken code gives way to one
    that no subject of the federation has.
    """
    root = await world.root()
    wish = {"code": code, "name": name}
    region = await root.post("/api/registry/v1/regions", wish, status=(201, 409))
    if "id" not in region:
        code = world.free_region_code()
        region = await root.post("/api/registry/v1/regions", wish | {"code": code})
    analyst = await world.person(root, "region", region_id=region["id"])
    approver = await world.person(root, "region", region_id=region["id"])
    client = await analyst.post(
        "/api/accounts/machine-clients",
        {"client_id": f"ris-gia-{code}", "title": "РИС ГИА", "scopes": IMPORT_SCOPES},
    )
    secret = await analyst.post(
        f"/api/accounts/machine-clients/{client['id']}/secret",
        etag=client["version"],
    )
    machine = await world.client(client["client_id"], secret["client_secret"])
    return Region(region["id"], code, analyst, approver, machine)


async def link_to_issuer(by: Caller, account_id: int, subject: str) -> None:
    """Link an account to a person of the external issuer."""
    path = f"/api/accounts/{account_id}"
    account = await by.get(path)
    linked = await by.ask(
        "PUT",
        f"{path}/external-identity",
        json={"issuer": "esia", "subject": subject},
        headers={"If-Match": f'"{account["version"]}"'},
    )
    assert linked.status_code == 200, linked.text


async def add_schools(
    region: Region,
    municipalities: Mapping[str, str],
    schools: Iterable[Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Make municipalities (code -> name) and schools (with `municipality`: its code) through the API.

    Returns the schools by code.
    """
    ids = {}
    for code, name in municipalities.items():
        made = await region.analyst.post(
            "/api/registry/v1/municipalities",
            {"code": code, "name": name, "kind": "district"},
        )
        ids[code] = made["id"]
    bodies = [
        {"kind": "sosh", "stages": ["noo", "ooo", "soo"]}
        | {key: value for key, value in school.items() if key != "municipality"}
        | {"municipality_id": ids[school["municipality"]]}
        for school in schools
    ]
    for start in range(0, len(bodies), 1000):
        await region.analyst.post(
            "/api/registry/v1/schools/bulk", {"schools": bodies[start : start + 1000]}
        )
    listed = await region.analyst.all("/api/registry/v1/schools")
    assert len(listed) == len(bodies)
    return {school["code"]: school for school in listed}


async def add_procedure(region: Region, **procedure: Any) -> dict[str, Any]:
    """Make a procedure with its scales."""
    made: dict[str, Any] = await region.analyst.post("/api/indicators/v1/procedures", procedure)
    return made


async def upload(
    caller: Caller,
    procedure_id: int,
    files: Mapping[str, bytes],
    *,
    layout: str = "opora-results",
) -> dict[str, Any]:
    """Upload the files of one import and wait until they are checked."""
    draft = await caller.post(
        "/api/indicators/v1/imports", {"procedure_id": procedure_id, "layout": layout}
    )
    for table, content in files.items():
        await caller.put_file(f"/api/indicators/v1/imports/{draft['id']}/files/{table}", content)
    return await settled(caller, draft["id"], {"checked", "failed", "duplicate"})


async def commit(caller: Caller, import_id: int, **body: Any) -> dict[str, Any]:
    """Put a checked import in force and wait for it."""
    await caller.post(f"/api/indicators/v1/imports/{import_id}/commit", body)
    return await settled(caller, import_id, {"committed", "failed"})


async def settled(caller: Caller, import_id: int, states: set[str]) -> dict[str, Any]:
    """Wait until the import is in one of these states."""

    async def arrived() -> Any:
        found = await caller.get(f"/api/indicators/v1/imports/{import_id}")
        return found if found["state"] in states else None

    reached: dict[str, Any] = await until(
        arrived, seconds=120, what=f"import {import_id} to reach {states}"
    )
    return reached


async def import_results(caller: Caller, procedure_id: int, content: bytes) -> dict[str, Any]:
    """Upload, check and commit one file of Opora's own layout, which has no error in it."""
    checked = await upload(caller, procedure_id, {"results": content})
    assert checked["state"] == "checked", checked
    committed = await commit(caller, checked["id"])
    assert committed["state"] == "committed", committed
    return committed


async def methodology(region: Region, **wish: Any) -> int:
    """Add a methodology version (`shipped` code or own `document`); return its id."""
    made = await region.analyst.post("/api/indicators/v1/methodology-versions", wish)
    return int(made["id"])


async def methodology_draft(region: Region, **wish: Any) -> dict[str, Any]:
    """Begin a draft of a methodology from a `shipped` code, a `version_id` or a `document`."""
    made: dict[str, Any] = await region.analyst.post("/api/indicators/v1/methodology-drafts", wish)
    return made


async def printed_split(region: Region, **printed: Any) -> dict[str, Any]:
    """Keep a printed split whose figures are consistent."""
    made: dict[str, Any] = await region.analyst.post("/api/indicators/v1/printed-splits", printed)
    return made


async def identify(region: Region, *, year: int, methodology_version_id: int) -> dict[str, Any]:
    """Run the identification and wait until it is computed."""
    started = await region.analyst.post(
        "/api/indicators/v1/identification-runs",
        {"year": year, "methodology_version_id": methodology_version_id},
    )
    return await run_in(region, started["id"], lambda run: run["computed_at"] or run["refusal"])


async def scenario(region: Region, run_id: int) -> dict[str, Any]:
    """Ask what the list of a run would be by a stricter threshold, and keep the answer."""
    made: dict[str, Any] = await region.analyst.post(
        f"/api/indicators/v1/identification-runs/{run_id}/scenarios",
        {"title": "Порог 55 %", "changes": {"low_result": {"threshold": "11/20"}}},
    )
    return made


async def appeal(by: Caller, run_id: int, school_id: int, claimed: Mapping[str, Any]) -> Any:
    """Contest a cell of a published run."""
    return await by.post(
        "/api/indicators/v1/appeals",
        {
            "run_id": run_id,
            "school_id": school_id,
            "claimed": dict(claimed),
            "reason": "Акт проверки говорит другое",
            "evidence": [{"title": "Акт проверки", "document_number": "5"}],
        },
    )


async def accept(judge: Caller, appeal: Mapping[str, Any]) -> Any:
    """Take an appeal up and decide it as claimed."""
    path = f"/api/indicators/v1/appeals/{appeal['id']}"
    taken = await judge.post(f"{path}/review", etag=appeal["version"])
    return await judge.post(
        f"{path}/decision",
        {
            "outcome": "accepted",
            "reason": "Акт подтверждён",
            "protocol_number": "3",
            "protocol_date": "2026-04-20",
            "commission": ["директор РЦОКО"],
        },
        etag=taken["version"],
    )


async def run_in(region: Region, run_id: int, arrived: Any) -> dict[str, Any]:
    """Wait until the run satisfies the condition; return it."""

    async def found() -> Any:
        run = await region.analyst.get(f"/api/indicators/v1/identification-runs/{run_id}")
        assert (run["job"] or {}).get("state") != "failed", run
        return run if arrived(run) else None

    reached: dict[str, Any] = await until(found, seconds=120, what=f"run {run_id}")
    return reached


async def publish(region: Region, run: Mapping[str, Any], order: str = "210-ОД") -> dict[str, Any]:
    """Prepare by one analyst, approve by the other, publish, and wait for the registry's answer."""
    path = f"/api/indicators/v1/identification-runs/{run['id']}"
    prepared = await region.analyst.post(f"{path}/preparation", etag=run["version"])
    approved = await region.approver.post(
        f"{path}/approval",
        {"order_number": order, "order_date": "2026-03-15", "list_hash": prepared["list_hash"]},
        etag=prepared["version"],
    )
    await region.approver.post(f"{path}/publication", etag=approved["version"])
    return await run_in(region, int(run["id"]), lambda run: run["state"] == "published")
