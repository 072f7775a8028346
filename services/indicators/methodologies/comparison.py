"""Two documents compared in words: every difference is a sentence, equal documents have none.

The walk is over the canonical JSON values, so that nothing a document holds can differ in silence; the
words come from a table of labels. Lists of things with codes are compared by code, other lists as sets
with an order.

Source: decision 0025 ("порог 30 % → 25 %").
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pydantic import TypeAdapter

from services.indicators.methodologies.conditions import Condition
from services.indicators.methodologies.labels import KEYS, LABELS, NAMES, SENTENCES, WORDS
from services.indicators.methodologies.text import MethodologyText
from services.indicators.methodologies.wording import condition_words, share_words

__all__ = ["Difference", "differences"]

_CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)
_SHARES = {"threshold", "margin_share", "max_missing_weight", "adverse_share"}
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: where (a JSON pointer into the later document), the two values, the words."""

    pointer: str
    before: Any
    after: Any
    text: str


def differences(before: MethodologyText, after: MethodologyText) -> list[Difference]:
    """List every difference of two documents, in the order of the fields of a document."""
    full_before, full_after = before.model_dump(mode="json"), after.model_dump(mode="json")
    return list(_objects(full_before, full_after, place=(), pointer="", where=""))


def _objects(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    place: tuple[str, ...],
    pointer: str,
    where: str,
) -> Iterator[Difference]:
    for field in dict.fromkeys([*before, *after]):
        old, new = before.get(field, _ABSENT), after.get(field, _ABSENT)
        if old == new and type(old) is type(new):
            continue
        here, at = (*place, field), f"{pointer}/{field}"
        if field == "when":
            yield _told(at, old, new, f"{where}условие: {_condition(old)} → {_condition(new)}")
        elif isinstance(old, dict) and isinstance(new, dict):
            inner = f"{where}{LABELS[here]}: " if here in LABELS else where
            yield from _objects(old, new, place=here, pointer=at, where=inner)
        elif isinstance(old, list) and isinstance(new, list):
            yield from _lists(old, new, place=here, pointer=at, where=where)
        else:
            yield _told(at, old, new, f"{where}{_leaf(here, old, new)}")


def _lists(
    before: Sequence[Any],
    after: Sequence[Any],
    *,
    place: tuple[str, ...],
    pointer: str,
    where: str,
) -> Iterator[Difference]:
    if place not in KEYS:
        label = LABELS.get(place, place[-1])
        yield _told(pointer, before, after, f"{where}{label}: {_members(before, after)}")
        return
    key = KEYS[place]
    old, new = _by_key(before, key), _by_key(after, key)
    name = NAMES[place]
    for found in [found for found in old if found not in new]:
        thing = old[found][1]
        yield _told(pointer, thing, _ABSENT, f"{where}{name.removed} {_title(thing, found)}")
    for found, (position, thing) in new.items():
        at = f"{pointer}/{position}"
        if found not in old:
            yield _told(at, _ABSENT, thing, f"{where}{name.added} {_title(thing, found)}")
        elif thing != old[found][1]:
            inner = f"{where}{name.one} «{found[0]}»: "
            yield from _objects(old[found][1], thing, place=place, pointer=at, where=inner)
    kept_before = [found for found in old if found in new]
    kept_after = [found for found in new if found in old]
    if kept_before != kept_after:
        listed = ", ".join(_key_words(found) for found in kept_after)
        yield _told(pointer, before, after, f"{where}порядок ({name.many}): теперь {listed}")


Found = tuple[str, int]


def _by_key(
    things: Sequence[Mapping[str, Any]], key: Callable[[Mapping[str, Any]], str]
) -> dict[Found, tuple[int, Mapping[str, Any]]]:
    """Find things by their key and, where a key repeats, by which of them in order."""
    found: dict[Found, tuple[int, Mapping[str, Any]]] = {}
    for position, thing in enumerate(things):
        name = key(thing)
        nth = sum(1 for known, _ in found if known == name)
        found[name, nth] = position, thing
    return found


def _key_words(found: Found) -> str:
    return found[0] if not found[1] else f"{found[0]} ({found[1] + 1})"


def _title(thing: Mapping[str, Any], found: Found) -> str:
    title = thing.get("title")
    return f"«{_key_words(found)}»" + (f" ({title})" if title else "")


def _told(pointer: str, before: Any, after: Any, text: str) -> Difference:
    return Difference(
        pointer,
        None if before is _ABSENT else before,
        None if after is _ABSENT else after,
        text,
    )


def _condition(told: Any) -> str:
    if told is None or told is _ABSENT:
        return "нет"
    return condition_words(_CONDITION.validate_python(told))


def _leaf(place: tuple[str, ...], old: Any, new: Any) -> str:
    if place in SENTENCES and _ABSENT not in (old, new):
        return SENTENCES[place].format(before=old, after=new)
    return f"{LABELS.get(place, place[-1])}: {_change(place[-1], old, new)}"


def _change(field: str, old: Any, new: Any) -> str:
    if field in _SHARES and isinstance(old, str) and isinstance(new, str):
        if Fraction(old) == Fraction(new):
            return f"то же значение записано иначе: {old} → {new}"
        return f"{share_words(old)} → {share_words(new)}"
    return f"{_value(field, old)} → {_value(field, new)}"


def _value(field: str, value: Any) -> str:  # noqa: PLR0911  words for each kind of value
    match value:
        case _ if value is _ABSENT or value is None:
            return "не указано"
        case bool():
            return "да" if value else "нет"
        case str() if (field, value) in WORDS:
            return WORDS[field, value]
        case dict():
            return "указано: " + ", ".join(f"{k} = {_value(k, v)}" for k, v in value.items())
        case list():
            return ", ".join(_value(field, one) for one in value) or "пусто"
        case str():
            return f"«{value}»" if not value or not value[0].isdigit() else value
        case _:
            return str(value)


def _members(before: Sequence[Any], after: Sequence[Any]) -> str:
    gone = [one for one in before if one not in after]
    come = [one for one in after if one not in before]
    told = []
    if come:
        told.append("добавлено " + ", ".join(_value("", one) for one in come))
    if gone:
        told.append("убрано " + ", ".join(_value("", one) for one in gone))
    if not told:
        listed = ", ".join(_value("", one) for one in after)
        return f"порядок или повторы изменены: теперь {listed}"
    return "; ".join(told)
