"""Where an error of a body lies: a pointer into what was sent, whatever the models are made of."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.kit.problems import described


class Circle(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["circle"]
    radius: int


class Square(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["square"]
    side: int


class Drawing(BaseModel):
    shapes: list[Annotated[Circle | Square, Field(discriminator="kind")]]
    size: int | Literal["usual"] = "usual"


def pointers(sent):
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(Drawing).validate_python(sent)
    errors = [error | {"loc": ("body", *error["loc"])} for error in refused.value.errors()]
    return {(told["pointer"], told["code"]) for told in described(errors, sent=sent)}


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ({"kind": "circle", "radius": 1, "id": 7}, ("/shapes/0/id", "extra_forbidden")),
        ({"kind": "circle"}, ("/shapes/0/radius", "missing")),
        ({"kind": "square", "side": "long"}, ("/shapes/0/side", "int_parsing")),
        ({"kind": "star"}, ("/shapes/0", "union_tag_invalid")),
        (7, ("/shapes/0", "model_attributes_type")),
    ],
)
def test_a_place_does_not_name_the_member_of_a_union(shape, told):
    assert pointers({"shapes": [shape]}) == {told}


def test_a_value_of_no_member_is_told_at_the_value():
    assert {place for place, _ in pointers({"shapes": [], "size": "huge"})} == {"/size"}


def test_a_missing_field_is_named():
    assert pointers({}) == {("/shapes", "missing")}


def test_a_body_that_is_no_json_keeps_its_place():
    told = described([{"loc": ("body", 1), "type": "json_invalid"}], sent="{")

    assert [one["pointer"] for one in told] == ["/1"]
