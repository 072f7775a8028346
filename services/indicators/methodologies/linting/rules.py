"""What is doubtful in rules, thresholds and small groups."""

from collections.abc import Iterator
from fractions import Fraction

from services.indicators.algebra.intervals import cuts
from services.indicators.methodologies.findings import Finding, Severity
from services.indicators.methodologies.judgement import RuleText
from services.indicators.methodologies.linting.surroundings import Surroundings
from services.indicators.methodologies.text import MethodologyText

__all__ = ["doubtful_rules"]

_LEAST_THRESHOLD, _GREATEST_THRESHOLD = Fraction(1, 20), Fraction(9, 10)
_EVERY_GRADE = 12
_USUAL_Z = (1, 4)


def doubtful_rules(text: MethodologyText, around: Surroundings) -> Iterator[Finding]:
    """Find rules that cannot hold or say nothing, extreme thresholds, small groups without sense."""
    yield from _impossible(text, around)
    yield from _redundant(text)
    yield from _threshold(text)
    yield from _small_groups(text)
    if not _USUAL_Z[0] <= text.certainty.z <= _USUAL_Z[1]:
        yield Finding(
            "unusual-quantile",
            "/certainty/z",
            Severity.WARNING,
            f"Квантиль {text.certainty.z} необычен: 1.645 — 90 %, 1.959964 — 95 %, 2.575829 — 99 %",
            "Проверьте, не доверительная ли вероятность указана вместо квантиля",
        )


def most_in_a_year(text: MethodologyText, around: Surroundings) -> int:
    """Count the procedures that could count in one year: by the lines, or more if the region has more."""
    by_lines = sum(len(line.grades or range(_EVERY_GRADE)) for line in text.procedures)
    by_year: dict[int, int] = {}
    for procedure in around.procedures:
        if text.considered(procedure.kind, procedure.grade):
            by_year[procedure.year] = by_year.get(procedure.year, 0) + 1
    return max([by_lines, *by_year.values()])


def _impossible(text: MethodologyText, around: Surroundings) -> Iterator[Finding]:
    most = most_in_a_year(text, around)
    for place, rule in enumerate(text.rules):
        if rule.at_least > most:
            yield Finding(
                "rule-cannot-hold",
                f"/rules/{place}/at_least",
                Severity.ERROR,
                f"Правило «{rule.code}» требует низких результатов не менее чем по {rule.at_least} "
                f"процедурам в году, а учитывается не больше {most}: оно не выполнится никогда",
                f"Уменьшите at_least до {most} или добавьте процедуры",
            )


def _redundant(text: MethodologyText) -> Iterator[Finding]:
    for place, rule in enumerate(text.rules):
        wider = next((o for o in text.rules if o.code != rule.code and _follows(rule, o)), None)
        twin_later = wider is not None and _follows(wider, rule)
        if wider is not None and not (twin_later and text.rules.index(wider) > place):
            yield Finding(
                "rule-redundant",
                f"/rules/{place}",
                Severity.WARNING,
                f"Правило «{rule.code}» ничего не добавляет: всегда, когда выполнено оно, выполнено и "
                f"«{wider.code}»",
                f"Уберите «{rule.code}» или проверьте числа лет и процедур в обоих",
            )


def _follows(stronger: RuleText, weaker: RuleText) -> bool:
    return (
        set(weaker.years_back) <= set(stronger.years_back) and weaker.at_least <= stronger.at_least
    )


def _threshold(text: MethodologyText) -> Iterator[Finding]:
    share = text.low_result.share
    if share < _LEAST_THRESHOLD:
        yield _extreme(text, "почти любая процедура окажется с низкими результатами")
    if share > _GREATEST_THRESHOLD:
        yield _extreme(text, "почти ни одна процедура не окажется с низкими результатами")


def _extreme(text: MethodologyText, effect: str) -> Finding:
    return Finding(
        "threshold-extreme",
        "/low_result/threshold",
        Severity.WARNING,
        f"Порог {text.low_result.threshold} крайний: {effect}",
        "Проверьте порог: 30 % записывается как 3/10 или 0.30",
    )


def _small_groups(text: MethodologyText) -> Iterator[Finding]:
    small, pointer = text.small_n, "/small_n/below"
    if small.below == 1:
        yield Finding(
            "small-groups-empty",
            pointer,
            Severity.WARNING,
            "Ни одна группа не мала: участников не бывает меньше 1, и один ученик решает за школу",
            "Укажите границу малой группы, например 10",
        )
    elif small.policy == "flag":
        yield Finding(
            "small-groups-flagged",
            "/small_n/policy",
            Severity.ADVICE,
            "Малые группы судятся как все: в группе из 3 учеников один меняет долю на 33 %",
            "Политика pool складывает годы, no_flag не даёт признака",
        )
    if small.below > 100 and small.policy != "flag":
        yield Finding(
            "small-groups-wide",
            pointer,
            Severity.WARNING,
            f"Малой считается группа до {small.below} участников: в большинстве школ правила не "
            "смогут выполниться",
            "Проверьте границу: обычно 10",
        )
    rule = text.low_result
    limits = cuts(small.below, threshold=rule.share, strict=rule.strict, z=text.certainty.z)
    if limits.certain > small.below:
        yield Finding(
            "never-certain",
            pointer,
            Severity.ADVICE,
            f"В группе из {small.below} участников класс «устойчиво» недостижим, даже если низкий "
            "результат у всех",
            "Поднимите границу малой группы или уменьшите квантиль",
        )
