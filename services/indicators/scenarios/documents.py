"""The document of a scenario: asked for by a patch or whole, checked, and compared in words."""

import re
from typing import Any

from pydantic import ValidationError

from services.indicators.methodologies.changes import changed_settings, merged
from services.indicators.methodologies.comparison import differences
from services.indicators.methodologies.document import Methodology
from services.indicators.scenarios.computing import written
from services.indicators.scenarios.schemas import ScenarioIn
from services.kit.problems import Problem, ValidationFailed, described

__all__ = [
    "NothingChanged",
    "SettingNotFound",
    "asked_document",
    "at_pointer",
    "in_words",
    "with_value",
]


class NothingChanged(Problem):
    """The scenario's document says the same as the run's methodology, up to titles and dates."""

    status = 409
    title = "Сценарий ничего не меняет"


class SettingNotFound(Problem):
    """The document of the run's methodology has no single value at this place."""

    status = 409
    title = "Такой настройки в методике прогона нет"


def asked_document(wish: ScenarioIn, before: Methodology) -> Methodology:
    """Make the changed methodology.

    Raises:
        ValidationFailed: The changed document is malformed or contradicts itself.
        NothingChanged: No setting differs.
    """
    if wish.document is not None:
        field, document = "document", wish.document.model_dump(mode="json")
    else:
        field, document = "changes", merged(written(before), wish.changes)
    after = _checked(document, field)
    if not changed_settings(written(before), written(after)):
        raise NothingChanged(
            "Документ сценария отличается от методики прогона разве что названиями и датами",
            hint="Измените хотя бы одну настройку: порог, правило, малые группы, признаки",
        )
    return after


def _checked(document: Any, field: str) -> Methodology:
    try:
        return Methodology.model_validate(document)
    except ValidationError as failed:
        errors = [
            {**error, "loc": ("body", field, *error["loc"])}
            for error in failed.errors(include_url=False)
        ]
        raise ValidationFailed(
            "Изменённый документ методики не прошёл проверку",
            errors=described(errors, sent={field: document}),
        ) from failed


def in_words(before: Methodology, after: Methodology) -> list[str]:
    """Tell every difference of two documents in words, in the order of the document."""
    return [difference.text for difference in differences(before, after)]


def at_pointer(document: Any, pointer: str) -> Any:
    """Read a single value by a JSON pointer; items of lists may be named by their codes.

    Raises:
        SettingNotFound: There is none, or it is not a single value.
    """
    found = document
    for step in _steps(pointer):
        found = _inside(found, step, pointer)
    if isinstance(found, dict | list) or found is None or isinstance(found, bool):
        raise _not_found(pointer)
    return found


def with_value(document: Any, pointer: str, value: Any) -> Any:
    """Give the document with one single value replaced; everything else is the same.

    Raises:
        SettingNotFound: There is no such place.
    """

    def replaced(part: Any, steps: list[str]) -> Any:
        if not steps:
            return value
        inner = replaced(_inside(part, steps[0], pointer), steps[1:])
        if isinstance(part, list):
            place = _place(part, steps[0])
            return [inner if at == place else item for at, item in enumerate(part)]
        return {**part, steps[0]: inner}

    return replaced(document, _steps(pointer))


def _steps(pointer: str) -> list[str]:
    # RFC 6901: ~1 is a slash, ~0 a tilde.
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _inside(part: Any, step: str, pointer: str) -> Any:
    if isinstance(part, dict) and step in part:
        return part[step]
    if isinstance(part, list) and (place := _place(part, step)) is not None:
        return part[place]
    raise _not_found(pointer)


def _place(items: list[Any], step: str) -> int | None:
    for place, item in enumerate(items):
        if isinstance(item, dict) and item.get("code") == step:
            return place
    return int(step) if re.fullmatch(r"0|[1-9]\d{0,3}", step) and int(step) < len(items) else None


def _not_found(pointer: str) -> SettingNotFound:
    return SettingNotFound(
        f"По указателю {pointer} в методике прогона нет одного значения",
        hint="Указатель JSON в документе методики, части списков по коду: /low_result/threshold, "
        "/small_n/below, /rules/a/at_least",
    )
