"""What of a document does not fit the region: procedures, subjects, years, attributes, permissions."""

import datetime as dt
from collections.abc import Iterator

from services.indicators.methodologies.conditions import AttributeCut
from services.indicators.methodologies.findings import Finding, Severity
from services.indicators.methodologies.linting.surroundings import Surroundings
from services.indicators.methodologies.permitted import forbidden_days, permitted_uses
from services.indicators.methodologies.text import MethodologyText

__all__ = ["unfit"]


def unfit(text: MethodologyText, around: Surroundings) -> Iterator[Finding]:
    """Find what the region has no procedures, results, attributes or permission for."""
    yield from _kinds(text)
    yield from _permissions(text, around)
    yield from _dates(text, around)
    if around.is_known:
        yield from _procedures(text, around)
        yield from _years(text, around)
        yield from _attributes(text, around)


def _kinds(text: MethodologyText) -> Iterator[Finding]:
    known = list(dict.fromkeys(line.kind for line in permitted_uses()))
    for place, line in enumerate(text.procedures):
        if line.kind not in known:
            yield Finding(
                "kind-unknown",
                f"/procedures/{place}/kind",
                Severity.ERROR,
                f"Вида процедур «{line.kind}» нет: такую процедуру нельзя завести",
                "Известные виды: " + ", ".join(known),
            )


def _permissions(text: MethodologyText, around: Surroundings) -> Iterator[Finding]:
    """Refuse kinds that may not be used so on days of the version, unless the region permits it.

    Source: design 6; decision 0025. A permission of the region is dated and has a basis; the run
    asks it again of every procedure and for its own day.
    """
    use = text.required_use.value
    for place, line in enumerate(text.procedures):
        found = forbidden_days(line.kind, use, since=text.in_force_from, until=text.in_force_to)
        if found is None:
            continue
        begins, ends, why = found
        lifted = any(
            line.takes(one.kind, one.grade) and one.permits(use, since=begins, until=ends)
            for one in around.procedures
        )
        if not lifted:
            until = f"по {_day(ends)}" if ends else "бессрочно"
            yield Finding(
                "use-not-permitted",
                f"/procedures/{place}/kind",
                Severity.ERROR,
                f"Результаты вида «{line.kind}» нельзя использовать для списков школ "
                f"(use: {use}) с {_day(begins)} {until}. Основание: {why.basis} ({why.certainty})",
                "Уберите вид из procedures, укажите required_use: analysis (прогон нельзя будет "
                "опубликовать) или запишите основание разрешения в permitted_uses процедуры",
            )


def _day(day: dt.date) -> str:
    return day.strftime("%d.%m.%Y")


def _dates(text: MethodologyText, around: Surroundings) -> Iterator[Finding]:
    if text.order is None and text.required_use.value == "identification":
        yield Finding(
            "no-order",
            "/order",
            Severity.WARNING,
            "Не указан приказ, утвердивший методику: список по ней нечем обосновать",
            "Укажите номер и дату приказа",
        )
    if text.order is not None and text.order.date > text.in_force_from:
        yield Finding(
            "order-after-force",
            "/order/date",
            Severity.WARNING,
            f"Приказ от {_day(text.order.date)} позже начала действия {_day(text.in_force_from)}",
            "Проверьте даты: правило действует задним числом",
        )
    if around.today and text.in_force_to and text.in_force_to < around.today:
        yield Finding(
            "already-ended",
            "/in_force_to",
            Severity.WARNING,
            f"Срок действия закончился {_day(text.in_force_to)}: прогон по версии не начать",
            "Продлите срок или уберите его",
        )
    for other in around.versions:
        if other.version_id == around.replaces:
            continue
        mine, theirs = text.in_force_to or dt.date.max, other.in_force_to or dt.date.max
        if text.in_force_from <= theirs and other.in_force_from <= mine:
            yield Finding(
                "in-force-overlap",
                "/in_force_from",
                Severity.WARNING,
                f"В одни и те же дни действует и версия {other.number} этой методики",
                "Укажите при добавлении replaces: номер версии, которую эта заменяет с начала "
                "своего действия",
            )
    latest = max(around.versions, key=lambda version: version.number, default=None)
    if latest is not None and latest.operator != text.low_result.operator:
        yield Finding(
            "operator-changed",
            "/low_result/operator",
            Severity.WARNING,
            f"В версии {latest.number} доля сравнивалась с порогом «{latest.operator}», здесь — "
            f"«{text.low_result.operator}»: школы ровно на пороге сменят ответ",
            "Проверьте, что это намеренно",
        )


