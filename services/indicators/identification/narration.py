"""The verdict of a run on a school, in plain Russian: signs, not a sentence passed.

Only what the trace holds is told, so that a reader finds every number of a sentence beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.indicators.algebra.categories import Flag
from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.shares import Share, round_half_up
from services.indicators.identification.schemas import RunSchoolState
from services.indicators.identification.trace_schemas import (
    AdverseOut,
    ProcedureTraceOut,
    RuleTraceOut,
)
from services.indicators.methodologies.document import Methodology

__all__ = ["LowProcedure", "procedure_sentence", "reason", "sentences"]

_KINDS = {"vpr": "ВПР", "oge": "ОГЭ", "ege": "ЕГЭ", "gve": "ГВЭ", "rdr": "РДР"}
_TITLES = {certainty.code: certainty.title for certainty in Certainty}
_STATES: dict[RunSchoolState, str] = {
    "incomplete": "Данных меньше, чем требует любое из правил: вывод по ним неполон.",
    "no_data": "Результатов учитываемых процедур нет: о низких результатах судить нельзя.",
    "not_applicable": "Учитываемые процедуры к школе неприменимы: таких классов в ней нет.",
    "excluded": "Методика не распространяется на школы этого вида.",
}
_BASIS = {"minimum": "ниже минимального балла", "bmin": "ниже границы Bmin"}


def comma(value: Decimal) -> str:
    """Write a number as Russian texts do: a decimal comma, no idle zeros."""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", ",")


def _name(procedure: "ProcedureTraceOut | LowProcedure") -> str:
    kind = _KINDS.get(procedure.kind, procedure.title)
    return f"{kind}, {procedure.grade} класс, {procedure.year} год"


def procedure_sentence(procedure: ProcedureTraceOut, methodology: Methodology) -> str | None:
    """Tell one procedure of the school; None where it does not concern the school."""
    if procedure.state == "not_applicable":
        return None
    if procedure.low is None or procedure.judged is None:
        return f"{_name(procedure)}: данных нет."
    if procedure.low.suppressed:
        certainty = _TITLES[procedure.certainty or "none"]
        return f"{_name(procedure)}: числа скрыты, потому что группа мала; класс: {certainty}."
    mass = ", ".join(s.title.lower() for s in procedure.subjects if s.is_mass)
    told = (
        f"{_name(procedure)}: участников {procedure.low.denominator}, из них с результатом "
        f"{_BASIS[methodology.low_result.based_on]} хотя бы по одному массовому предмету"
        f"{f' ({mass})' if mass else ''} {_of(procedure)}"
    )
    if procedure.pooled_years:
        years = ", ".join(str(year) for year in procedure.pooled_years)
        told += (
            f"; группа меньше {methodology.small_n.below} человек, поэтому сложены годы {years}: "
            f"{procedure.judged.numerator} из {procedure.judged.denominator}"
        )
    if procedure.interval is not None:
        low, high = (
            comma(end * 100) for end in (procedure.interval.lower, procedure.interval.upper)
        )
        told += f"; интервал {low}–{high} %"
    sign = "не менее" if methodology.low_result.operator == ">=" else "более"
    limit = comma(round_half_up(methodology.low_result.share * 100, 2))
    return f"{told}; порог: {sign} {limit} %; класс: {_TITLES[procedure.certainty or 'none']}."


def _of(procedure: ProcedureTraceOut) -> str:
    share = procedure.low
    if share is None or share.percent is None:
        return "нет"
    return f"{share.numerator} ({comma(share.percent)} %)"


def _rule_sentence(rule: RuleTraceOut) -> str:
    if rule.holds:
        return f"Правило «{rule.title}» выполнено; класс: {_TITLES[rule.certainty]}."
    missing = [str(year.year) for year in rule.years if year.with_data < year.at_least]
    if missing:
        return (
            f"Правило «{rule.title}» проверить нельзя: за {', '.join(missing)} год "
            "процедур с данными меньше, чем оно требует."
        )
    return f"Правило «{rule.title}» не выполнено; класс: {_TITLES[rule.certainty]}."


def _adverse_sentence(adverse: AdverseOut) -> str:
    if adverse.value is None:
        return "О неблагоприятных социальных условиях сведений нет."
    if not adverse.value:
        return "Неблагоприятные социальные условия не отмечены."
    told = "Неблагоприятные социальные условия отмечены"
    told += f": {adverse.reason}" if adverse.reason else ""
    return told + (f" (источник: {adverse.source})." if adverse.source else ".")


def sentences(
    *,
    state: RunSchoolState,
    category_title: str | None,
    rules: Sequence[RuleTraceOut],
    procedures: Sequence[ProcedureTraceOut],
    adverse: AdverseOut,
    methodology: Methodology,
) -> list[str]:
    """Tell the whole verdict, the conclusion first."""
    told = [
        f"Школа отнесена к категории «{category_title}»."
        if category_title
        else "Школа в список не включена."
    ]
    if state in _STATES:
        told.append(_STATES[state])
    if state != "excluded":
        told += [_rule_sentence(rule) for rule in rules]
        told += [
            sentence
            for procedure in procedures
            if (sentence := procedure_sentence(procedure, methodology))
        ]
    told.append(_adverse_sentence(adverse))
    return told


@dataclass(frozen=True, slots=True)
class LowProcedure:
    """A procedure with low results, as far as a line of a table tells it."""

    kind: str
    grade: int
    year: int
    title: str
    share: Share
    is_pooled: bool
    certainty: Certainty
    # False: the numbers may not be told to the reader, the class may.
    is_told: bool = True

    def told(self) -> str:
        """Tell the procedure: so many of so many, and the class."""
        if not self.is_told:
            return f"{_name(self)}: {self.certainty.title}"
        pooled = " (с прошлыми годами)" if self.is_pooled else ""
        percent = comma(self.share.percent(2) or Decimal(0))
        return (
            f"{_name(self)}: {self.share.numerator} из {self.share.denominator}{pooled} "
            f"({percent} %), {self.certainty.title}"
        )


def reason(
    *, rules: Sequence[tuple[str, Sequence[LowProcedure]]], adverse: AdverseOut, flags: Flag
) -> str:
    """Tell in one line of a table why the school is listed: the rules that hold, and what by."""
    told = []
    if flags & Flag.LOW_RESULTS:
        told += [f"{title}: " + "; ".join(low.told() for low in by) for title, by in rules]
    if flags & Flag.ADVERSE_CONDITIONS:
        told.append(_adverse_sentence(adverse).rstrip("."))
    return ". ".join(told)
