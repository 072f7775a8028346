"""Start programs that cannot outlive us, and hold a directory that only one owner may use."""

import fcntl
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from services.kit import launch

__all__ = ["EmbeddedError", "identity_here", "launched", "only_owner"]

_FALLBACK_ACCOUNTS = ("nobody", "daemon", "bin")
"""Who PostgreSQL runs as when we are root and user namespaces are refused; `initdb` wants an account."""


class EmbeddedError(Exception):
    """The server cannot start. The text is Russian and meant for the person at the terminal."""


def launched(
    program: list[str],
    *,
    output: IO[bytes] | int,
    on_owner_death: signal.Signals = signal.SIGKILL,
    identity: str = "same",
    environment: dict[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program that cannot outlive us, in a session of its own so that Ctrl-C reaches only us.

    Args:
        program: Absolute path and arguments.
        output: Where its two output streams go.
        on_owner_death: What the kernel sends when our thread ends, however it ends.
        identity: `same`, `namespace` or a numeric user, see `launch.py`.
        environment: Replaces ours when given.
    """
    command = [sys.executable, "-I", "-S", launch.__file__]
    command += [str(os.getpid()), on_owner_death.name, identity, *program]
    return subprocess.Popen(  # noqa: S603 - our own launcher
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=environment,
        start_new_session=True,
    )


@contextmanager
def only_owner(directory: Path) -> Iterator[None]:
    """Hold the directory's lock; the kernel lets it go with the process, so it is never stale."""
    descriptor = os.open(directory / "owner.lock", os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = lock.read().strip() or "?"
            raise EmbeddedError(
                f"Каталог данных {directory} уже занят другим запуском Опоры (процесс {holder}). "
                "Остановите его или укажите другой каталог в OPORA_DATA_DIR."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def identity_here(binaries: Path) -> str:
    """How PostgreSQL can run here: as we are, in a user namespace, or as another user."""
    if os.getuid() != 0 and _has_account(os.getuid()):
        return "same"
    trial = launched(
        [str(binaries / "postgres"), "--version"], output=subprocess.DEVNULL, identity="namespace"
    )
    if trial.wait() == 0:
        return "namespace"
    if os.getuid() != 0:
        return "same"  # a container's number without an account: initdb says so itself
    accounts = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    return str(next(accounts[name] for name in _FALLBACK_ACCOUNTS if name in accounts))


def _has_account(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True