def _procedures(text: MethodologyText, around: Surroundings) -> Iterator[Finding]:
    for place, line in enumerate(text.procedures):
        mine = [one for one in around.procedures if line.takes(one.kind, one.grade)]
        if not mine:
            grades = ", ".join(map(str, line.grades or [])) or "все"
            yield Finding(
                "procedures-missing",
                f"/procedures/{place}",
                Severity.WARNING,
                f"В регионе нет ни одной процедуры вида «{line.kind}» (классы: {grades})",
                "Заведите процедуры и загрузите результаты или уберите строку",
            )
            continue
        taught = frozenset[str]().union(*(one.subjects for one in mine))
        for inner, subject in enumerate(line.mass_subjects or []):
            if subject not in taught:
                yield Finding(
                    "subject-unknown",
                    f"/procedures/{place}/mass_subjects/{inner}",
                    Severity.WARNING,
                    f"Предмета «{subject}» нет в шкалах процедур вида «{line.kind}»",
                    "Есть: " + (", ".join(sorted(taught)) or "ни одного"),
                )


def _years(text: MethodologyText, around: Surroundings) -> Iterator[Finding]:
    """Look at the years that the rules need for the list after the newest year of procedures."""
    mine = [one for one in around.procedures if text.considered(one.kind, one.grade)]
    if not mine:
        return
    year = max(one.year for one in mine) + 1
    for place, rule in enumerate(text.rules):
        for inner, back in enumerate(rule.years_back):
            there = [one for one in mine if one.year == year - back]
            if not there or not any(one.has_results for one in there):
                what = "нет результатов" if there else "нет процедур"
                yield Finding(
                    "years-without-results" if there else "years-without-procedures",
                    f"/rules/{place}/years_back/{inner}",
                    Severity.WARNING,
                    f"Для списка {year} года правило «{rule.code}» смотрит на {year - back} год, за "
                    f"который {what}: ответ на него будет «нет данных»",
                    "Загрузите результаты этого года или сократите глубину правила",
                )


def _attributes(text: MethodologyText, around: Surroundings) -> Iterator[Finding]:
    for pointer, code in _named(text):
        if code in around.attributes:
            continue
        is_standard = code in around.standard_attributes
        # A region that has no attributes at all has not begun yet; a slip shows among attributes.
        is_slip = bool(around.attributes) and not is_standard
        yield Finding(
            "attribute-not-adopted" if is_standard else "attribute-unknown",
            pointer,
            Severity.ERROR if is_slip else Severity.WARNING,
            f"Показатель профиля «{code}» "
            + (
                "регион ещё не принял" if is_standard else "неизвестен: ни в регионе, ни в поставке"
            ),
            "Примите показатель из поставляемого перечня"
            if is_standard
            else "Заведите показатель профиля или исправьте код",
        )


def _named(text: MethodologyText) -> Iterator[tuple[str, str]]:
    """Walk the attributes that the document names, each with its place."""
    for pointer, node in text.conditions():
        if isinstance(node, AttributeCut):
            yield f"{pointer}/attribute", node.attribute
    for place, index in enumerate(text.indices):
        for inner, component in enumerate(index.components):
            at = f"/indices/{place}/components/{inner}"
            yield f"{at}/attribute", component.attribute
            if component.over is not None:
                yield f"{at}/over", component.over
    if text.expectation is not None:
        for code in text.expectation.attributes:
            yield "/expectation", code
