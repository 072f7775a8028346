"""Opora's main job from an empty installation to the published list, told in Russian.

Everything goes through the gateway over HTTP. What has been done is found again through the API, so a
story that was killed anywhere goes on where it stopped, and a second start does nothing twice.
"""

import sys
import time
from typing import TYPE_CHECKING

import httpx
from rich.console import Console

from demo.client import Refused
from demo.commands import Commands
from demo.following import follow_up
from demo.founding import found
from demo.identifying import identify
from demo.importing import bring_results
from demo.region import region
from demo.stage import Keepsake, Stage
from demo.telling import tell

if TYPE_CHECKING:
    from services.kit.supervisor import System

__all__ = ["run"]

_UNSEEN_WIDTH = 140
"""Columns of the output where there is no terminal."""


def run(system: "System", *, once: bool = False) -> None:
    """Do the main job on the synthetic Smolensk region and print what came of it.

    A refusal ends the process with the service's own words.
    """
    console = Console(width=None if sys.stdout.isatty() else _UNSEEN_WIDTH)
    directory = system.directory / "demo"
    directory.mkdir(mode=0o700, exist_ok=True)
    began = time.monotonic()
    with httpx.Client(base_url=system.gateway_url, timeout=httpx.Timeout(60, read=120)) as http:
        stage = Stage(
            console=console,
            http=http,
            directory=directory,
            root=system.root_client,
            region=region("smolensk"),
            keepsake=Keepsake(directory),
            commands=Commands(directory / "commands.sh", system.gateway_url),
        )
        console.print("\n[bold]Главная работа Опоры на учебном регионе[/]")
        try:
            ground = found(stage)
            bring_results(stage)
            run_of_year = identify(stage)
            follow_up(stage, ground)
            tell(stage, ground, run_of_year)
        except (Refused, TimeoutError) as refused:
            sys.exit(f"Показ остановлен: {refused}")
        except httpx.TransportError as lost:
            sys.exit(f"Показ остановлен: {system.gateway_url} не отвечает ({type(lost).__name__})")
    console.print(f"\nГотово за {time.monotonic() - began:.0f} с", highlight=False)
    if not once:
        console.print("Система работает, пока её не остановят: Ctrl-C")
