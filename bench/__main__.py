"""`make bench`: run the measurements, print their ratios beside their floors, keep them as JSON.

`make bench ARGS="reads reach"` runs some. Figures of one run are comparable with each other only.
"""

import importlib
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.figures import Figure

MEASUREMENTS = (
    "import_results",
    "identification",
    "scenarios",
    "trace",
    "reads",
    "flood",
    "reach",
    "lists",
    "auditing",
)
UNLIMITED = {
    f"OPORA_GATEWAY_{who}_PER_SECOND": "0" for who in ("CALLER", "MACHINE", "SOURCE", "SIGN_IN")
}
"""A measurement is a flood; the one of the limits sets its own."""

OUTPUT = Path(__file__).parent / "out"


def main() -> None:
    os.environ.update(UNLIMITED)
    console = Console()
    figures: list[Figure] = []
    for name in sys.argv[1:] or MEASUREMENTS:
        console.rule(name)
        figures += importlib.import_module(f"bench.{name}").measure(console.print)
    table = Table("figure", "measured", "wanted", "", title="Ratios of this run")
    for figure in figures:
        table.add_row(
            figure.name, f"{figure.value:.3g} {figure.unit}", figure.wanted, figure.verdict
        )
    console.print(table)
    OUTPUT.mkdir(exist_ok=True)
    document = {
        "at": datetime.now(UTC).isoformat(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "figures": [figure.as_row() for figure in figures],
    }
    (OUTPUT / "figures.json").write_text(json.dumps(document, indent=1, ensure_ascii=False))


main()
