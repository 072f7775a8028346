"""`opora up`: PostgreSQL, every service and its worker as real processes of this machine, kept alive.

What dies is started again with a growing pause; what dies five times at once ends the whole start with its
last words. When the supervisor itself dies, however that happens, the kernel takes its children along.
"""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from services.kit.embedded import Embedded
from services.kit.installation import Addresses, Installation, InstallationError, Secrets, variables
from services.kit.launching import EmbeddedError, launched, only_owner

__all__ = ["System", "running"]

_TICK_SECONDS = 0.1
_PROBE_SECONDS = 0.25
_START_SECONDS = 120
"""A service that is not ready after this long will not be."""

_FAILED_STARTS = 5
"""So many deaths in a row before the process ever became ready, and the installation is broken."""

_SETTLED_SECONDS = 5.0
"""What dies sooner than this is started again after a growing pause."""

_LONGEST_PAUSE_SECONDS = 5.0

_GRACE_SECONDS = 20.0
"""From SIGTERM to SIGKILL. The services finish their requests within the same time."""

_LOG_LIMIT_BYTES = 20 * 1024 * 1024
"""A log that grows beyond this is set aside as `….log.1`, and begun anew."""

_LOG_CHECK_SECONDS = 60.0

Tell = Callable[[str], None]


@dataclass
class _Child:
    """One process and what happened to it."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    ready_url: str | None = None
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    failed_starts: int = 0
    early_deaths: int = 0
    is_ready: bool = False
    probed_at: float = 0.0
    reason: str = ""

    def launch(self) -> None:
        self.is_ready = False
        self.reason = ""
        self.started_at = time.monotonic()
        with _log_of(self.log) as output:
            self.process = launched(self.command, output=output, environment=self.environment)

    def death(self) -> str | None:
        """How it died, in words; None while it lives or waits for its next start."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        return f"сигнал {signal.Signals(-code).name}" if code < 0 else f"код {code}"

    def probe(self) -> None:
        """Ask whether it is ready: a service by its probe, a worker by having lived for a while."""
        now = time.monotonic()
        if self.ready_url is None:
            self.is_ready = now - self.started_at > 1.0
            return
        if now - self.probed_at < _PROBE_SECONDS:
            return
        self.probed_at = now
        address = urlsplit(self.ready_url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=3)
        try:
            connection.request("GET", address.path)
            answer = connection.getresponse()
            body = answer.read(1000).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            self.reason = type(error).__name__
        else:
            self.is_ready = answer.status == 200
            self.reason = body
        finally:
            connection.close()

    def last_words(self) -> str:
        return _last_lines(self.log)


