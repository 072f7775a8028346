"""The embedded PostgreSQL: a real server from the binaries of a PyPI wheel, under our own launcher.

The wheel's own start-up code is not used: it leaves the server behind on SIGTERM and believes stale pid files.
Here one owner holds a lock on the directory, the server dies with its owner, and a crash is recovered from.

A directory holds: `data/` (the cluster), `password` (of the superuser, 0600), `postgres.log`, `owner.lock`,
`run/` (the Unix socket), and, if the operator wants it, `local.conf` with settings that win over ours.
Start a server from the main thread: Linux ties the death signal to the thread that started the child.
"""

import hashlib
import os
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

from services.kit.binaries import (
    binaries_of,
    copied_binaries,
    first_closed_parent,
    others_may_enter,
)
from services.kit.launching import EmbeddedError, identity_here, launched, only_owner

__all__ = ["Embedded", "EmbeddedError"]

_SOCKET_PATH_LIMIT = 100
"""Bytes. The system's limit for a Unix socket path is 107 (104 on macOS)."""

_FAST_STOP_SECONDS = 60
"""A fast stop writes a checkpoint; after this long the stop becomes immediate (recovered at next start)."""

_LOG_LIMIT_BYTES = 10 * 1024 * 1024
"""A longer log is set aside as `postgres.log.1` at the next start."""

_SETTINGS = """\
# Written by Opora at every start. Settings of your own belong into ../local.conf, which wins.
listen_addresses = '{addresses}'
port = {port}
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
max_connections = 200
password_encryption = scram-sha-256
# Memory for a machine of 4 GB and more.
shared_buffers = 256MB
work_mem = 32MB
maintenance_work_mem = 256MB
effective_cache_size = 1GB
dynamic_shared_memory_type = {shared_memory}
# Imports write a lot in a short time: rare, spread checkpoints.
max_wal_size = 4GB
min_wal_size = 256MB
# Off: the only method of this build costs the processor more than it saves the disk.
wal_compression = off
wal_buffers = 16MB
checkpoint_timeout = 15min
fsync = {durable}
full_page_writes = {durable}
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
# No statement and no detail of an error in the log: both may carry personal data.
log_min_error_statement = panic
log_error_verbosity = terse
log_statement = none
log_line_prefix = '%m [%p] %q%u@%d '
log_checkpoints = off
cluster_name = 'opora'
include_if_exists = '../local.conf'
"""

_ACCESS = """\
# TYPE  DATABASE     USER  ADDRESS       METHOD
local   all          all                 scram-sha-256
local   replication  all                 scram-sha-256
host    all          all   127.0.0.1/32  scram-sha-256
host    all          all   ::1/128       scram-sha-256
"""


