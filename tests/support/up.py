"""`opora up` in the hands of a test: start, wait, ask, kill, stop."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from services.kit.launching import launched

READY_SECONDS = 180


@dataclass
class Up:
    """A running `opora up`; `directory` is its data directory."""

    directory: Path
    process: subprocess.Popen
    output: Path
    _state: dict = field(default_factory=dict)

    @property
    def state(self):
        """What the supervisor tells about itself; kept after the end."""
        path = self.directory / "state.json"
        if path.exists():
            self._state = json.loads(path.read_text())
        return self._state

    @property
    def gateway_url(self):
        return self.state["gateway_url"]

    def url(self, service):
        return self.state["urls"][service]

    def pid(self, name):
        return self.state["processes"][name]

    def told(self):
        return self.output.read_text()

    def root_secret(self):
        return json.loads((self.directory / "secrets.json").read_text())["clients"]["root"]

    def kill(self, name, number=signal.SIGKILL):
        """Kill a process and return its pid."""
        pid = self.pid(name)
        os.kill(pid, number)
        return pid

    def stop(self, number=signal.SIGTERM, within=60):
        """End the supervisor and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=within)


def started(directory, **settings):
    """Start `opora up` with settings (OPORA_…, lower case, without the prefix) without waiting for it."""
    directory.mkdir(parents=True, exist_ok=True)
    output = directory.parent / f"output-{time.monotonic_ns()}.txt"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("OPORA_")
    }
    wanted = {"data_dir": directory, "port": 0, "durable": False} | settings
    environment |= {f"OPORA_{name.upper()}": str(value) for name, value in wanted.items()}
    with output.open("wb") as file:
        # What a failed test leaves running ends with the test run.
        process = launched(
            [sys.executable, "-m", "services.kit.cli", "up"],
            output=file,
            environment=environment,
            on_owner_death=signal.SIGTERM,
        )
    return Up(directory, process, output)


def ready(up, within=READY_SECONDS):
    """Wait until the supervisor says that everything runs."""
    deadline = time.monotonic() + within
    while "Остановить: Ctrl-C" not in up.told():
        assert up.process.poll() is None, up.told()
        assert time.monotonic() < deadline, up.told()
        time.sleep(0.05)
    return up


# PostgreSQL replays after a kill whatever the tests before have written; a slow disk makes that minutes.
PATIENCE_SECONDS = 180


def eventually(question, within=PATIENCE_SECONDS, told=lambda: ""):
    """Ask until the answer is true; return it, or fail with what is told of it."""
    deadline = time.monotonic() + within
    while not (answer := question()):
        assert time.monotonic() < deadline, f"not within {within} s\n{told()}"
        time.sleep(0.05)
    return answer


def is_ready(url):
    try:
        with urllib.request.urlopen(f"{url}/health/ready", timeout=5) as answer:  # noqa: S310
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def is_gone(pid):
    """Whether the process ended; a zombie that nobody has waited for counts as ended."""
    try:
        Path(f"/proc/{pid}/exe").readlink()
    except OSError:
        return True
    return False