@dataclass
class System:
    """A running installation, for those who use it: demo, measurements, tests, the command line."""

    directory: Path
    addresses: Addresses
    secrets: Secrets
    failure: str | None = None
    _ended: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def gateway_url(self) -> str:
        """Base URL of the gateway, through which everything is used."""
        return self.addresses.url("gateway")

    @property
    def root_client(self) -> tuple[str, str]:
        """Id and secret of the first administrator's machine client."""
        return "root", self.secrets.clients["root"]

    def url(self, service: str) -> str:
        """Return the base URL of one service on this machine."""
        return self.addresses.url(service)

    def processes(self) -> dict[str, int]:
        """Return the pid of each process that lives, by name (`registry`, `registry-worker`, `postgres`)."""
        state = json.loads((self.directory / "state.json").read_text(encoding="utf-8"))
        return dict(state["processes"])

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the system fails, or so many seconds.

        Raises:
            InstallationError: It failed for good; the text says which process and why.
        """
        # In short pieces, so that Ctrl-C is heard on every platform.
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self._ended.wait(
            0.5 if deadline is None else max(0.0, min(0.5, deadline - time.monotonic()))
        ):
            if deadline is not None and time.monotonic() >= deadline:
                return
        raise InstallationError(self.failure or "")


@contextmanager
def running(installation: Installation | None = None, *, tell: Tell = print) -> Iterator[System]:
    """Hold a running installation for the length of a block; everything is ready when the block begins.

    Call it from the main thread: the processes live no longer than the thread that started them.

    Raises:
        InstallationError: Something does not start; the text is for the person at the terminal.
        EmbeddedError: Likewise, about PostgreSQL.
    """
    supervisor = _Supervisor(installation or Installation(), tell)
    try:
        supervisor.start()
        yield supervisor.system
    finally:
        supervisor.stop()


class _Supervisor:
    """Starts, watches and stops the processes of one installation."""

    system: System

    def __init__(self, installation: Installation, tell: Tell) -> None:
        self._installation = installation
        self._tell = tell
        self._children: list[_Child] = []
        self._postgres: Embedded | None = None
        self._resources = ExitStack()
        self._directory: Path | None = None
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None

    def start(self) -> None:
        """Bring everything up; returns when every process is ready."""
        directory = self._directory = self._open_directory()
        self._tell(f"Опора запускается, данные в {directory}")
        self._resources.enter_context(only_owner(directory))
        addresses = Addresses.of(self._installation)
        kept = Secrets.of(directory)
        admin_url = self._open_cluster(directory)
        self.system = System(directory, addresses, kept)
        workers = self._prepare(directory, addresses, kept, admin_url)
        self._children = list(self._described(workers, admin_url))
        deadline = time.monotonic() + _START_SECONDS
        while not all(child.is_ready for child in self._children):
            self._look()
            if time.monotonic() > deadline:
                late = next(child for child in self._children if not child.is_ready)
                raise InstallationError(
                    f"{late.name} не готов за {_START_SECONDS} с: {late.reason}\n{late.last_words()}"
                )
            time.sleep(_TICK_SECONDS)
        self._watcher = threading.Thread(target=self._watch, name="opora-supervisor", daemon=True)
        self._watcher.start()
        self._introduce()

    def stop(self) -> None:
        """Drain and stop everything; nothing is left behind, whatever state the start had reached."""
        self._stopping.set()
        if self._watcher is not None:
            self._watcher.join()
        # First those who ask, then those who are asked, so that no request meets a closed door.
        asking = [child for child in self._children if child.name not in self._asked()]
        asked = [child for child in self._children if child.name in self._asked()]
        _stop_all(asking)
        _stop_all(asked)
        if self._postgres is not None:
            self._postgres.stop()
        if self._children:
            (self.system.directory / "state.json").unlink(missing_ok=True)
        self._resources.close()
        if self._directory is not None and not self._installation.keep_data:
            shutil.rmtree(self._directory, ignore_errors=True)

    def _asked(self) -> set[str]:
        return set(self._installation.services) - {"gateway"}

    def _open_directory(self) -> Path:
        if not self._installation.keep_data:
            directory = Path(tempfile.mkdtemp(prefix="opora-"))
        else:
            directory = self._installation.data_dir.resolve()
            directory.mkdir(parents=True, exist_ok=True)
        # Passable, not readable: PostgreSQL may have to run as another user. Every secret is 0600.
        directory.chmod(0o711)
        (directory / "logs").mkdir(exist_ok=True, mode=0o700)
        return directory

    def _open_cluster(self, directory: Path) -> str | None:
        """Return the administrator's address of the cluster; None when every service has its own address."""
        if self._installation.database_url is not None:
            return self._installation.database_url.get_secret_value()
        given = [f"OPORA_{service.upper()}_DATABASE_URL" for service in self._installation.services]
        if all(os.environ.get(name) for name in given):
            return None
        postgres = Embedded(
            directory / "postgres",
            tcp_port=self._installation.postgres_port,
            durable=self._installation.durable,
            tell=self._tell,
        )
        # Kept before it is started: an interrupted start is stopped too.
        self._postgres = postgres
        postgres.start()
        return postgres.admin_url()

    def _prepare(
        self, directory: Path, addresses: Addresses, kept: Secrets, admin_url: str | None
    ) -> list[str]:
        """Make roles and databases, migrate; return the services that need a worker."""
        environment = _environment() | {
            "OPORA_DATA_DIR": str(directory),
            "OPORA_SERVICES": ",".join(self._installation.services),
        }
        if admin_url is not None:
            environment["OPORA_DATABASE_URL"] = admin_url
        for service in self._installation.services:
            environment |= variables(service, addresses, kept, admin_url=admin_url, as_owner=True)
        log, report = directory / "logs" / "prepare.log", directory / "prepared.json"
        report.unlink(missing_ok=True)
        with _log_of(log) as output:
            child = launched(_opora("prepare", str(report)), output=output, environment=environment)
        code = _waited(child)
        if code != 0:
            raise InstallationError(f"Не удалось подготовить базы данных:\n{_last_lines(log)}")
        workers = json.loads(report.read_text(encoding="utf-8"))["workers"]
        report.unlink()
        return [str(service) for service in workers]

    def _described(self, workers: list[str], admin_url: str | None) -> Iterator[_Child]:
        system = self.system
        logs = system.directory / "logs"
        for service in self._installation.services:
            environment = _environment() | variables(
                service, system.addresses, system.secrets, admin_url=admin_url
            )
            host, port = system.addresses.listen_host(service), system.addresses.ports[service]
            yield _Child(
                service,
                _opora(service, "serve", "--host", host, "--port", str(port)),
                environment,
                logs / f"{service}.log",
                ready_url=f"{system.url(service)}/health/ready",
            )
            if service in workers:
                name = f"{service}-worker"
                yield _Child(name, _opora(service, "work"), environment, logs / f"{name}.log")

    def _watch(self) -> None:
        logs_seen_at = time.monotonic()
        while not self._stopping.wait(_TICK_SECONDS):
            try:
                self._look()
                if time.monotonic() - logs_seen_at > _LOG_CHECK_SECONDS:
                    logs_seen_at = time.monotonic()
                    _set_long_logs_aside(self.system.directory)
            except (InstallationError, EmbeddedError, OSError) as failed:
                self.system.failure = str(failed)
                self.system._ended.set()  # noqa: SLF001 - the system is the supervisor's own face
                return

    def _look(self) -> None:
        """Go round once: bury, start again, ask who is ready."""
        changed = self._revive_postgres()
        for child in self._children:
            if (death := child.death()) is not None:
                self._plan_restart(child, death)
            if child.process is None and time.monotonic() >= child.start_at:
                child.launch()
                changed = True
            if child.process is not None and not child.is_ready:
                child.probe()
        if changed:
            self._write_state()

    def _plan_restart(self, child: _Child, death: str) -> None:
        is_early = time.monotonic() - child.started_at < _SETTLED_SECONDS
        child.early_deaths = child.early_deaths + 1 if is_early else 0
        child.failed_starts = 0 if child.is_ready else child.failed_starts + 1
        child.process = None
        child.is_ready = False
        if child.failed_starts >= _FAILED_STARTS:
            raise InstallationError(
                f"{child.name} не запускается: {_FAILED_STARTS} раз подряд остановился сразу ({death}). "
                f"Последние строки {child.log}:\n{child.last_words()}"
            )
        pause = min(_LONGEST_PAUSE_SECONDS, 0.1 * 2**child.early_deaths)
        child.start_at = time.monotonic() + pause
        self._tell(f"{child.name} остановился ({death}), запускаю снова через {pause:.1f} с")

    def _revive_postgres(self) -> bool:
        postgres = self._postgres
        if postgres is None or postgres.alive():
            return False
        self._tell("PostgreSQL остановился, восстанавливаю")
        postgres.restart()
        self._tell("PostgreSQL снова работает")
        return True

    def _write_state(self) -> None:
        """Tell tools and tests what runs where."""
        system = self.system
        processes = {c.name: c.process.pid for c in self._children if c.process is not None}
        if self._postgres is not None and (pid := self._postgres.pid) is not None:
            processes["postgres"] = pid
        state = {
            "pid": os.getpid(),
            "gateway_url": system.gateway_url,
            "urls": {service: system.url(service) for service in self._installation.services},
            "processes": processes,
        }
        path = system.directory / "state.json"
        path.with_suffix(".new").write_text(json.dumps(state, indent=1), encoding="utf-8")
        path.with_suffix(".new").rename(path)

    def _introduce(self) -> None:
        system = self.system
        self._tell(f"Опора работает: {system.gateway_url}")
        for service in self._installation.services:
            if service != "gateway":
                self._tell(f"  {service:<12} {system.url(service)}")
        self._tell(f"  журналы      {system.directory / 'logs'}")
        if self._postgres is not None and self._installation.postgres_port:
            self._tell(f"  PostgreSQL   127.0.0.1:{self._installation.postgres_port}")
        self._tell("Остановить: Ctrl-C")


def _opora(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "services.kit.cli", *arguments]


def _environment() -> dict[str, str]:
    """Return the operator's environment without our settings: each process gets only its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPORA_")}
    root = str(Path(__file__).parents[2])
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, [root, kept.get("PYTHONPATH")]))
    return kept


def _waited(child: subprocess.Popen[bytes]) -> int:
    try:
        return child.wait()
    except BaseException:
        child.kill()
        child.wait()
        raise


def _stop_all(children: list[_Child]) -> None:
    living = [child.process for child in children if child.process is not None]
    for process in living:
        process.terminate()
    deadline = time.monotonic() + _GRACE_SECONDS
    for process in living:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        if process.poll() is None:
            process.kill()
            process.wait()


def _set_long_logs_aside(directory: Path) -> None:
    """Copy and empty: the writers keep their open files, and append at the new end."""
    for log in (*directory.glob("logs/*.log"), directory / "postgres" / "postgres.log"):
        if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
            shutil.copy2(log, log.with_name(f"{log.name}.1"))
            os.truncate(log, 0)


@contextmanager
def _log_of(path: Path) -> Iterator[IO[bytes]]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as output:
        yield output


def _last_lines(path: Path) -> str:
    with suppress(FileNotFoundError):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-10:])
    return ""