@dataclass
class Embedded:
    """One PostgreSQL cluster in one directory.

    Attributes:
        directory: Made when missing, 0700.
        tcp_port: Also listen on the loopback address; without it there is only the Unix socket.
        durable: False switches fsync off, for tests only; a killed server still loses nothing.
        major: Major version among those in the wheel: 18, or 16 to test against an older one.
        identity: `same`, `namespace` or a numeric user; found out by itself when None.
        tell: Receives Russian sentences on what takes long.
    """

    directory: Path
    tcp_port: int | None = None
    durable: bool = True
    major: int = 18
    identity: str | None = None
    tell: Callable[[str], None] = print
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)
    _identity: str = field(default="same", init=False, repr=False)
    _socket: Path = field(init=False, repr=False)
    _binaries: Path = field(init=False, repr=False)
    _resources: ExitStack = field(default_factory=ExitStack, init=False, repr=False)

    def __post_init__(self) -> None:
        self.directory = self.directory.resolve()
        self._binaries = binaries_of(self.major)

    @property
    def data(self) -> Path:
        """The cluster's data directory (PGDATA)."""
        return self.directory / "data"

    @property
    def log(self) -> Path:
        """What the server wrote."""
        return self.directory / "postgres.log"

    @property
    def pid(self) -> int | None:
        """The running server's process, None when there is none."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def admin_url(self, database: str = "postgres") -> str:
        """The superuser's address of a database, as SQLAlchemy and asyncpg read it.

        Carries the password: for bootstrap and tests, never for a service.
        """
        password = (self.directory / "password").read_text(encoding="ascii").strip()
        port = self.tcp_port or 5432
        return f"postgresql://postgres:{password}@/{database}?host={quote(str(self._socket))}&port={port}"

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Hold a running server for the length of a block."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Create the cluster if there is none, start the server, wait until it answers.

        Crash recovery may take minutes; it is waited for as long as the server lives.

        Raises:
            EmbeddedError: Another owner holds the directory, or the server refused to start.
        """
        self._identity = self.identity or identity_here(self._binaries)
        self._move_to_open_place()
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._resources.enter_context(only_owner(self.directory))
            self._prepare()
            self._socket = self._socket_directory()
            _outlive_previous_server(self.data)
            if not (self.data / "PG_VERSION").exists():
                self._create_cluster()
            self._configure()
            self._launch()
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server fast (open transactions are rolled back, nothing is lost) and let the directory go."""
        process, self._process = self._process, None
        try:
            if process is not None:
                _stop(process)
        finally:
            self._resources.close()

    def alive(self) -> bool:
        """Whether the server process lives."""
        return self.pid is not None

    def restart(self) -> None:
        """Start again after the server died, keeping the directory ours."""
        if self._process is not None:
            _stop(self._process)
        _outlive_previous_server(self.data)
        self._launch()
        self._wait_until_ready()

    def _other_user(self) -> int | None:
        """Return the user the server runs as when that is not ours."""
        return int(self._identity) if self._identity.isdigit() else None

    def _move_to_open_place(self) -> None:
        """Under another user who cannot pass a folder above ours: keep the cluster where it can."""
        user = self._other_user()
        blocked = user is not None and first_closed_parent(self.directory)
        if not blocked:
            return
        digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]
        place = Path(f"/var/tmp/opora-{digest}")  # noqa: S108 - checked to be ours
        if place.exists() and place.lstat().st_uid not in {0, user}:
            raise EmbeddedError(f"Каталог {place} создан не нами: удалите его.")
        self.tell(
            f"PostgreSQL не работает от имени root, а другому пользователю закрыт каталог {blocked}: "
            f"база хранится в {place}"
        )
        self.directory = place

    def _prepare(self) -> None:
        """Under another user: give it the directory, and binaries that it can reach."""
        user = self._other_user()
        if user is None:
            return
        if not others_may_enter(self._binaries):
            self._binaries = copied_binaries(self._binaries, user)
        _give(self.directory, user)

    def _socket_directory(self) -> Path:
        """Return a private directory whose path is short enough for a socket."""
        wanted = self.directory / "run"
        if len(os.fsencode(wanted / ".s.PGSQL.65535")) >= _SOCKET_PATH_LIMIT:
            digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]
            wanted = Path(f"/tmp/opora-{os.getuid()}-{digest}")  # noqa: S108 - checked to be ours below
            self._resources.callback(shutil.rmtree, wanted, ignore_errors=True)
        wanted.mkdir(mode=0o700, exist_ok=True)
        found = wanted.lstat()
        user = self._other_user()
        ours = found.st_uid in {os.getuid(), user}
        if not stat.S_ISDIR(found.st_mode) or not ours or found.st_mode & 0o077:
            raise EmbeddedError(
                f"Каталог {wanted} занят чужим файлом или открыт другим: удалите его."
            )
        if user is not None:
            os.chown(wanted, user, user)
        return wanted

    def _create_cluster(self) -> None:
        """Make the cluster under another name first, so that an interrupted creation is never taken for one."""
        unfinished = self.directory / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)
        password = self.directory / "password"
        password.unlink(missing_ok=True)
        with os.fdopen(
            os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
        ) as secret:
            secret.write(secrets.token_urlsafe(32) + "\n")
        if (user := self._other_user()) is not None:
            os.chown(password, user, user)
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=PG_UNICODE_FAST", "--locale=C"]
            if self.major >= 18
            else ["--locale=C"]
        )
        command = [
            str(self._binaries / "initdb"),
            "--pgdata",
            str(unfinished),
            "--username=postgres",
        ]
        command += ["--encoding=UTF8", *locale, "--auth=scram-sha-256", "--pwfile", str(password)]
        command += ["--data-checksums", "--no-instructions"]
        command += [] if self.durable else ["--no-sync"]
        with self._output() as output:
            made = launched(
                command, output=output, identity=self._identity, environment=_environment()
            ).wait()
        if made != 0:
            raise EmbeddedError(
                f"Не удалось создать базу в {self.directory}:\n{self._last_words()}"
            )
        unfinished.rename(self.data)

    def _configure(self) -> None:
        durable = "on" if self.durable else "off"
        settings = _SETTINGS.format(
            addresses="127.0.0.1" if self.tcp_port else "",
            port=self.tcp_port or 5432,
            socket=str(self._socket).replace("'", "''"),
            shared_memory=_shared_memory_kind(),
            durable=durable,
        )
        for name, text in (("postgresql.conf", settings), ("pg_hba.conf", _ACCESS)):
            # Written in place: the file keeps the owner that initdb gave it.
            (self.data / name).write_text(text, encoding="utf-8")

    def _launch(self) -> None:
        with self._output() as output:
            self._process = launched(
                [str(self._binaries / "postgres"), "-D", str(self.data)],
                output=output,
                on_owner_death=signal.SIGINT,
                identity=self._identity,
                environment=_environment(),
            )

    @contextmanager
    def _output(self) -> Iterator[IO[bytes]]:
        with suppress(FileNotFoundError):
            if self.log.stat().st_size > _LOG_LIMIT_BYTES:
                self.log.replace(self.log.with_name("postgres.log.1"))
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as output:
            yield output

    def _wait_until_ready(self) -> None:
        """Follow the status that the server keeps in its pid file (as `pg_ctl` does)."""
        process = self._process
        if process is None:
            raise AssertionError
        begun = told = time.monotonic()
        while _status(self.data, process.pid) != "ready":
            if process.poll() is not None:
                raise EmbeddedError(f"PostgreSQL не запустился:\n{self._last_words()}")
            now = time.monotonic()
            if now - told >= 5:
                told = now
                self.tell(
                    f"PostgreSQL восстанавливается после аварийной остановки: {now - begun:.0f} с"
                )
            time.sleep(0.01)

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-8:])


def _environment() -> dict[str, str]:
    """Nothing of ours: PG* variables of the user would change what the server does."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _give(directory: Path, user: int) -> None:
    """Hand the directory over once; a second start finds it given."""
    if directory.stat().st_uid == user and (directory / "data").exists():
        return
    os.chown(directory, user, user)
    for folder, folders, files in os.walk(directory):
        for name in (*folders, *files):
            os.chown(Path(folder) / name, user, user, follow_symlinks=False)


