"""What makes a document consistent in itself, whatever the region: contradictions with their places."""

from collections.abc import Hashable, Iterator, Sequence

from services.indicators.algebra.categories import ambiguous
from services.indicators.methodologies.conditions import IndexCut, IndexShare, RuleHolds
from services.indicators.methodologies.findings import Finding, Severity
from services.indicators.methodologies.text import MethodologyText

__all__ = ["contradictions"]

_EVERY_GRADE = range(1, 13)


def contradictions(text: MethodologyText) -> list[Finding]:
    """List what makes a run by this document impossible or ambiguous; empty when nothing does."""
    return [*_dates(text), *_repeats(text), *_flags(text), *_references(text), *_categories(text)]


def _error(code: str, pointer: str, text: str, fix: str) -> Finding:
    return Finding(code, pointer, Severity.ERROR, text, fix)


def _dates(text: MethodologyText) -> Iterator[Finding]:
    if text.in_force_to and text.in_force_to < text.in_force_from:
        yield _error(
            "dates-reversed",
            "/in_force_to",
            "Срок действия заканчивается раньше, чем начинается",
            "Исправьте in_force_from или in_force_to",
        )


def _repeats(text: MethodologyText) -> Iterator[Finding]:
    yield from _once("Коды правил", "/rules", [rule.code for rule in text.rules])
    yield from _once("Коды признаков", "/flags", [flag.code for flag in text.flags])
    yield from _once("Коды категорий", "/categories", [one.code for one in text.categories])
    yield from _once("Коды индексов", "/indices", [index.code for index in text.indices])
    seen: set[tuple[str, int]] = set()
    for place, line in enumerate(text.procedures):
        mine = {(line.kind, grade) for grade in line.grades or _EVERY_GRADE}
        if mine & seen:
            yield _error(
                "repeated",
                f"/procedures/{place}",
                "Виды и параллели процедур не должны повторяться",
                "Объедините строки одного вида или разделите их по параллелям",
            )
        seen |= mine


def _once(what: str, pointer: str, names: Sequence[Hashable]) -> Iterator[Finding]:
    seen: set[Hashable] = set()
    for place, name in enumerate(names):
        if name in seen:
            yield _error(
                "repeated",
                f"{pointer}/{place}/code",
                f"{what} не должны повторяться: «{name}»",
                "Дайте каждому свой код",
            )
        seen.add(name)


def _flags(text: MethodologyText) -> Iterator[Finding]:
    for place, flag in enumerate(text.flags):
        pointer = f"/flags/{place}/taken_from"
        if (flag.code == "low_results") != (flag.taken_from == "rules"):
            yield _error(
                "flag-source",
                pointer,
                "Из правил следует признак low_results, и только он",
                "Для low_results укажите rules, для остальных — conditions",
            )
        if flag.taken_from == "school" and flag.code != "adverse_conditions":
            yield _error(
                "flag-source",
                pointer,
                "В карточке школы есть отметка только о неблагоприятных условиях",
                "Укажите taken_from: conditions и условие when",
            )


def _references(text: MethodologyText) -> Iterator[Finding]:
    rules = {rule.code for rule in text.rules}
    indices = {index.code for index in text.indices}
    for pointer, node in text.conditions():
        match node:
            case RuleHolds() if node.rule not in rules:
                yield _error(
                    "unknown-rule",
                    f"{pointer}/rule",
                    f"Правила «{node.rule}» в методике нет",
                    "Добавьте правило или исправьте код: " + (", ".join(sorted(rules))),
                )
            case IndexCut() | IndexShare() if node.index not in indices:
                yield _error(
                    "unknown-index",
                    f"{pointer}/index",
                    f"Индекса «{node.index}» в методике нет",
                    "Опишите индекс в indices или исправьте код",
                )
    if text.expectation is not None:
        for code in text.expectation.indices:
            if code not in indices:
                yield _error(
                    "unknown-index",
                    "/expectation",
                    f"Индекса «{code}» в методике нет",
                    "Опишите индекс в indices или исправьте код",
                )


def _categories(text: MethodologyText) -> Iterator[Finding]:
    declared = {flag.code for flag in text.flags}
    unknown = False
    for place, category in enumerate(text.categories):
        for field in ("has", "has_not"):
            for inner, code in enumerate(getattr(category, field)):
                if code not in declared:
                    unknown = True
                    yield _error(
                        "undeclared-flag",
                        f"/categories/{place}/{field}/{inner}",
                        f"Категории ссылаются на необъявленные признаки: {code}",
                        "Объявите признак в flags или уберите его из категории",
                    )
    if unknown:
        return
    for combined, many in ambiguous([flag.flag for flag in text.flags], text.as_categories()):
        told = " + ".join(flag.code for flag in combined)
        yield _error(
            "categories-not-exclusive" if many else "categories-not-complete",
            "/categories",
            f"Каждому сочетанию признаков нужна ровно одна категория ({told}: категорий {many})",
            "Уточните has и has_not категорий" if many else "Добавьте категорию для сочетания",
        )
