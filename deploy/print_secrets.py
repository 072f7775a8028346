# ruff: noqa: INP001  a program, not a package
"""Print the Secrets that the manifests name, made of what `opora bootstrap` kept.

    .venv/bin/python deploy/print_secrets.py installation postgresql://HOST:5432/ | kubectl -n opora apply -f -

The first argument is the folder with `secrets.json`, the second the address of the PostgreSQL server as the
cluster sees it. What is printed holds passwords: pass it on, do not keep it.
"""

import json
import sys
from pathlib import Path
from typing import Any

from services.kit.installation import SERVICES, Addresses, Secrets, variables

OWNERS = "owner-database-url"
HELD = frozenset(
    {
        "database-url",
        OWNERS,
        "cursor-secret",
        "client-secret",
        "key-secret",
        "system-clients",
        "pseudonym-key",
    }
)
"""Variables that are secrets, as keys of a Secret; all others stand in the manifests."""


def secrets_of(directory: Path, server: str) -> list[dict[str, Any]]:
    """Return the Secrets of every service."""
    kept = Secrets.of(directory)
    # Addresses of this machine fill variables that are not secret and are left out here.
    nowhere = Addresses("127.0.0.1", dict.fromkeys(SERVICES, 0))
    found = []
    for service in SERVICES:
        prefix = f"OPORA_{service.upper()}_"
        given = {
            name.removeprefix(prefix).lower().replace("_", "-"): value
            for name, value in variables(
                service, nowhere, kept, admin_url=server, as_owner=True
            ).items()
        }
        held = {key: value for key, value in given.items() if key in HELD}
        owner = {OWNERS: held.pop(OWNERS)}
        found += [_secret(f"opora-{service}", held), _secret(f"opora-{service}-owner", owner)]
    return found


def _secret(name: str, values: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "opora"}},
        "type": "Opaque",
        "stringData": values,
    }


if __name__ == "__main__":
    items = secrets_of(Path(sys.argv[1]), sys.argv[2])
    json.dump({"apiVersion": "v1", "kind": "List", "items": items}, sys.stdout, indent=1)
