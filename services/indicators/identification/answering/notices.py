"""What a reader of a run should know of its inputs before trusting it: facts, in words.

A notice refuses nothing: what cannot be computed at all is refused while freezing. It tells where the
methodology asked for something that was not there.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from services.indicators.algebra.values import State
from services.indicators.corrections.queries import Correction
from services.indicators.identification.answering.evaluation import Findings
from services.indicators.identification.answering.series import changed_scales
from services.indicators.identification.freezing.inputs import Inputs
from services.indicators.methodologies.document import Methodology

__all__ = ["notices_of"]


def notices_of(
    inputs: Inputs,
    findings: Findings,
    methodology: Methodology,
    *,
    overtaken: Sequence[Correction] = (),
) -> list[dict[str, Any]]:
    """List the notices of a run, each with a stable code and a Russian sentence.

    ``overtaken`` are accepted corrections whose cells have changed after they were contested.
    """
    return [
        *_missing_procedures(inputs, methodology),
        *_missing_years(inputs, methodology),
        *_changed_scales(inputs, methodology),
        *_missing_context(inputs, findings, methodology),
        *_missing_signs(inputs, methodology),
        *_overtaken(inputs, overtaken),
    ]


def _missing_procedures(inputs: Inputs, methodology: Methodology) -> Iterator[dict[str, Any]]:
    """A line of the methodology that no procedure of the region answers to."""
    for place, line in enumerate(methodology.procedures):
        if not any(line.takes(p.kind, p.grade) for p in inputs.procedures):
            grades = "все параллели" if line.grades is None else _joined(line.grades) + " класс"
            yield {
                "code": "procedure-missing",
                "detail": f"Методика учитывает процедуру {line.kind} ({grades}), в регионе такой нет "
                f"за годы {_joined(methodology.years(inputs.year))}: она ничего не даёт",
                "pointer": f"/procedures/{place}",
            }


def _missing_years(inputs: Inputs, methodology: Methodology) -> Iterator[dict[str, Any]]:
    """A year that a rule looks at and of which there is no procedure: the rule cannot be answered."""
    counted = {procedure.year for procedure in inputs.procedures}
    for rule in methodology.rules:
        missing = [inputs.year - back for back in rule.years_back]
        if missing := sorted(year for year in missing if year not in counted):
            yield {
                "code": "year-missing",
                "detail": f"Правило «{rule.title}» смотрит на годы {_joined(missing)}, процедур за них "
                "нет: на правило нельзя ответить, и выполненным оно не считается",
                "rule": rule.code,
                "years": missing,
            }


def _changed_scales(inputs: Inputs, methodology: Methodology) -> Iterator[dict[str, Any]]:
    """Scales that differ between years: each year is judged by its own, years are not added up."""
    considered = [p for p in inputs.procedures if methodology.considered(p.kind, p.grade)]
    for kind, grade, years in changed_scales(considered):
        is_pooled = methodology.small_n.policy == "pool"
        yield {
            "code": "scales-changed",
            "detail": f"Шкалы процедуры {kind} ({grade} класс) менялись между годами {_joined(years)}: "
            "каждый год судится по своей шкале"
            + ("; годы с разными шкалами не складываются" if is_pooled else ""),
            "kind": kind,
            "grade": grade,
            "years": years,
        }


def _missing_context(
    inputs: Inputs, findings: Findings, methodology: Methodology
) -> Iterator[dict[str, Any]]:
    year = methodology.context_year(inputs.year)
    for code, column in inputs.attributes.items():
        missing = sum(value.state is State.NOT_SUBMITTED for value in column.values)
        if missing:
            yield {
                "code": "attribute-missing",
                "detail": f"Признак профиля {code} за {year} год не подан по школам: {missing} "
                f"из {len(inputs.schools)}",
                "attribute": code,
                "schools": missing,
            }
    for code, index in findings.indices.items():
        if index.problem is not None:
            yield {
                "code": "index-unknown",
                "detail": f"Индекс {code} не определён ни у одной школы",
                "index": code,
                "reason": index.problem,
            }


def _missing_signs(inputs: Inputs, methodology: Methodology) -> Iterator[dict[str, Any]]:
    asked = frozenset().union(*inputs.asked_years)
    if missing := sorted(set(methodology.sign_years(inputs.year)) - asked):
        yield {
            "code": "signs-not-looked-for",
            "detail": f"Признаки необъективности за годы {_joined(missing)} не искались: "
            "их отсутствие не известно",
            "years": missing,
        }


def _joined(numbers: Iterable[int]) -> str:
    return ", ".join(str(number) for number in sorted(numbers))


def _overtaken(inputs: Inputs, overtaken: Sequence[Correction]) -> Iterator[dict[str, Any]]:
    """A correction that is not applied: nobody has decided about the counts that are there now."""
    codes = {school.school_id: school.code for school in inputs.schools}
    procedures = {p.procedure_id: p for p in inputs.procedures}
    for correction in overtaken:
        procedure = procedures[correction.procedure_id]
        yield {
            "code": "correction-overtaken",
            "detail": f"Поправка по апелляции № {correction.appeal_id} не применена: данные школы "
            f"{codes.get(correction.school_id, correction.school_id)} по процедуре "
            f"«{procedure.title}» изменились после подачи апелляции",
            "appeal_id": correction.appeal_id,
            "school_id": correction.school_id,
            "procedure_id": correction.procedure_id,
        }
