"""Why a file as a whole is refused: a stable code, what was found, what was expected, a remedy."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Refusal(Exception):  # noqa: N818  a fact about the file, told to its owner
    """The file cannot be taken. Never carries a value of a personal column.

    `detail` says what was found and what was expected; `hint` says what to do.
    """

    code: str
    detail: str
    hint: str
    facts: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Give the refusal as the JSON of a REFUSAL frame."""
        return asdict(self)


def cut(detail: str) -> Refusal:
    """Tell that the file ends in the middle."""
    return Refusal(
        "file-cut",
        detail,
        "Файл оборван при выгрузке или копировании: выгрузите его заново и загрузите целиком.",
    )


def too_big(limit: int) -> Refusal:
    """Tell that the body passed the limit (bytes) while it was being read."""
    return Refusal(
        "file-too-big",
        f"Файл больше допустимого: {limit // (1024 * 1024)} МБ.",
        "Разделите файл на части (например, по предметам) и загрузите каждую отдельным импортом.",
        {"limit_bytes": limit},
    )
