"""Become the given program, tied to the life of the process that started it.

Run as a file by a bare interpreter (`python -I -S launch.py`), so it imports nothing of ours: forking a
threaded parent with `preexec_fn` may deadlock, a small program between the two cannot.

    launch.py OWNER_PID SIGNAL same|namespace|UID PROGRAM [ARGUMENT ...]

`SIGNAL` is what the program gets when its owner dies, however that happens.
`same` keeps the user. `namespace` makes a user namespace in which root is an ordinary user: PostgreSQL
refuses to run as root, and files made there still belong to root outside. A number is the user (and group)
to become for good.
"""

import ctypes
import os
import pwd
import signal
import sys
from pathlib import Path

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_ORDINARY_ACCOUNTS = ("daemon", "bin", "nobody")
"""Who we are inside the namespace: any but root, but `initdb` wants the number to have an account."""


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))


def _enter_namespace() -> None:
    """Make a user namespace and be an ordinary user in it.

    A process may map its own single user without any privilege; `setgroups` must be denied first.
    """
    user, group = os.geteuid(), os.getegid()
    inside = next(entry.pw_uid for entry in pwd.getpwall() if entry.pw_name in _ORDINARY_ACCOUNTS)
    _checked(_libc().unshare(_CLONE_NEWUSER))
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{inside} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{inside} {group} 1", encoding="ascii")


def _become(user: int) -> None:
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


def _die_with(owner: int, death: signal.Signals) -> None:
    """Ask the kernel for a signal when the owner dies.

    Comes last: a change of user clears it. On other systems than Linux there is no such request, and the
    owner's explicit stop is all there is.
    """
    if sys.platform != "linux":
        return
    _checked(_libc().prctl(_PR_SET_PDEATHSIG, death, 0, 0, 0))
    if os.getppid() != owner:  # it died before we asked
        sys.exit(1)


def main() -> None:
    """Read the command line and become the program."""
    owner, death, identity, program = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    if identity == "namespace":
        _enter_namespace()
    elif identity != "same":
        _become(int(identity))
    _die_with(int(owner), signal.Signals[death])
    # Python ignores SIGPIPE and a shell's background job ignores SIGINT: programs expect the defaults.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(program[0], program)  # noqa: S606 - the whole purpose


if __name__ == "__main__":
    main()
