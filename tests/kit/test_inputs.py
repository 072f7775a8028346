"""A body is taken in the JSON types of the contract and in no others."""

from datetime import date, datetime
from typing import Annotated, Literal

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from services.kit.http import In
from services.kit.inputs import MAX_ID, Id
from services.kit.words import Meanings, Word


class Colour(Word):
    """Two words."""

    RED = "red", "красный"
    BLUE = "blue", "синий"


class Inner(In):
    number: int | None = None
    flag: bool | None = None
    day: date | None = None
    moment: datetime | None = None
    numbers: list[int] = Field(default_factory=list)
    by_name: dict[str, int] = Field(default_factory=dict)
    id: Id = 1


class Outer(In):
    inner: list[Inner]


@pytest.mark.parametrize(
    "fields",
    [
        {"number": True},
        {"number": "5"},
        {"number": 5.5},
        {"flag": 1},
        {"flag": "yes"},
        {"day": 0},
        {"day": "0"},
        {"day": "2026-03-15T00:00:00"},
        {"day": True},
        {"moment": 0},
        {"moment": "1700000000"},
        {"moment": "2026-03-15"},
        {"numbers": [1, False]},
        {"by_name": {"a": "1"}},
        {"id": 0},
        {"id": -1},
        {"id": MAX_ID + 1},
    ],
    ids=str,
)
def test_another_json_type_than_the_declared_one_is_refused(fields):
    with pytest.raises(ValidationError):
        Outer.model_validate({"inner": [fields]})


@pytest.mark.parametrize(
    "fields",
    [
        {"number": 5},
        {"number": 5.0},  # an integer in JSON Schema too
        {"number": None},
        {"flag": False},
        {"day": "2026-03-15"},
        {"moment": "2026-03-15T08:30:00Z"},
        {"numbers": [1, 2]},
        {"by_name": {"a": 1}},
        {"id": MAX_ID},
    ],
    ids=str,
)
def test_the_declared_json_type_is_taken(fields):
    Outer.model_validate({"inner": [fields]})


def test_a_slip_of_type_is_told_in_words():
    with pytest.raises(ValidationError) as refused:
        Outer.model_validate({"inner": [{"number": True}]})

    assert [one["type"] for one in refused.value.errors()] == ["int_type"]


def test_the_contract_of_a_strict_field_is_that_of_a_plain_one():
    properties = Inner.model_json_schema()["properties"]

    assert properties["flag"]["anyOf"] == [{"type": "boolean"}, {"type": "null"}]
    assert properties["id"] | {"title": ""} == {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_ID,
        "default": 1,
        "title": "",
    }


def test_a_word_is_its_value_and_knows_its_meaning():
    assert Colour("red") is Colour.RED
    assert (f"{Colour.RED}", Colour.RED.meaning) == ("red", "красный")


def test_words_tell_their_meanings_in_the_contract():
    schema = TypeAdapter(Colour).json_schema()

    assert schema["enum"] == ["red", "blue"]
    assert schema["x-enum-descriptions"] == ["красный", "синий"]
    assert schema["description"] == "`red`: красный; `blue`: синий"


def test_a_word_of_a_literal_without_a_meaning_is_found_at_once():
    forgetful = Annotated[Literal["a", "b"], Meanings("Letter", {"a": "первая"})]

    with pytest.raises(KeyError, match="b"):
        TypeAdapter(forgetful).json_schema()
