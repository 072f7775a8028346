"""The verdict of a run on a school, in plain Russian: signs, not a sentence passed.

Only what the trace holds is told, so that a reader finds every number of a sentence beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from services.indicators.algebra.categories import Flag
from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.shares import Share, round_half_up
from services.indicators.identification.schemas import RunSchoolState
from services.indicators.identification.tracing.flag_schemas import FlagTraceOut
from services.indicators.identification.tracing.schemas import (
    AdverseOut,
    CorrectionTraceOut,
    MethodologyTraceOut,
    ProcedureTraceOut,
    ReorganisationTraceOut,
    RuleTraceOut,
    TraceOut,
)

__all__ = [
    "LowProcedure",
    "comma",
    "procedure_name",
    "procedure_sentence",
    "reason",
    "sentences",
]

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


class _Named(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def grade(self) -> int: ...
    @property
    def year(self) -> int: ...
    @property
    def title(self) -> str: ...


def procedure_name(procedure: _Named) -> str:
    """Name a procedure as texts do: kind, grade, year."""
    kind = _KINDS.get(procedure.kind, procedure.title)
    return f"{kind}, {procedure.grade} класс, {procedure.year} год"


def procedure_sentence(
    procedure: ProcedureTraceOut, methodology: MethodologyTraceOut
) -> str | None:
    """Tell one procedure of the school; None where it does not concern the school."""
    if procedure.state == "not_applicable":
        return None
    if procedure.low is None or procedure.judged is None:
        return f"{procedure_name(procedure)}: данных нет."
    if procedure.low.suppressed:
        certainty = _TITLES[procedure.certainty or "none"]
        return f"{procedure_name(procedure)}: числа скрыты, потому что группа мала; класс: {certainty}."
    mass = ", ".join(s.title.lower() for s in procedure.subjects if s.is_mass)
    told = (
        f"{procedure_name(procedure)}: участников {procedure.low.denominator}, из них с результатом "
        f"{_BASIS[methodology.based_on]} хотя бы по одному массовому предмету"
        f"{f' ({mass})' if mass else ''} {_of(procedure)}"
    )
    if procedure.pooled_years:
        years = ", ".join(str(year) for year in procedure.pooled_years)
        told += (
            f"; группа меньше {methodology.small_below} человек, поэтому сложены годы {years}: "
            f"{procedure.judged.numerator} из {procedure.judged.denominator}"
        )
    if procedure.interval is not None:
        low, high = (
            comma(end * 100) for end in (procedure.interval.lower, procedure.interval.upper)
        )
        told += f"; интервал {low}–{high} %"
    sign = "не менее" if methodology.operator == ">=" else "более"
    limit = comma(round_half_up(Fraction(methodology.threshold) * 100, 2))
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


def sentences(trace: TraceOut) -> list[str]:
    """Tell the whole verdict, the conclusion first."""
    title, state = trace.category_title, trace.school.state
    told = [f"Школа отнесена к категории «{title}»." if title else "Школа в список не включена."]
    if state in _STATES:
        told.append(_STATES[state])
    if state == "excluded":
        return told
    told += [_rule_sentence(rule) for rule in trace.rules]
    told += [_flag_sentence(flag) for flag in trace.flags if flag.taken_from == "conditions"]
    told += [
        sentence
        for procedure in trace.procedures
        if (sentence := procedure_sentence(procedure, trace.methodology))
    ]
    told += [_correction_sentence(correction) for correction in trace.corrections]
    told += [_reorganisation_sentence(event) for event in trace.reorganisations]
    told.append(_adverse_sentence(trace.adverse))
    return told


def _flag_sentence(flag: FlagTraceOut) -> str:
    answers = {
        "yes": "есть",
        "no": "нет",
        "unknown": "неизвестен: данных для ответа нет, признаком это не считается",
    }
    return f"Признак «{flag.title}»: {answers[flag.answer]}."


def _correction_sentence(told: CorrectionTraceOut) -> str:
    what = f"По апелляции № {told.appeal_id} исправлено число (процедура {told.procedure_id})"
    if told.suppressed:
        return f"{what}."
    return (
        f"{what}: было {told.counted_low} низких из {told.counted_n}, стало {told.low} из {told.n}."
    )


_OUTCOMES = {
    "passed": "её результаты прибавлены к результатам этой школы",
    "split": "прежние результаты остались у той школы",
    "still_open": "та школа открыта и отвечает за свои результаты сама",
    "several_successors": "она разделена между несколькими школами, поэтому её результаты не прибавлены",
}


def _reorganisation_sentence(event: ReorganisationTraceOut) -> str:
    verb = "присоединена школа" if event.kind == "merge" else "выделена из школы"
    name = event.name or event.code or str(event.school_id)
    return f"{event.happened_on:%d.%m.%Y} {verb} «{name}»: {_OUTCOMES[event.outcome]}."


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
            return f"{procedure_name(self)}: {self.certainty.title}"
        pooled = " (с прошлыми годами)" if self.is_pooled else ""
        percent = comma(self.share.percent(2) or Decimal(0))
        return (
            f"{procedure_name(self)}: {self.share.numerator} из {self.share.denominator}{pooled} "
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
