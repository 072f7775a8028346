"""Documents of a methodology as data: merge patches, what differs, and documents changed in part.

A setting is the smallest part of a document that can be changed by itself: a threshold, the policy for
small groups with its years, one rule, one index. Texts that no answer follows from (titles, the order,
the dates in force) are no settings. Settings are named by the JSON pointer of their part; rules,
indices and flags by their code, so that their order does not matter.

Source: RFC 7396 (JSON Merge Patch), RFC 6901 (JSON Pointer).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from services.indicators.methodologies.comparison import differences
from services.indicators.methodologies.text import MethodologyText

__all__ = ["changed_settings", "merged", "partly", "setting_words", "value_at"]

Document = Mapping[str, Any]

INERT = frozenset(
    {"code", "title", "source", "order", "in_force_from", "in_force_to", "required_use", "appeals"}
)
"""What no answer for a school follows from."""

_BY_MEMBER = ("low_result", "certainty")
_BY_CODE = ("rules", "indices")
_TOGETHER = {"small_n": (("below",), ("policy", "years"))}
_EXCLUSIVE = ("flags", "categories")
"""Categories have to part the flags: where the set of flags differs, both change together."""


def merged(document: Any, patch: Any) -> Any:
    """Apply a JSON merge patch: members are replaced one by one, null removes, lists are whole."""
    if not isinstance(patch, Mapping):
        return patch
    base = dict(document) if isinstance(document, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            base.pop(name, None)
        else:
            base[name] = merged(base.get(name), value)
    return base


def changed_settings(before: Document, after: Document) -> list[str]:
    """Name the settings that differ between two canonical documents, in the order of the document."""
    return [
        pointer
        for pointer in dict.fromkeys((*_settings(before, after), *_settings(after, before)))
        if value_at(before, pointer) != value_at(after, pointer)
    ]


def partly(before: Document, after: Document, settings: Collection[str]) -> dict[str, Any]:
    """Give the document of ``before`` with these settings as in ``after``; the rest is untouched.

    Whether such a document is a sound methodology is for its own validation to say.
    """
    made = {name: _copy(value) for name, value in before.items()}
    for pointer in settings:
        name, *rest = _parts(pointer)
        if pointer == _FLAGS_TOGETHER:
            for member in _EXCLUSIVE:
                made[member] = after.get(member)
        elif name in _TOGETHER:
            made[name] = dict(made.get(name) or {})
            for member in _group(name, rest[0]):
                _put(made[name], member, after.get(name) or {})
        elif not rest:
            _put(made, name, after)
        elif isinstance(made.get(name), list):
            made[name] = _with_item(made[name], after.get(name) or [], rest[0])
        else:
            made[name] = dict(made.get(name) or {})
            _put(made[name], rest[0], after.get(name) or {})
    return made


def value_at(document: Document, pointer: str) -> Any:
    """Read a setting; None where the document has no such part. Titles inside it are left out."""
    name, *rest = _parts(pointer)
    if pointer == _FLAGS_TOGETHER:
        return _bare([document.get(member) for member in _EXCLUSIVE])
    part = document.get(name)
    if name in _TOGETHER and rest:
        return [(part or {}).get(member) for member in _group(name, rest[0])]
    if rest and isinstance(part, list):
        return _bare(next((item for item in part if item.get("code") == rest[0]), None))
    if rest:
        return _bare((part or {}).get(rest[0]))
    return _bare(part)


def setting_words(before: MethodologyText, after: MethodologyText, setting: str) -> str:
    """Tell what one setting changes, in words; titles that change with it are not told."""
    whole, other = before.model_dump(mode="json"), after.model_dump(mode="json")
    changed = MethodologyText.model_validate(partly(whole, other, [setting]))
    told = [
        difference.text
        for difference in differences(before, changed)
        if not re.search(r"/(title|quote)$", difference.pointer)
    ]
    return "; ".join(told) or f"{setting}: {value_at(whole, setting)} → {value_at(other, setting)}"


_FLAGS_TOGETHER = "/flags"


def _settings(document: Document, other: Document) -> Iterator[str]:
    for name, part in document.items():
        if name in INERT or name in _EXCLUSIVE:
            continue
        if name in _TOGETHER:
            yield from (f"/{name}/{members[0]}" for members in _TOGETHER[name])
        elif name in _BY_MEMBER:
            yield from (f"/{name}/{member}" for member in part or {})
        elif name in _BY_CODE:
            yield from (f"/{name}/{item['code']}" for item in part or [])
        else:
            yield f"/{name}"
    if _codes(document) != _codes(other):
        yield _FLAGS_TOGETHER
    else:
        yield from (f"/flags/{code}" for code in _codes(document))
        yield "/categories"


def _codes(document: Document) -> list[str]:
    return sorted(flag["code"] for flag in document.get("flags") or [])


def _group(name: str, member: str) -> tuple[str, ...]:
    return next(members for members in _TOGETHER[name] if members[0] == member)


def _parts(pointer: str) -> list[str]:
    return pointer.removeprefix("/").split("/")


def _put(into: dict[str, Any], name: str, source: Mapping[str, Any]) -> None:
    if name in source:
        into[name] = source[name]
    else:
        into.pop(name, None)


def _with_item(items: list[Any], others: list[Any], code: str) -> list[Any]:
    wanted = [item for item in others if item.get("code") == code]
    if not any(item.get("code") == code for item in items):
        return [*items, *wanted]
    return [
        replaced for item in items for replaced in (wanted if item.get("code") == code else [item])
    ]


def _bare(part: Any) -> Any:
    """Leave out the texts that nothing follows from."""
    if isinstance(part, Mapping):
        return {
            name: _bare(value) for name, value in part.items() if name not in ("title", "quote")
        }
    if isinstance(part, list):
        return [_bare(value) for value in part]
    return part


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _copy(part) for name, part in value.items()}
    return [_copy(part) for part in value] if isinstance(value, list) else value
