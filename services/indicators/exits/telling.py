"""The rule of leaving and its outcome for a school, in words."""

from collections.abc import Sequence

from services.indicators.exits.schemas import ExitYearOut
from services.indicators.methodologies.exits import ExitText

__all__ = ["reason_of", "rule_text"]


def rule_text(rule: ExitText) -> str:
    """Say the rule in one sentence."""
    surely = " (класс «нет»)" if rule.clear_certainty == "none" else ""
    told = f"Лет подряд без низких результатов{surely}: {rule.clear_years}"
    watch = f"лет наблюдения: {rule.watch_years}" if rule.watch_years else "наблюдения нет"
    return f"{told}; {watch}; годы без данных не считаются и ряд не прерывают"


def reason_of(years: Sequence[ExitYearOut], rule: ExitText) -> str:
    """Say in one sentence where the school is and by which years."""
    last = years[-1]
    counted, why_not = _listed(_clear_years(years)), _why_not(last)
    if last.answer == "low":
        return _LOW[last.stage].format(year=last.year)
    told = {
        "stays": f"Остаётся: лет без низких результатов {last.clear_years} из {rule.clear_years}"
        f"{counted}{why_not}",
        "watch": f"Под наблюдением, год {last.watch_year} из {rule.watch_years}: без низких "
        f"результатов{counted}{why_not}",
        "exits": f"Выходит: без низких результатов{counted}",
    }
    return told.get(last.stage, "Вне списка и наблюдения")


_LOW = {
    "enters": "Низкие результаты в списке {year} года",
    "stays": "Остаётся: низкие результаты и в списке {year} года",
    "returns": "Вернулась: во время наблюдения снова низкие результаты, {year} год",
}


def _clear_years(years: Sequence[ExitYearOut]) -> list[int]:
    """List the years that are counted now, oldest first."""
    counted: list[int] = []
    for year in reversed(years):
        if len(counted) >= years[-1].clear_years:
            break
        if year.answer == "clear":
            counted.append(year.year)
    return counted[::-1]


def _listed(years: Sequence[int]) -> str:
    return f" ({', '.join(str(year) for year in years)})" if years else ""


def _why_not(last: ExitYearOut) -> str:
    if last.answer == "unknown":
        return f"; {last.year} год не засчитан: данных нет или мало"
    if last.answer == "unproven":
        return f"; {last.year} год не засчитан: низкие результаты не исключены"
    return ""