def _shared_memory_kind() -> str:
    """Return `mmap` where /dev/shm is small (64 MB in a container by default): parallel queries need room."""
    try:
        return "posix" if shutil.disk_usage("/dev/shm").free > 256 * 1024 * 1024 else "mmap"  # noqa: S108
    except OSError:
        return "posix"


def _status(data: Path, pid: int) -> str:
    """Return the status in the pid file when the file is this server's, else an empty string."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ""
    if len(lines) < 8 or lines[0] != str(pid):
        return ""
    return lines[7].strip()


def _outlive_previous_server(data: Path) -> None:
    """Wait out a server whose owner died, and remove the pid file of one that is gone.

    We hold the lock, so whoever works in the directory is left over: a server that is just going down after
    its owner's death, or backends of a server that was killed. PostgreSQL itself refuses to start when the
    number in a stale file happens to be a living process of the same user, as it does after a container
    restart; we look at what the process really is.
    """
    pid_file = data / "postmaster.pid"
    if sys.platform != "linux" or not pid_file.exists():
        return
    begun = time.monotonic()
    while leftovers := _working_in(data):
        waited = time.monotonic() - begun
        for pid in leftovers if waited > 5 else ():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT if waited > _FAST_STOP_SECONDS else signal.SIGINT)
        time.sleep(0.05 if waited < 5 else 1)
    pid_file.unlink(missing_ok=True)


def _working_in(data: Path) -> list[int]:
    """Return the living processes whose working directory is the cluster: every PostgreSQL process's is."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):  # gone meanwhile, a zombie, or not ours to look at
            if (entry / "cwd").readlink() == data and (entry / "exe").readlink().name == "postgres":
                found.append(int(entry.name))
    return found


def _stop(process: subprocess.Popen[bytes]) -> None:
    for asked, seconds in ((signal.SIGINT, _FAST_STOP_SECONDS), (signal.SIGQUIT, 10)):
        if process.poll() is not None:
            return
        process.send_signal(asked)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=seconds)
    process.kill()
    process.wait()
