"""Reports that `make check` leaves behind for people: written by tests, never read by them."""

from pathlib import Path

__all__ = ["write"]

_FOLDER = Path(__file__).parents[2] / "reports"


def write(name: str, text: str) -> None:
    """Write one report, replacing the former."""
    _FOLDER.mkdir(exist_ok=True)
    (_FOLDER / name).write_text(text, encoding="utf-8")
