"""The manifests say what the code means: variables, ports, probes, labels, rights."""

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml

from services.kit.cli import MODULES, service_named
from services.kit.serving import GRACE_SECONDS

DEPLOY = Path(__file__).parents[2] / "deploy"
BASE = DEPLOY / "k8s" / "base"
OVERLAYS = sorted((DEPLOY / "k8s" / "overlays").iterdir())
SERVICES = tuple(MODULES)
PORT = 8000
METRICS_PORT = 9000


def objects(service):
    return list(yaml.safe_load_all((BASE / f"{service}.yaml").read_text("utf-8")))


def named(service, kind, name):
    return next(
        (o for o in objects(service) if (o["kind"], o["metadata"]["name"]) == (kind, name)), None
    )


def pods(service):
    """Yield (name, pod spec) of everything that runs."""
    for one in objects(service):
        if one["kind"] in ("Deployment", "Job"):
            yield one["metadata"]["name"], one["spec"]["template"]["spec"]


def containers(service):
    for name, pod in pods(service):
        for container in pod["containers"]:
            yield name, container


def test_each_service_has_a_file_and_the_list_names_all():
    kustomization = yaml.safe_load((BASE / "kustomization.yaml").read_text("utf-8"))

    assert sorted(kustomization["resources"]) == sorted(f"{name}.yaml" for name in SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_a_worker_is_deployed_exactly_where_the_service_has_work(service):
    declared = service_named(service)

    assert (named(service, "Deployment", f"{service}-worker") is not None) == declared.has_work


@pytest.mark.parametrize("service", SERVICES)
def test_every_variable_is_a_field_of_the_settings(service):
    settings = service_named(service).settings
    prefix = f"OPORA_{service.upper()}_"
    known = {prefix + field.upper() for field in settings.model_fields}

    unknown = [
        (name, one["name"])
        for name, container in containers(service)
        for one in container["env"]
        if one["name"] not in known
    ]

    assert unknown == []


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_is_missing_that_a_process_cannot_do_without(service):
    declared = service_named(service)
    needed = {name for name, field in declared.settings.model_fields.items() if field.is_required()}
    serving = needed | {"jwks_url"}
    if service == "gateway":
        serving |= {"key_secret", "system_clients"}
    working = needed | ({"key_secret"} if service == "gateway" else {"jwks_url"})
    asking = {"client_id", "client_secret", "token_url"} if declared.follows else set()
    prefix = f"OPORA_{service.upper()}_"

    for name, container in containers(service):
        given = {one["name"].removeprefix(prefix).lower() for one in container["env"]}
        if name == f"{service}-migrate":
            assert needed | {"owner_database_url"} <= given
        elif name == f"{service}-worker":
            assert working | asking <= given, name
        else:
            assert serving | asking <= given, name


@pytest.mark.parametrize("service", SERVICES)
def test_no_variable_is_given_twice(service):
    for _, container in containers(service):
        counted = Counter(one["name"] for one in container["env"])
        assert max(counted.values()) == 1


@pytest.mark.parametrize("service", SERVICES)
def test_secret_fields_come_from_secrets_and_no_other_do(service):
    fields = service_named(service).settings.model_fields
    prefix = f"OPORA_{service.upper()}_"

    for name, container in containers(service):
        for one in container["env"]:
            field = one["name"].removeprefix(prefix).lower()
            # The clients' list holds secrets inside.
            is_secret = "Secret" in str(fields[field].annotation) or field == "system_clients"
            assert ("valueFrom" in one) == is_secret, (name, one["name"])


@pytest.mark.parametrize("service", SERVICES)
def test_only_the_migration_is_given_the_owner(service):
    holders = [
        name
        for name, container in containers(service)
        for one in container["env"]
        if "OWNER" in one["name"] or "owner" in str(one.get("valueFrom"))
    ]

    assert set(holders) == {f"{service}-migrate"}


@pytest.mark.parametrize("service", SERVICES)
def test_no_default_secret_is_left_in_a_serving_process(service):
    """A field with a development secret as its default must be set."""
    declared = service_named(service).settings
    serving = named(service, "Deployment", service)["spec"]["template"]["spec"]["containers"][0]
    given = {one["name"] for one in serving["env"]}

    for field, definition in declared.model_fields.items():
        if "development-only" in str(getattr(definition.default, "get_secret_value", str)()):
            assert f"OPORA_{service.upper()}_{field.upper()}" in given


@pytest.mark.parametrize("service", SERVICES)
def test_addresses_inside_the_cluster_name_a_service_and_its_port(service):
    for name, container in containers(service):
        for one in container["env"]:
            if one["name"].endswith("_URL") and "value" in one:
                found = re.fullmatch(r"http://([a-z]+):(\d+)(/api/auth/[a-z]+)?", one["value"])
                assert found is not None, (name, one)
                assert found[1] in SERVICES
                assert int(found[2]) == PORT
                if one["name"].endswith(tuple(f"_{peer.upper()}_URL" for peer in SERVICES)):
                    assert one["name"].endswith(f"_{found[1].upper()}_URL")


@pytest.mark.parametrize("service", SERVICES)
def test_a_process_is_told_where_each_neighbour_is_that_it_needs(service):
    declared = service_named(service)
    wanted = {follower.peer for follower in declared.follows}
    for kind in (service, f"{service}-worker"):
        if kind == "gateway":
            wanted = set(SERVICES) - {"gateway"}
        elif kind == "gateway-worker":
            wanted = set()
        deployment = named(service, "Deployment", kind)
        if deployment is not None:
            env = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
            given = {one["name"] for one in env}
            assert {f"OPORA_{service.upper()}_{peer.upper()}_URL" for peer in wanted} <= given


@pytest.mark.parametrize("service", SERVICES)
def test_commands_are_words_of_the_command_line(service):
    verbs = {name: container["args"][:2] for name, container in containers(service)}

    expected = {service: [service, "serve"], f"{service}-migrate": [service, "migrate"]}
    if named(service, "Deployment", f"{service}-worker"):
        expected[f"{service}-worker"] = [service, "work"]
    assert verbs == expected


@pytest.mark.parametrize("service", SERVICES)
def test_probes_ask_the_port_and_paths_that_answer(service):
    deployment = named(service, "Deployment", service)
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    asked = {
        kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")
    }

    assert ports == {"http": PORT, "metrics": METRICS_PORT}
    assert container["args"][-4:] == ["--host", "0.0.0.0", "--port", str(PORT)]  # noqa: S104  inside a pod
    assert {probe["port"] for probe in asked.values()} == {"http"}
    assert asked["readiness"]["path"] == "/health/ready"
    # Restarting a process does not bring a database back: liveness must not ask for it.
    assert asked["liveness"]["path"] == asked["startup"]["path"] == "/health/live"
    assert container["readinessProbe"]["periodSeconds"] == 2


@pytest.mark.parametrize("service", SERVICES)
def test_metrics_are_for_the_cluster_and_not_for_callers(service):
    template = named(service, "Deployment", service)["spec"]["template"]
    env = {one["name"]: one.get("value") for one in template["spec"]["containers"][0]["env"]}
    offered = [port["targetPort"] for port in named(service, "Service", service)["spec"]["ports"]]

    assert offered == ["http"]
    assert env[f"OPORA_{service.upper()}_METRICS_PORT"] == str(METRICS_PORT)
    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(METRICS_PORT)


@pytest.mark.parametrize("service", SERVICES)
def test_selectors_meet_the_labels_of_the_serving_pods_only(service):
    labels = {
        one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"]
        for one in objects(service)
        if one["kind"] in ("Deployment", "Job")
    }
    selectors = {
        "Service": named(service, "Service", service)["spec"]["selector"],
        "PodDisruptionBudget": named(service, "PodDisruptionBudget", service)["spec"]["selector"][
            "matchLabels"
        ],
        "Deployment": named(service, "Deployment", service)["spec"]["selector"]["matchLabels"],
    }

    for kind, selector in selectors.items():
        met = [name for name, given in labels.items() if selector.items() <= given.items()]
        assert met == [service], kind
    worker = named(service, "Deployment", f"{service}-worker")
    if worker:
        wanted = worker["spec"]["selector"]["matchLabels"].items()
        assert [n for n, given in labels.items() if wanted <= given.items()] == [
            f"{service}-worker"
        ]


@pytest.mark.parametrize("service", SERVICES)
def test_a_rollout_waits_for_the_new_and_drains_the_old(service):
    spec = named(service, "Deployment", service)["spec"]
    pod = spec["template"]["spec"]
    pause = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])

    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert pause >= 5
    assert pod["terminationGracePeriodSeconds"] >= pause + GRACE_SECONDS + 10
    # A budget that allows nothing would stop every drain of a node.
    assert named(service, "PodDisruptionBudget", service)["spec"]["maxUnavailable"] == 1


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_runs_as_root_or_could_become_it(service):
    for name, pod in pods(service):
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"]["limits"]["memory"]
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}


