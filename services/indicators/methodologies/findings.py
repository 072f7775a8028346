"""What may be said of a document: a finding with its place, its weight and the way out."""

from dataclasses import dataclass

from services.kit.words import Word

__all__ = ["Finding", "Severity"]


class Severity(Word):
    """How much a finding weighs."""

    ERROR = "error", "ошибка: версию добавить нельзя"
    WARNING = "warning", "предупреждение: версию добавить можно, замечание остаётся при ней"
    ADVICE = "advice", "совет"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: a stable code, a JSON pointer into the document, texts in Russian."""

    code: str
    pointer: str
    severity: Severity
    text: str
    fix: str
