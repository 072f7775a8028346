"""Closed lists of words in the API: every word says in Russian what it means.

Plain standard library: processes that read files use these words too and start without pydantic.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

__all__ = ["Meanings", "Word"]


class Word(StrEnum):
    """A word of a closed list: `OPEN = "open", "действует"`. The meaning is part of the contract."""

    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> Self:
        """Make the member: a text equal to its value, which also knows its meaning."""
        word = str.__new__(cls, value)
        word._value_ = value
        word.meaning = meaning
        return word

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> Any:
        """Put the meanings into the contract, for readers and for generators."""
        schema = handler(core_schema)
        words = handler.resolve_ref_schema(schema)
        # The name and the form (a list beside `enum`) are those that client generators know.
        words["x-enum-descriptions"] = [word.meaning for word in cls]
        words["description"] = "; ".join(f"`{word.value}`: {word.meaning}" for word in cls)
        return schema


class Meanings:
    """The same for a `Literal`: `Annotated[Literal["a", "b"], Meanings("Kind", {"a": ..., "b": ...})]`."""

    def __init__(self, name: str, meanings: Mapping[str, str]) -> None:
        self._name = name
        self._meanings = meanings

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> Any:
        """Put the meanings beside the words; a word without one is a mistake that shows at once."""
        schema = handler(core_schema)
        schema["x-name"] = self._name
        schema["x-enum-descriptions"] = [self._meanings[word] for word in schema["enum"]]
        return schema