def test_images_are_named_once_in_the_overlay_and_never_latest():
    assert {c["image"] for service in SERVICES for _, c in containers(service)} == {"opora"}
    for overlay in OVERLAYS:
        images = yaml.safe_load((overlay / "kustomization.yaml").read_text("utf-8"))["images"]
        assert [image["name"] for image in images] == ["opora"]
        assert str(images[0]["newTag"]) not in ("", "latest")


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_what_an_overlay_names_exists(overlay):
    kustomization = yaml.safe_load((overlay / "kustomization.yaml").read_text("utf-8"))
    deployments = {
        one["metadata"]["name"]
        for service in SERVICES
        for one in objects(service)
        if one["kind"] == "Deployment"
    }

    assert [one for one in kustomization["resources"] if not (overlay / one).exists()] == []
    assert {one["name"] for one in kustomization.get("replicas", [])} <= deployments


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on this machine")
@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_kustomize_builds_the_overlay(overlay):
    built = subprocess.run(
        ["kubectl", "kustomize", str(overlay)], capture_output=True, text=True, check=False
    )

    assert built.returncode == 0, built.stderr
    found = list(yaml.safe_load_all(built.stdout))
    base = sum(len(objects(service)) for service in SERVICES)
    assert len(found) == base + 1
    assert {one["metadata"].get("namespace") for one in found if one["kind"] != "Namespace"} == {
        "opora"
    }


def test_the_image_runs_the_command_line_as_a_numbered_user():
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    user = int(re.search(r"^USER (\d+):(\d+)$", text, re.MULTILINE)[1])

    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["python:3.11-slim"] * 2
    assert user > 0
    assert {
        pod["securityContext"]["runAsUser"] for service in SERVICES for _, pod in pods(service)
    } == {user}
    assert '"-m", "services.kit.cli"' in text


def test_the_image_takes_what_exists():
    copied = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE
    )
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()

    for source in " ".join(copied).split():
        assert (DEPLOY.parent / source).exists()
        assert f"!{source}" in allowed
