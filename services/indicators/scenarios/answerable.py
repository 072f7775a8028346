"""What the frozen inputs of a run cannot answer: each setting that asks for more, and what to do.

A scenario reads nothing but frozen numbers. It can move thresholds, rules, years, the small-group
policy and the conditions within what the run has frozen. It cannot count people anew: other mass
subjects or another margin make other people low, and what was not considered was not frozen.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from services.indicators.algebra.exact import exact
from services.indicators.context.documents import AttributeResult, IndexText, LowIndexResult
from services.indicators.identification.freezing.considered import FrozenProcedure
from services.indicators.identification.freezing.inputs import Inputs
from services.indicators.methodologies.document import Methodology
from services.kit.problems import Problem

__all__ = ["InputsNotFrozen", "refuse_unanswerable", "unanswerable"]

EVERY_GRADE = range(1, 13)
_NEW_RUN = "Добавьте версию методики с этими настройками и начните по ней прогон: он заморозит данные заново"


class InputsNotFrozen(Problem):
    """The scenario asks for what the run has not frozen; `settings` names each with what to do."""

    status = 409
    title = "Замороженные данные прогона на это не отвечают"


def refuse_unanswerable(inputs: Inputs, before: Methodology, after: Methodology) -> None:
    """Let through a methodology that the frozen inputs can answer.

    Raises:
        InputsNotFrozen: They cannot, and why.
    """
    if found := list(unanswerable(inputs, before, after)):
        raise InputsNotFrozen(
            "; ".join(f"{one['detail']}" for one in found), hint=_NEW_RUN, settings=found
        )


def unanswerable(
    inputs: Inputs, before: Methodology, after: Methodology
) -> Iterator[Mapping[str, Any]]:
    """Name the settings of ``after`` that ask for what a run under ``before`` has not frozen."""
    yield from _years(inputs, before, after)
    yield from _procedures(inputs, before, after)
    yield from _bounds(inputs, after)
    yield from _context(inputs, before, after)


def _told(setting: str, detail: str) -> Mapping[str, Any]:
    return {"setting": setting, "detail": detail, "hint": _NEW_RUN}


def _years(inputs: Inputs, before: Methodology, after: Methodology) -> Iterator[Mapping[str, Any]]:
    frozen = set(before.years(inputs.year))
    if missing := sorted(set(after.years(inputs.year)) - frozen):
        back = {back for rule in after.rules for back in rule.years_back}
        by_rules = any(inputs.year - one not in frozen for one in back)
        years = ", ".join(str(year) for year in missing)
        yield _told(
            "/rules" if by_rules else "/small_n/years", f"Результаты за {years} не заморожены"
        )


def _procedures(
    inputs: Inputs, before: Methodology, after: Methodology
) -> Iterator[Mapping[str, Any]]:
    for line in after.procedures:
        grades = [
            grade
            for grade in line.grades or EVERY_GRADE
            if before.considered(line.kind, grade) is None
        ]
        if grades and line.grades is None and before.considered(line.kind, 0) is None:
            detail = f"Процедуры вида {line.kind} заморожены не для всех параллелей"
            yield _told("/procedures", detail)
        elif grades:
            named = ", ".join(str(grade) for grade in grades)
            yield _told("/procedures", f"Процедуры {line.kind} ({named} класс) не заморожены")
    for procedure in inputs.procedures:
        asked = after.considered(procedure.kind, procedure.grade)
        if asked is None:
            continue
        was = before.considered(procedure.kind, procedure.grade)
        given = was.mass_subjects if was else None
        if asked.mass_subjects is None and given is None:
            continue
        counted = _mass_subjects(procedure)
        if asked.mass_subjects is None or _known(procedure, asked.mass_subjects) != counted:
            yield _told(
                "/procedures",
                f"«{procedure.title}», {procedure.grade} класс, {procedure.year} год: низкие "
                f"результаты посчитаны по предметам {', '.join(sorted(counted))}; по другим массовым "
                "предметам людей надо пересчитать",
            )


def _mass_subjects(procedure: FrozenProcedure) -> set[str]:
    return {scale["subject"] for scale in procedure.scales if scale["is_mass"]}


def _known(procedure: FrozenProcedure, subjects: list[str]) -> set[str]:
    return {scale["subject"] for scale in procedure.scales} & set(subjects)


def _bounds(inputs: Inputs, after: Methodology) -> Iterator[Mapping[str, Any]]:
    based_on = after.low_result.based_on
    try:
        inputs.cells.below(based_on)
    except LookupError:
        yield _told("/low_result/based_on", f"Прогон не заморозил чисел по границе {based_on}")
    if based_on != "bmin":
        return
    asked = exact(after.margin_share)
    other = [
        procedure
        for procedure in inputs.procedures
        if after.considered(procedure.kind, procedure.grade)
        and any(exact(s["margin_share"]) != asked for s in procedure.scales if s["is_mass"])
    ]
    if other:
        named = "; ".join(f"«{p.title}», {p.year} год" for p in other)
        yield _told("/margin_share", f"Bmin посчитан с другой долей от максимума: {named}")


def _context(
    inputs: Inputs, before: Methodology, after: Methodology
) -> Iterator[Mapping[str, Any]]:
    needed = set(after.attributes())
    if missing := sorted(needed - set(before.attributes())):
        yield _told("/indices", f"Признаки профиля не заморожены: {', '.join(missing)}")
    elif needed and before.context_year(inputs.year) != after.context_year(inputs.year):
        yield _told(
            "/context_year_back",
            f"Профили школ заморожены за {before.context_year(inputs.year)} год, "
            f"а не за {after.context_year(inputs.year)}",
        )
    known = {index.code: index for index in before.indices}
    for index in after.indices:
        if known.get(index.code) != index and not _has_results(inputs, after, index):
            yield _told(
                f"/indices/{index.code}",
                f"Индекс «{index.title}» предсказывает результат, которого прогон не заморозил",
            )
    if unseen := sorted(set(after.sign_years(inputs.year)) - set(before.sign_years(inputs.year))):
        years = ", ".join(str(year) for year in unseen)
        yield _told("/flags", f"Признаки необъективности за {years} не заморожены")


def _has_results(inputs: Inputs, after: Methodology, index: IndexText) -> bool:
    """Whether a regression index finds the results that it predicts among the frozen cells."""
    match index.result:
        case None | AttributeResult():
            return True
        case LowIndexResult(kind=kind, grade=grade):
            year = after.context_year(inputs.year)
            return any((p.kind, p.grade, p.year) == (kind, grade, year) for p in inputs.procedures)
        case _:
            return False
