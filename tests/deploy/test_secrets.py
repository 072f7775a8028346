"""The Secrets made of an installation are those that the manifests ask for."""

import json
import subprocess
import sys
from pathlib import Path

import yaml
from sqlalchemy.engine import make_url

from services.kit.installation import SERVICES, Secrets

ROOT = Path(__file__).parents[2]
SERVER = "postgresql://db.example:5432/"


def printed(directory):
    made = subprocess.run(
        [sys.executable, "deploy/print_secrets.py", str(directory), SERVER],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return {one["metadata"]["name"]: one["stringData"] for one in json.loads(made.stdout)["items"]}


def asked():
    for service in SERVICES:
        text = (ROOT / "deploy" / "k8s" / "base" / f"{service}.yaml").read_text("utf-8")
        for one in yaml.safe_load_all(text):
            if one["kind"] not in ("Deployment", "Job"):
                continue
            for container in one["spec"]["template"]["spec"]["containers"]:
                for variable in container["env"]:
                    if "valueFrom" in variable:
                        reference = variable["valueFrom"]["secretKeyRef"]
                        yield reference["name"], reference["key"]


def test_every_key_that_a_manifest_asks_for_is_made_and_no_other(tmp_path):
    made = {(name, key) for name, values in printed(tmp_path).items() for key in values}

    assert made == set(asked())


def test_addresses_carry_the_roles_and_the_passwords_of_the_installation(tmp_path):
    kept = Secrets.of(tmp_path)
    made = printed(tmp_path)

    for service in SERVICES:
        app = make_url(made[f"opora-{service}"]["database-url"])
        owner = make_url(made[f"opora-{service}-owner"]["owner-database-url"])
        assert (app.drivername, app.host) == ("postgresql+asyncpg", "db.example")
        assert (app.username, app.password) == (f"opora_{service}_app", kept.databases[service].app)
        assert (owner.username, owner.database) == (f"opora_{service}_owner", f"opora_{service}")
