"""What a caller may write where: numbers of records, and JSON of the declared type and no other."""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import PydanticKnownError

__all__ = ["MAX_ID", "VISIBLE_TEXT", "Id", "as_declared"]

MAX_ID = 2**53 - 1
"""The largest number that every JSON reader keeps exactly; identities stay far below it."""

Id = Annotated[int, Field(ge=1, le=MAX_ID)]
"""The number of a record, in a path, a query or a body."""

VISIBLE_TEXT = r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$"
"""Pattern of a text with something visible and no control characters."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}.*")


def _integer(value: Any) -> Any:
    # Pydantic would take true for 1 and "5" for 5; 5.0 is an integer also in JSON Schema.
    if isinstance(value, bool | str | bytes):
        raise PydanticKnownError("int_type")
    return value


def _truth(value: Any) -> Any:
    if not isinstance(value, bool):
        raise PydanticKnownError("bool_type")
    return value


def _day(value: Any) -> Any:
    # Pydantic would take 0 for 1 January 1970, and a midnight for its day.
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not (isinstance(value, str) and _DAY.fullmatch(value.strip())):
        raise PydanticKnownError("date_type")
    return value


def _moment(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    if not (isinstance(value, str) and _MOMENT.fullmatch(value.strip())):
        raise PydanticKnownError("datetime_type")
    return value


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "int": _integer,
    "bool": _truth,
    "date": _day,
    "datetime": _moment,
}


def as_declared(schema: Any, model: type) -> Any:
    """Return the model's core schema with every scalar of its fields held to its declared JSON type.

    The contract says `integer`; a lax reader that also takes `true` makes slips into data.
    Nested models are left alone: they went through here themselves.
    """
    if isinstance(schema, list | tuple):
        return type(schema)(as_declared(one, model) for one in schema)
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    if kind == "model" and schema.get("cls") is not model:
        return schema
    inner = {
        key: value if key in {"metadata", "serialization", "cls"} else as_declared(value, model)
        for key, value in schema.items()
    }
    check = _CHECKS.get(kind) if isinstance(kind, str) else None
    if check is None:
        return inner
    return {
        "type": "function-before",
        "function": {"type": "no-info", "function": check},
        "schema": inner,
    }
