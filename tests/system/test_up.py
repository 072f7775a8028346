"""`opora up`: what dies comes back, what is stopped leaves nothing, what is wrong is told in words."""

import json
import signal
import socket
import stat
import urllib.request
from pathlib import Path

import pytest

from tests.support.up import PATIENCE_SECONDS, eventually, is_gone, is_ready, ready, started

pytestmark = pytest.mark.system

SERVICES = ("gateway", "registry", "indicators", "monitoring", "training")


def test_every_service_of_a_running_system_is_ready_under_its_told_address(system):
    assert set(system.state["urls"]) == set(SERVICES)
    for service in SERVICES:
        assert is_ready(system.url(service))
        assert system.url(service) in system.told()


def test_secrets_and_logs_are_for_their_owner_only(system):
    secrets = (system.directory / "secrets.json").stat()
    assert stat.S_IMODE(secrets.st_mode) == 0o600
    for log in (system.directory / "logs").iterdir():
        assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_service_gets_no_secret_of_another_and_no_owner_address(system):
    environment = Path(f"/proc/{system.pid('registry')}/environ").read_text().split("\0")
    ours = {line.split("=")[0] for line in environment if line.startswith("OPORA_")}

    assert "OPORA_REGISTRY_DATABASE_URL" in ours
    assert all(name.startswith("OPORA_REGISTRY_") for name in ours)
    assert "OPORA_REGISTRY_OWNER_DATABASE_URL" not in ours


@pytest.mark.parametrize("name", ["registry", "gateway", "indicators-worker"])
def test_a_killed_process_is_started_again(system, name):
    killed = system.kill(name)

    eventually(lambda: system.pid(name) != killed)
    eventually(lambda: all(is_ready(system.url(service)) for service in SERVICES))
    assert f"{name} остановился (сигнал SIGKILL)" in system.told()


def test_a_killed_postgresql_recovers_and_the_services_find_it_again_by_themselves(system):
    before = {name: system.pid(name) for name in SERVICES}
    killed = system.kill("postgres")

    eventually(lambda: system.pid("postgres") != killed, told=system.told)
    eventually(lambda: all(is_ready(system.url(service)) for service in SERVICES), told=system.told)
    assert {name: system.pid(name) for name in SERVICES} == before


def _asked(url, body, token=None):
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def test_the_first_administrator_of_the_installation_makes_a_region_through_the_gateway(system):
    granted = _asked(
        f"{system.gateway_url}/api/auth/token",
        {
            "grant_type": "client_credentials",
            "client_id": "root",
            "client_secret": system.root_secret(),
        },
    )
    made = _asked(
        f"{system.gateway_url}/api/registry/v1/regions",
        {"code": "67", "name": "Смоленская область"},
        granted["access_token"],
    )

    assert made["name"] == "Смоленская область"


def test_a_second_start_on_the_same_data_is_told_who_holds_it(system):
    second = started(system.directory)

    assert second.process.wait(timeout=PATIENCE_SECONDS) == 1
    assert f"уже занят другим запуском Опоры (процесс {system.process.pid})" in second.told()
    assert "Traceback" not in second.told().split("уже занят")[1]


@pytest.fixture
def busy_port():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_a_busy_port_is_named_with_the_setting_that_moves_it(tmp_path, busy_port):
    refused = started(tmp_path / "data", port=busy_port)

    assert refused.process.wait(timeout=PATIENCE_SECONDS) == 1
    assert f"Порт {busy_port} на 127.0.0.1 занят" in refused.told()
    assert "OPORA_PORT" in refused.told()
    assert "Traceback" not in refused.told()


def test_a_wrong_setting_is_named(tmp_path):
    refused = started(tmp_path / "data", port="восемь")

    assert refused.process.wait(timeout=PATIENCE_SECONDS) == 1
    assert "OPORA_PORT" in refused.told()
    assert "Traceback" not in refused.told()


def test_a_service_that_cannot_start_ends_the_start_with_its_last_words(tmp_path):
    # Something that only the service itself finds out.
    refused = started(tmp_path / "data", services="registry", registry_pool_size="много")

    assert refused.process.wait(timeout=PATIENCE_SECONDS) == 1
    assert "OPORA_REGISTRY_POOL_SIZE" in refused.told()
    assert not (tmp_path / "data/state.json").exists()


def test_a_service_under_a_superuser_refuses_to_start_and_ends_the_start_with_its_reason(
    tmp_path, other_postgres
):
    refused = started(
        tmp_path / "data",
        services="registry",
        database_url=other_postgres,
        registry_database_url=other_postgres.replace(":", "+asyncpg:", 1).removesuffix("postgres")
        + "opora_registry",
    )

    assert refused.process.wait(timeout=PATIENCE_SECONDS) == 1
    assert "registry не запускается: 5 раз подряд остановился сразу" in refused.told()
    assert "обходит построчную защиту" in refused.told()


# Monitoring follows the registry's feed: a wait for news must not hold up the end.
@pytest.mark.parametrize(
    ("number", "services"),
    [(signal.SIGTERM, "gateway,registry,monitoring"), (signal.SIGINT, "registry")],
)
def test_a_stop_is_clean_and_the_data_is_there_at_the_next_start(tmp_path, number, services):
    up = ready(started(tmp_path / "data", services=services))
    pids = list(up.state["processes"].values())
    root = up.root_secret()

    assert up.stop(number, within=12) == 0

    assert all(is_gone(pid) for pid in pids)
    assert not (tmp_path / "data/state.json").exists()
    assert not (tmp_path / "data/postgres/data/postmaster.pid").exists()
    assert "Опора остановлена" in up.told()

    again = ready(started(tmp_path / "data", services="registry"))
    try:
        assert again.root_secret() == root
    finally:
        assert again.stop() == 0


def test_a_killed_supervisor_takes_everything_along_and_the_next_start_recovers(tmp_path):
    up = ready(started(tmp_path / "data", services="registry"))
    pids = list(up.state["processes"].values())

    up.stop(signal.SIGKILL)

    eventually(lambda: all(is_gone(pid) for pid in pids), within=60)
    again = ready(started(tmp_path / "data", services="registry"))
    assert again.stop() == 0


def test_data_that_is_not_kept_is_gone_after_the_stop(tmp_path):
    up = started(tmp_path / "data", services="registry", keep_data=False)
    ready(up)
    line = next(line for line in up.told().splitlines() if "данные в" in line)
    directory = line.split("данные в ")[1]
    assert Path(directory).is_dir()

    assert up.stop() == 0

    assert not Path(directory).exists()


def test_data_without_its_secrets_is_not_continued(tmp_path):
    (tmp_path / "data/postgres/data").mkdir(parents=True)

    refused = started(tmp_path / "data")

    assert refused.process.wait(timeout=PATIENCE_SECONDS) == 1
    assert "нет файла secrets.json" in refused.told()


def test_the_same_system_runs_on_a_postgresql_of_ones_own(tmp_path, other_postgres):
    up = started(tmp_path / "data", services="registry", database_url=other_postgres)
    try:
        ready(up)
        assert "postgres" not in up.state["processes"]
        assert is_ready(up.url("registry"))
    finally:
        assert up.stop() == 0
