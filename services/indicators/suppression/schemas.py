"""How a number of pupils travels: as a value, or as null that is named in `suppressed`."""

from functools import cache
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from services.kit.http import Out

__all__ = ["DERIVED", "PUPILS", "Counted", "Pupils"]

PUPILS = "x-opora-pupils"
"""Marks in the contract every field that counts pupils or follows from such a count."""

_MARK: dict[str, Any] = {PUPILS: True}
DERIVED: dict[str, Any] = {PUPILS: "derived"}
"""The mark of what follows from counts; it is null too where there is nothing to derive it from."""

Pupils = Annotated[int | None, Field(json_schema_extra=_MARK)]
"""How many pupils; null only where the object says so in `suppressed`."""


@cache
def _marks(model: type[Out]) -> dict[str, object]:
    """Return which fields of a model are numbers of pupils, and of which kind."""
    marks: dict[str, object] = {}
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and extra.get(PUPILS) is not None:
            marks[name] = extra[PUPILS]
    return marks


class Counted(Out):
    """An answer with numbers of pupils. It cannot be built with a null that nothing explains."""

    suppressed: list[str] = Field(
        # A default list would be copied deeply for each of a list's hundred items; a fifth of its time.
        default_factory=list,
        json_schema_extra={"default": []},
        description="Скрытые поля этого объекта (состояние «скрыто», код suppressed): группа так мала, "
        "что число указывало бы на людей. null в таком поле — не ноль и не отсутствие данных. "
        "Пусто — не скрыто ничего",
        examples=[["low"]],
    )

    @model_validator(mode="after")
    def _explained(self) -> Self:
        for name, mark in _marks(type(self)).items():
            is_null, is_named = getattr(self, name) is None, name in self.suppressed
            if (mark is True and is_null != is_named) or (mark and is_named and not is_null):
                message = f"{name}: null without being suppressed, or the other way round"
                raise ValueError(message)
        return self
