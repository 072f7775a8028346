"""Reading a document: what is malformed, and the document where nothing is."""

from typing import Any

from pydantic import ValidationError

from services.indicators.methodologies.findings import Finding, Severity
from services.indicators.methodologies.text import MethodologyText
from services.kit.problems import described

__all__ = ["read"]


def read(document: Any) -> tuple[MethodologyText | None, list[Finding]]:
    """Give the document with no findings, or None with everything that is malformed in it."""
    try:
        return MethodologyText.model_validate(document), []
    except ValidationError as refused:
        return None, _told(refused)


def _told(refused: ValidationError) -> list[Finding]:
    errors = [
        {**error, "loc": ("body", *_steps(error["loc"]))}
        for error in refused.errors(include_url=False, include_input=False)
    ]
    return [
        Finding(
            "malformed" if error["code"] != "extra_forbidden" else "unknown-field",
            "" if error["pointer"] == "/" else error["pointer"],
            Severity.ERROR,
            error["detail"],
            "Исправьте значение: допустимое описано в контракте, схема Methodology",
        )
        for error in described(errors)
    ]


def _steps(place: tuple[int | str, ...]) -> list[int | str]:
    """Drop the tags of conditions (`conditions`) and of unions: they are no fields of the document."""
    return [
        step
        for before, step in zip((None, *place), place, strict=False)
        if not (isinstance(step, str) and (step.startswith("?") or _is_result_tag(before, step)))
    ]


def _is_result_tag(before: int | str | None, step: str) -> bool:
    return before == "result" and step in {"attributes", "low_index", "mass_index", "subject_mean"}
