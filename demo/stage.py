"""What all steps of the story share: the connection, the callers, the kept passwords, the screen."""

import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from demo.client import Client
from demo.commands import Commands
from demo.region import Region

__all__ = ["YEAR", "Keepsake", "Stage"]

YEAR = 2026
"""The list is of 2025/2026; the methodology looks back at 2025 and 2024, of which scales are published."""

Found = TypeVar("Found")


class Keepsake:
    """What must outlive a start: passwords and secrets, for their owner's eyes only."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "accounts.json"
        self._kept: dict[str, str] = {}
        if self._path.exists():
            self._kept = json.loads(self._path.read_text(encoding="utf-8"))

    def password(self, login: str) -> str:
        """Return the password of a login; a new one is on disk before anybody else hears of it."""
        if login not in self._kept:
            self.keep(login, secrets.token_urlsafe(12))
        return self._kept[login]

    def secret(self, client_id: str) -> str | None:
        """Return the secret of a machine client if it was ever received."""
        return self._kept.get(client_id)

    def keep(self, name: str, secret: str) -> None:
        """Write a secret down."""
        self._kept[name] = secret
        written = self._path.with_suffix(".new")
        descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(self._kept, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        written.rename(self._path)


@dataclass
class Stage:
    """Everything a step needs."""

    console: Console
    http: httpx.Client
    directory: Path
    root: tuple[str, str]
    region: Region
    keepsake: Keepsake
    commands: Commands
    _people: dict[str, Client] = field(default_factory=dict)

    def administrator(self) -> Client:
        """Return the client that is there from the beginning: it makes regions and their accounts."""
        client_id, secret = self.root
        return self._caller("root", _machine(client_id, secret))

    def person(self, login: str) -> Client:
        """Return a person, who logs in with the kept password."""
        grant = {
            "grant_type": "password",
            "login": login,
            "password": self.keepsake.password(login),
        }
        return self._caller(login, grant)

    def machine(self, client_id: str, secret: str) -> Client:
        """Return a machine client."""
        return self._caller(client_id, _machine(client_id, secret))

    def _caller(self, name: str, grant: dict[str, str]) -> Client:
        word = name.replace("-", "_").replace(".", "_")
        if name not in self._people:
            told = partial(self.commands.note, word, grant)
            self._people[name] = Client(self.http, word, grant, told=told)
        return self._people[name]

    def say(self, line: str) -> None:
        """Tell one thing that has been done."""
        self.console.print(f"[green]✓[/] {line}", highlight=False)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Show bars while something is under way."""
        with Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        ) as shown:
            yield shown

    def wait_for(
        self, question: Callable[[], Found | None], what: str, *, within: float = 60
    ) -> Found:
        """Ask until there is an answer.

        Raises:
            TimeoutError: There was none in time.
        """
        deadline = time.monotonic() + within
        while (answer := question()) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"Не дождались: {what}")
            time.sleep(0.2)
        return answer


def _machine(client_id: str, secret: str) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": secret,
    }
