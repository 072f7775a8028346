"""One measured figure and what is wanted of it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A figure: `floor` is the least wanted, `ceiling` the most; neither means it is only stated."""

    name: str
    value: float
    unit: str = ""
    floor: float | None = None
    ceiling: float | None = None

    @property
    def wanted(self) -> str:
        if self.floor is not None:
            return f">= {self.floor:g}"
        return "" if self.ceiling is None else f"<= {self.ceiling:g}"

    @property
    def verdict(self) -> str:
        if self.floor is not None:
            return "ok" if self.value >= self.floor else "MISSED"
        if self.ceiling is not None:
            return "ok" if self.value <= self.ceiling else "MISSED"
        return ""

    def as_row(self) -> dict[str, Any]:
        return asdict(self) | {"verdict": self.verdict}
