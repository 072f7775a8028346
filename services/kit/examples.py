"""Whole examples of bodies, composed from the examples of their fields.

An example that stands in one place cannot differ from the field it is of; a field without one is
reported, not invented.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["NoExampleError", "complete", "compose"]

Schema = Mapping[str, Any]


class NoExampleError(LookupError):
    """A field whose example cannot be known; the text is the way to it."""


def compose(schema: Schema, schemas: Mapping[str, Schema], at: str = "") -> Any:
    """Return an example of this schema.

    Args:
        schema: What the example is of.
        schemas: The document's named schemas.
        at: The way to this schema, for the message.

    Raises:
        NoExampleError: A number, a text or a free object without an example of its own.
    """
    if schema.get("examples"):
        return schema["examples"][0]
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return compose(schemas[name], schemas, at or name)
    for choices in ("anyOf", "oneOf", "allOf"):
        if choices in schema:
            return compose(schema[choices][0], schemas, at)
    if "properties" in schema:
        return {
            name: compose(part, schemas, f"{at}.{name}")
            for name, part in schema["properties"].items()
        }
    if schema.get("type") == "array":
        return [compose(schema["items"], schemas, f"{at}[]")]
    return _implied(schema, at)


def _implied(schema: Schema, at: str) -> Any:
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "boolean":
        return schema.get("default", True)
    raise NoExampleError(at)


def complete(schema: dict[str, Any]) -> None:
    """Write down the example of a field when it follows from the field's type alone."""
    follows = {"const", "enum"} & schema.keys() or schema.get("type") == "boolean"
    inner = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if "examples" in schema:
        return
    if follows:
        schema["examples"] = [_implied(schema, "")]
    elif len(inner) == 1 and "$ref" not in inner[0] and inner[0].get("type") != "array":
        complete(inner[0])
        if inner[0].get("examples"):
            # Beside the description, where documentation and generators look for it.
            schema["examples"] = inner[0]["examples"]
