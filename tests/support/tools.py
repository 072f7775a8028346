"""The programs of `.tools`: linters and generators that other people run over our contract."""

import os
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".tools"
NODE_MODULES = TOOLS / "npm" / "node_modules"

_NO_TOOLS = "Нет окружения .tools: выполните `make .tools/.npm` (make test делает это сам)"
_NO_PACKAGES = (
    "Пакеты npm не установлены: реестр npm недоступен или package-lock.json изменился. Проверьте "
    "`npm config get registry` и выполните `make .tools/.npm`; OPORA_WITHOUT_NPM=1 пропустит эти тесты"
)


def program(name: str) -> Path:
    """Return the path of a Python program of the tools."""
    path = TOOLS / "bin" / name
    assert path.exists(), _NO_TOOLS
    return path


@cache
def node_modules() -> Path:
    """Return the installed npm packages; without them the test fails, or is skipped if one asked for it."""
    # The stamp is younger than what it was made from, or the packages are those of another lock.
    stamp, lock = TOOLS / ".npm", ROOT / "tests/clients/package-lock.json"
    installed = TOOLS / "npm/package-lock.json"
    if stamp.exists() and installed.read_bytes() == lock.read_bytes():
        return NODE_MODULES
    if os.environ.get("OPORA_WITHOUT_NPM") == "1":
        pytest.skip("OPORA_WITHOUT_NPM=1: без пакетов npm")
    pytest.fail(_NO_PACKAGES)


def node(package_binary: str) -> list[str]:
    """Return the words of a command that starts a program of an npm package under the wheel's Node."""
    return [str(TOOLS / "node/bin/node"), str(node_modules() / package_binary)]


def run(
    command: list[str],
    *,
    cwd: Path | None = None,
    given: str = "",
    within: float = 120,
    **variables: str,
):
    """Run a program with an environment of its own: ours holds settings that are none of its business."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("OPORA_")
    }
    # Generators look for their formatter on the path.
    environment["PATH"] = os.pathsep.join((str(TOOLS / "bin"), environment.get("PATH", "")))
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment | variables,
        input=given,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )


def succeeded(command: list[str], **how) -> str:
    """Run a program that must succeed; return what it printed."""
    done = run(command, **how)
    assert done.returncode == 0, f"{Path(command[0]).name}: {done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr
