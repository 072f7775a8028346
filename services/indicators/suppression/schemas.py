"""How a number of pupils travels: as a value, or as null that is named in `suppressed`."""

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


class Counted(Out):
    """An answer with numbers of pupils. It cannot be built with a null that nothing explains."""

    suppressed: list[str] = Field(
        default=[],
        description="Скрытые поля этого объекта (состояние «скрыто», код suppressed): группа так мала, "
        "что число указывало бы на людей. null в таком поле — не ноль и не отсутствие данных. "
        "Пусто — не скрыто ничего",
        examples=[["low"]],
    )

    @model_validator(mode="after")
    def _explained(self) -> Self:
        for name, field in type(self).model_fields.items():
            extra = field.json_schema_extra
            mark = extra.get(PUPILS) if isinstance(extra, dict) else None
            is_null, is_named = getattr(self, name) is None, name in self.suppressed
            if (mark is True and is_null != is_named) or (mark and is_named and not is_null):
                message = f"{name}: null without being suppressed, or the other way round"
                raise ValueError(message)
        return self
