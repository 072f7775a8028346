"""Signs in words: what was noticed, what to check, and why it is worth checking. Never a verdict.

Source: methodology A12 (the label "признаки"), B4 (histogram peaks are a possible marker that needs
extra analysis), peers 9 (evidence, not accusation; inflated schools are hidden weak schools).
"""

from decimal import Decimal
from typing import Final

from services.indicators.objectivity.evidence import (
    BorderPeakEvidence,
    Evidence,
    JournalEvidence,
    MismatchEvidence,
    OverEasyEvidence,
    RepeatEvidence,
)

__all__ = ["HINT", "statement", "to_check"]

HINT: Final = (
    "Признак не означает, что кто-то поступил неправильно: у отклонения могут быть и обычные причины. "
    "Если же результаты завышены, они скрывают школу, которой нужна помощь: она не попадёт в список "
    "и не получит поддержки."
)
_LEAD = "Признак, требующий проверки: "
_FACTS: dict[str, str] = {
    "border_peak": "у границ отметок учеников больше, чем ожидается при таком уровне школы",
    "journal_marks": "отметки за работу отличаются от отметок журнала сильнее, чем в других школах",
    "procedure_mismatch": "результаты двух процедур одних и тех же учеников расходятся сильнее, "
    "чем в других школах",
    "over_easy": "результаты намного выше региональных и необычно одинаковы",
    "repeated": "признаки есть в нескольких годах",
}
_LIMITED = " Участников мало, вывод ограниченный."
_CHECKS: dict[str, tuple[str, ...]] = {
    "border_peak": (
        "Перепроверить работы с баллом на границе отметки и на балл-два выше: верно ли засчитаны задания",
        "Посмотреть, кто проверял работы и не проверял ли учитель свой класс",
    ),
    "journal_marks": (
        "Сравнить требования учителей к отметкам в журнале с критериями работы",
        "Перепроверить работы с наибольшим расхождением",
    ),
    "procedure_mismatch": (
        "Проверить, те же ли ученики писали обе работы (переходы, новые классы)",
        "Посмотреть условия проведения той процедуры, результат которой выше ожидаемого",
    ),
    "over_easy": (
        "Проверить условия проведения: наблюдатели, время, доступ к заданиям до работы",
        "Учесть состав классов: профильный отбор даёт такой же результат честно",
    ),
    "repeated": (
        "Посмотреть признаки прошлых лет и чем закончилось их рассмотрение",
        "Запланировать независимое наблюдение и перепроверку в следующем году",
    ),
}


def to_check(detector: str) -> list[str]:
    """Give what is worth checking."""
    return list(_CHECKS[detector])


def statement(
    detector: str,
    sample: str,
    evidence: Evidence | None,
    *,
    p_adjusted: Decimal | None,
) -> str:
    """Say a sign in a sentence or two; without numbers of pupils where the evidence is not shown."""
    told = _FACTS[detector] + "." + (f" {_numbers(evidence)}" if evidence is not None else "")
    chance = (
        f" Вероятность такого отклонения случайно, с учётом всех школ: {_plain(p_adjusted)}."
        if p_adjusted is not None
        else ""
    )
    return _LEAD + told + chance + (_LIMITED if sample == "limited" else "")


def _plain(p: Decimal) -> str:
    if p < Decimal("0.0001"):
        return "меньше 0,0001"
    return f"{p:.4f}".replace(".", ",")


def _numbers(evidence: Evidence) -> str:
    match evidence:
        case BorderPeakEvidence():
            below = sum(border.below for border in evidence.borders)
            return (
                f"С границ и чуть выше — {evidence.above} чел., ожидалось около "
                f"{_short(evidence.expected)}; чуть ниже границ — {below} чел."
            )
        case JournalEvidence():
            return (
                f"Из {evidence.compared} чел. за работу выше, чем в журнале, — {evidence.raised} "
                f"(в остальных школах {evidence.others_raised} из {evidence.others_compared}), "
                f"расходятся сильно — {evidence.apart} "
                f"(в остальных {evidence.others_apart} из {evidence.others_compared})."
            )
        case MismatchEvidence():
            way = "ниже" if evidence.residual.startswith("-") else "выше"
            which = "ранней" if way == "ниже" else "поздней"
            return (
                f"«{evidence.later.title}» ({evidence.later.year}): средний балл "
                f"{_short(evidence.later.mean)}, {way} ожидаемого {_short(evidence.expected)} по "
                f"«{evidence.earlier.title}» ({evidence.earlier.year}, {_short(evidence.earlier.mean)}). "
                f"Проверить стоит прежде всего результаты {which} процедуры."
            )
        case OverEasyEvidence():
            return (
                f"Средний балл {_short(evidence.mean)} при {_short(evidence.others_mean)} у остальных; "
                f"разброс {_short(evidence.spread)}, почти у всех школ региона он не меньше "
                f"{_short(evidence.spread_limit)}; максимальный балл у {evidence.maximum_share} учеников."
            )
        case RepeatEvidence():
            years = ", ".join(str(year) for year in evidence.years)
            return f"Годы: {years} (рассмотрено лет: {evidence.within})."


def _short(number: str) -> str:
    return f"{Decimal(number):.2f}".replace(".", ",")
