"""What a change of the contract does to a client that was written against the one before.

A question is asked in one direction: a request that was right must stay right, so the new schema has to
take all that the old one took; an answer that a client understood must stay understood, so the old schema
has to take all that the new one gives. Findings name a schema once, not every operation that uses it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Finding", "breaking_changes"]

Document = dict[str, Any]
Schema = dict[str, Any]
Side = Literal["request", "answer"]

_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that a client may stumble over; `kind` and `where` do not change with its wording."""

    kind: str
    where: str
    said: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.said}"


def breaking_changes(old: Document, new: Document) -> list[Finding]:
    """Return what breaks a client of `old` that meets `new`, each finding once."""
    return sorted(set(_Comparison(old, new).findings()))


class _Comparison:
    def __init__(self, old: Document, new: Document) -> None:
        self._old, self._new = old, new
        self._seen: set[tuple[str, str, Side]] = set()

    def findings(self) -> Iterator[Finding]:
        for path, methods in self._old["paths"].items():
            for method, operation in methods.items():
                call = f"{method.upper()} {path}"
                current = self._new["paths"].get(path, {}).get(method)
                if current is None:
                    yield Finding("operation-removed", call, "no such operation any more")
                    continue
                yield from self._operation(call, operation, current)

    def _operation(self, call: str, old: Schema, new: Schema) -> Iterator[Finding]:
        if old["operationId"] != new["operationId"]:
            said = f"{old['operationId']} became {new['operationId']}"
            yield Finding("operation-id", call, said)
        demanded = _scopes(new) - _scopes(old)
        if demanded:
            yield Finding("security", call, f"now demands {', '.join(sorted(demanded))}")
        yield from self._parameters(call, _parameters(old), _parameters(new))
        yield from self._body(call, old.get("requestBody"), new.get("requestBody"))
        yield from self._answers(call, old["responses"], new["responses"])

    def _parameters(
        self, call: str, old: dict[tuple[str, str], Schema], new: dict[tuple[str, str], Schema]
    ) -> Iterator[Finding]:
        for (place, name), parameter in old.items():
            where = f"{call} {place} {name}"
            current = new.get((place, name))
            if current is None:
                yield Finding("parameter-removed", where, "no such parameter any more")
                continue
            if current.get("required") and not parameter.get("required"):
                yield Finding("parameter-required", where, "became required")
            yield from self._taken(where, parameter["schema"], current["schema"])
        for place, name in new.keys() - old.keys():
            if new[place, name].get("required"):
                where = f"{call} {place} {name}"
                yield Finding("parameter-required", where, "new and required")

    def _body(self, call: str, old: Schema | None, new: Schema | None) -> Iterator[Finding]:
        if new is None:
            if old is not None:
                yield Finding("body-removed", call, "takes no body any more")
            return
        if new.get("required") and not (old or {}).get("required"):
            yield Finding("body-required", call, "the body became required")
        current = _by_media(new["content"])
        for media, content in _by_media((old or {"content": {}})["content"]).items():
            where = f"{call} body {media}"
            if media not in current:
                yield Finding("media-removed", where, "not taken any more")
                continue
            yield from self._taken(
                where, content.get("schema", {}), current[media].get("schema", {})
            )

    def _answers(self, call: str, old: Schema, new: Schema) -> Iterator[Finding]:
        for status in sorted(_good(old) - _good(new)):
            yield Finding("answer-removed", f"{call} {status}", "not answered any more")
        for status in sorted(_good(new) - _good(old)):
            said = "success under a status that clients do not know"
            yield Finding("answer-added", f"{call} {status}", said)
        for status in sorted(old.keys() & new.keys()):
            where = f"{call} {status}"
            for header in (
                old[status].get("headers", {}).keys() - new[status].get("headers", {}).keys()
            ):
                yield Finding("header-removed", f"{where} {header}", "not sent any more")
            contents = _by_media(new[status].get("content", {}))
            for media, content in _by_media(old[status].get("content", {})).items():
                if media not in contents:
                    yield Finding("media-removed", f"{where} {media}", "not answered any more")
                    continue
                yield from self._given(
                    f"{where} {media}", content.get("schema", {}), contents[media].get("schema", {})
                )

    def _taken(self, where: str, old: Schema, new: Schema) -> Iterator[Finding]:
        yield from self._fits("request", where, wide=new, tight=old)

    def _given(self, where: str, old: Schema, new: Schema) -> Iterator[Finding]:
        yield from self._fits("answer", where, wide=old, tight=new)

    def _resolved(self, schema: Schema, *, is_old: bool) -> Schema:
        document = self._old if is_old else self._new
        while "$ref" in schema:
            schema = document["components"]["schemas"][_name(schema)]
        return schema

    def _alternatives(self, schema: Schema, *, is_old: bool) -> list[Schema]:
        """Return the schemas of which a value fits one, with references kept for their names."""
        resolved = self._resolved(schema, is_old=is_old)
        several = resolved.get("anyOf") or resolved.get("oneOf")
        if several is None and len(resolved.get("allOf", ())) == 1:
            several = resolved["allOf"]
        if several is not None:
            return [one for each in several for one in self._alternatives(each, is_old=is_old)]
        if isinstance(resolved.get("type"), list):
            return [resolved | {"type": one} for one in resolved["type"]]
        return [schema]

    def _fits(self, side: Side, where: str, *, wide: Schema, tight: Schema) -> Iterator[Finding]:
        """Say where a value of the tight schema is none of the wide one."""
        wide_is_old = side == "answer"
        wider = self._alternatives(wide, is_old=wide_is_old)
        for alternative in self._alternatives(tight, is_old=not wide_is_old):
            kind = self._kind(alternative, is_old=not wide_is_old)
            fitting = [one for one in wider if _holds(self._kind(one, is_old=wide_is_old), kind)]
            if not fitting:
                yield Finding(f"{side}-type", where, f"{_word(side)} {kind}")
                continue
            outcomes = [
                list(self._one(side, where, wide=one, tight=alternative)) for one in fitting
            ]
            yield from min(outcomes, key=len)

    def _kind(self, schema: Schema, *, is_old: bool) -> str:
        resolved = self._resolved(schema, is_old=is_old)
        return str(resolved.get("type") or ("object" if "properties" in resolved else "any"))

    def _one(self, side: Side, where: str, *, wide: Schema, tight: Schema) -> Iterator[Finding]:
        wide_name, tight_name = _name(wide), _name(tight)
        if wide_name and tight_name:
            if wide_name != tight_name:
                old, new = (wide_name, tight_name) if side == "answer" else (tight_name, wide_name)
                yield Finding("schema-name", old, f"became {new}")
            if (wide_name, tight_name, side) in self._seen:
                return
            self._seen.add((wide_name, tight_name, side))
        old_name, new_name = (
            (wide_name, tight_name) if side == "answer" else (tight_name, wide_name)
        )
        where = old_name or where
        is_old = side == "answer"
        wide = self._resolved(wide, is_old=is_old)
        tight = self._resolved(tight, is_old=not is_old)
        if new_name and not old_name and "enum" in wide:
            # Generators make a class of a closed list and name it by its place, or by its name.
            yield Finding("enum-name", where, f"the list of words is now {new_name}")
        yield from _values(side, where, wide, tight)
        yield from self._properties(side, where, wide=wide, tight=tight)
        if "items" in wide and "items" in tight:
            inner = f"{where}[]"
            yield from self._fits(side, inner, wide=wide["items"], tight=tight["items"])
        rest = wide.get("additionalProperties"), tight.get("additionalProperties")
        if isinstance(rest[0], dict) and isinstance(rest[1], dict):
            yield from self._fits(side, f"{where}.*", wide=rest[0], tight=rest[1])

    def _properties(
        self, side: Side, where: str, *, wide: Schema, tight: Schema
    ) -> Iterator[Finding]:
        wider, tighter = wide.get("properties", {}), tight.get("properties", {})
        lost = tighter.keys() - wider.keys() if side == "request" else wider.keys() - tighter.keys()
        for name in sorted(lost):
            yield Finding(f"{side}-field-removed", f"{where}.{name}", "no such field any more")
        for name in sorted(set(wide.get("required", ())) - set(tight.get("required", ())) - lost):
            said = "became required" if side == "request" else "may be missing now"
            yield Finding(f"{side}-field-required", f"{where}.{name}", said)
        for name in sorted(wider.keys() & tighter.keys()):
            yield from self._fits(side, f"{where}.{name}", wide=wider[name], tight=tighter[name])


