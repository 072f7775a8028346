"""The answer of a calculation: what holds for all schools, and each school with its reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.indicators.algebra.composites import Composite
from services.indicators.algebra.regression import Fit
from services.indicators.context.cohorts import (
    Cohort,
    Expected,
    component_state,
    expect,
    measure,
)
from services.indicators.context.documents import ExpectationText, IndexText, definition_hash

__all__ = ["Answer", "answer_of"]

Measured = Mapping[str, tuple[IndexText, Composite]]


@dataclass(frozen=True)
class Answer:
    """Plain values, ready to be kept: the summary, and one entry per school of the newest cohort."""

    summary: dict[str, Any]
    schools: list[dict[str, Any]]


def answer_of(
    indices: Sequence[IndexText], expectation: ExpectationText | None, cohorts: Sequence[Cohort]
) -> Answer:
    """Measure indices and expected results; cohorts of the same schools, the newest year first."""
    newest = cohorts[0]
    measured = [
        {index.code: (index, measure(index, cohort)) for index in indices} for cohort in cohorts
    ]
    found = (
        [expect(expectation, cohort, of) for cohort, of in zip(cohorts, measured, strict=True)]
        if expectation is not None
        else []
    )
    schools = [
        {
            "indices": {
                code: _school_index(index, of, newest, place)
                for code, (index, of) in measured[0].items()
            }
        }
        | _standing(expectation, cohorts, measured, found, place)
        for place in range(len(newest.school_ids))
    ]
    summary = {
        "schools": len(schools),
        "indices": [_summed(index, of) for index, of in measured[0].values()],
        "expected": _expected(expectation, found[0], schools) if expectation else None,
    }
    return Answer(summary, schools)


def _summed(index: IndexText, of: Composite) -> dict[str, Any]:
    definition = index.definition()
    return {
        "code": index.code,
        "title": index.title,
        "method": index.method,
        "definition_hash": definition_hash(index),
        "centre": str(definition.centre),
        "step": str(definition.step),
        "max_missing_weight": index.max_missing_weight,
        "n": of.n,
        "mean": _text(of.mean),
        "sd": _text(of.sd),
        "problem": of.problem,
        "components": [
            {
                "attribute": component.attribute,
                "over": component.over,
                "title": component.title,
                "weight": str(component.weight),
                "adverse": component.adverse,
                "transform": component.transform,
                "n": found.n,
                "mean": _text(found.mean),
                "sd": _text(found.sd),
                "minimum": _text(found.minimum),
                "maximum": _text(found.maximum),
            }
            for component, found in zip(index.components, of.ingredients, strict=True)
        ],
        "line": _line(of.line),
    }


def _line(line: Fit | None) -> dict[str, Any] | None:
    if line is None:
        return None
    return {
        "n": line.n,
        "intercept": _text(line.intercept),
        "slopes": [_text(slope) for slope in line.slopes],
        "r_squared": _text(line.r_squared),
        "residual_sd": _text(line.residual_sd),
        "standard_error": _text(line.standard_error),
    }


def _school_index(index: IndexText, of: Composite, cohort: Cohort, place: int) -> dict[str, Any]:
    return {
        "value": _text(of.values[place]),
        "missing_weight": _text(of.missing_weights[place]),
        "components": [
            {
                "state": str(component_state(index, number, cohort, place)),
                "number": _text(found.numbers[place]),
                "point": _text(found.points[place]),
            }
            for number, found in enumerate(of.ingredients)
        ],
    }


def _expected(
    expectation: ExpectationText, found: Expected, schools: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    statuses = [school["status"] for school in schools]
    return {
        "predictors": [
            {"name": each.name, "correlation": _text(together)}
            for each, together in zip(expectation.on, found.correlations, strict=True)
        ],
        "line": _line(found.line),
        "problem": found.problem,
        "adverse": sum(school["is_adverse"] is True for school in schools),
        "resilient": statuses.count("resilient"),
        "struggling": statuses.count("struggling"),
        "excluded": statuses.count("excluded"),
    }


_NOTHING: Mapping[str, Any] = {
    "status": None,
    "is_adverse": None,
    "reasons": [],
    "result": None,
    "expected": None,
    "half_width": None,
    "residual": None,
    "standardised": None,
}


def _standing(
    expectation: ExpectationText | None,
    cohorts: Sequence[Cohort],
    measured: Sequence[Measured],
    found: Sequence[Expected],
    place: int,
) -> dict[str, Any]:
    """Say where a school stands, with the reasons in words."""
    if expectation is None:
        return dict(_NOTHING)
    newest = found[0]
    line = newest.line
    numbers = dict(_NOTHING) | {
        "is_adverse": newest.is_adverse[place],
        "result": newest.results[place],
        "expected": line.expected[place] if line else None,
        "half_width": line.half_widths[place] if line else None,
        "residual": line.residuals[place] if line else None,
        "standardised": line.standardised[place] if line else None,
    }
    if reasons := _gaps(expectation, cohorts[0], newest, place):
        return numbers | {"status": "excluded", "reasons": reasons}
    told = [
        _reason(expectation, cohort, of, each, place)
        for cohort, of, each in zip(cohorts, measured, found, strict=True)
    ]
    status = "other"
    if all(each.is_resilient(place) for each in found):
        status = "resilient"
    elif all(each.is_struggling(place) for each in found):
        status = "struggling"
    return numbers | {"status": status, "reasons": told}


def _gaps(
    expectation: ExpectationText, cohort: Cohort, found: Expected, place: int
) -> list[dict[str, str]]:
    """Say why a school takes no part: what is missing, or that there is no line at all."""
    gaps = []
    if found.results[place] is None:
        detail = f"Результата школы за {cohort.year} год нет"
        gaps.append({"code": "no_result", "detail": detail})
    gaps += [
        {"code": "no_predictor", "detail": f"За {cohort.year} год нет сведений: {each.name}"}
        for each, column in zip(expectation.on, found.predictors, strict=True)
        if column[place] is None
    ]
    if found.problem is not None:
        gaps.append({"code": found.problem, "detail": _PROBLEMS[found.problem]})
    return gaps


_PROBLEMS = {
    "too_few_schools": "Школ с результатом и сведениями меньше, чем коэффициентов",
    "predictors_dependent": "Предиктор у всех школ одинаков или следует из других",
}


def _reason(
    expectation: ExpectationText, cohort: Cohort, of: Measured, found: Expected, place: int
) -> dict[str, str]:
    """Tell a year of a school in one sentence."""
    line = found.line
    standardised = line.standardised[place] if line else None
    code = "other"
    if found.is_resilient(place):
        code = "resilient"
    elif found.is_struggling(place):
        code = "struggling"
    told = "отклонение от ожидаемого не определено"
    if standardised is not None:
        side = "выше" if (standardised > 0) == (expectation.better == "high") else "ниже"
        told = (
            f"результат {side} ожидаемого на {_shown(abs(standardised))} стандартного отклонения "
            f"остатков (порог {_shown(expectation.residual_sds)})"
        )
    return {
        "code": code,
        "detail": f"{cohort.year} год: {_conditions(expectation, of, found, place)}; {told}",
    }


def _conditions(expectation: ExpectationText, of: Measured, found: Expected, place: int) -> str:
    if expectation.conditions is None:
        return "условия не сравниваются"
    value = of[expectation.conditions][1].values[place]
    if value is None:
        return f"индекса {expectation.conditions} нет"
    inside = "входит" if found.is_adverse[place] else "не входит"
    share = expectation.adverse_share
    return f"индекс {expectation.conditions} = {_shown(value)}, {inside} в неблагоприятную долю {share}"


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def _shown(number: Decimal) -> str:
    """Write a number for a sentence: two places at most, a comma."""
    text = f"{number:.2f}".rstrip("0").rstrip(".")
    return text.replace(".", ",")