def _values(side: Side, where: str, wide: Schema, tight: Schema) -> Iterator[Finding]:
    """Compare what a schema says of a value itself."""
    allowed, given = _enumerated(wide), _enumerated(tight)
    if allowed is not None:
        more = ["other values"] if given is None else sorted(given - allowed)
        if more:
            yield Finding(f"{side}-enum", where, f"{_word(side)} {', '.join(more)}")
    for word in ("format", "pattern"):
        # A pattern dropped from an answer breaks nobody; a format (date, uuid) is a type of clients.
        if word in wide and wide[word] != tight.get(word) and (word, side) != ("pattern", "answer"):
            said = f"{word} {tight.get(word)} against {wide[word]}"
            yield Finding(f"{side}-{word}", where, said)
    if side == "answer":
        return
    for word in _UPPER:
        if word in wide and wide[word] < tight.get(word, float("inf")):
            yield Finding("request-bound", where, f"{word} is now {wide[word]}")
    for word in _LOWER:
        if word in wide and wide[word] > tight.get(word, float("-inf")):
            yield Finding("request-bound", where, f"{word} is now {wide[word]}")


def _holds(wide: str, tight: str) -> bool:
    return wide in ("any", tight) or (wide, tight) == ("number", "integer")


def _word(side: Side) -> str:
    return "not taken any more:" if side == "request" else "may now be"


def _name(schema: Schema) -> str:
    return str(schema.get("$ref", "")).rsplit("/", 1)[-1]


def _enumerated(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {repr(schema["const"])}
    return {repr(one) for one in schema["enum"]} if "enum" in schema else None


def _parameters(operation: Schema) -> dict[tuple[str, str], Schema]:
    return {(one["in"], one["name"]): one for one in operation.get("parameters", ())}


def _good(answers: Iterable[str]) -> set[str]:
    # A 304 comes only to who asked for it with If-None-Match.
    return {status for status in answers if status.startswith("2")}


def _by_media(content: Schema) -> Schema:
    """Return contents by media type; its parameters (charset) are no other type."""
    return {media.partition(";")[0]: one for media, one in content.items()}


def _scopes(operation: Schema) -> set[str]:
    """Return what a caller must hold: a token at all, and its scopes."""
    demanded = operation.get("security", [])
    if not demanded or {} in demanded:
        return set()
    return {"a token"} | {scope for one in demanded for scopes in one.values() for scope in scopes}
