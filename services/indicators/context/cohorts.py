"""The schools of a year as columns, and what is measured on them. Knows no HTTP and no SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from services.indicators.algebra.columns import Column, correlation, quotients, rounded
from services.indicators.algebra.composites import RESULT, Composite, composite, extreme
from services.indicators.algebra.regression import Fit, Undetermined, fit
from services.indicators.algebra.values import MISSING, State, Value
from services.indicators.context.documents import (
    AttributeResult,
    ExpectationText,
    IndexText,
    Predictor,
    ResultText,
    definition_hash,
)

__all__ = ["Cohort", "Expected", "component_state", "expect", "measure", "result_name"]


def result_name(result: ResultText) -> str:
    """Name a way to measure results, so that columns of results can be told apart."""
    return definition_hash(result)


@dataclass(frozen=True)
class Cohort:
    """The schools of a year in one order, their cells and their results."""

    year: int
    school_ids: Sequence[int]
    cells: Mapping[str, Sequence[Value]]
    """By attribute; an attribute that is absent was submitted by nobody."""
    results: Mapping[str, Sequence[Decimal | None]]
    """By `result_name`: results that do not come from profiles."""

    def states(self, attribute: str) -> Sequence[Value]:
        """Give the cells of an attribute."""
        return self.cells.get(attribute) or [MISSING] * len(self.school_ids)

    def numbers(self, attribute: str) -> list[Decimal | None]:
        """Give the numbers of an attribute; None where there is none."""
        return [cell.value for cell in self.states(attribute)]

    def result(self, wanted: ResultText) -> list[Decimal | None]:
        """Give the schools' results; of several attributes their mean, where all are known."""
        if not isinstance(wanted, AttributeResult):
            known = self.results.get(result_name(wanted))
            return [None] * len(self.school_ids) if known is None else list(known)
        rows = zip(*(self.numbers(code) for code in wanted.attributes), strict=True)
        many = Column.of([Decimal(len(wanted.attributes))] * len(self.school_ids))
        sums = [None if None in row else sum(filter(None, row), Decimal(0)) for row in rows]
        if len(wanted.attributes) == 1:
            return list(sums)
        return quotients(Column.of(sums), many)

    def predictor(
        self, predictor: Predictor, indices: Mapping[str, Composite]
    ) -> list[Decimal | None]:
        """Give the column of a predictor."""
        if predictor.index is not None:
            return list(indices[predictor.index].values)
        numbers = self.numbers(predictor.attribute or "")
        if predictor.over is None:
            return numbers
        return quotients(Column.of(numbers), Column.of(self.numbers(predictor.over)))


def measure(index: IndexText, cohort: Cohort) -> Composite:
    """Compute an index of a cohort."""
    columns: dict[str, Sequence[Decimal | None]] = {
        code: cohort.numbers(code) for code in index.attributes
    }
    if index.result is not None:
        columns[RESULT] = cohort.result(index.result)
    return composite(index.definition(), columns)


def component_state(index: IndexText, place: int, cohort: Cohort, school: int) -> State:
    """Say what is known of a component of a school: of a ratio, the lesser of its two parts."""
    component = index.components[place]
    states = {
        cohort.states(code)[school].state for code in (component.attribute, component.over) if code
    }
    return next(
        state
        for state in (State.NOT_SUBMITTED, State.NOT_APPLICABLE, State.VALUE)
        if state in states
    )


@dataclass(frozen=True)
class Expected:
    """Expected results of a cohort; lists in the order of its schools."""

    results: list[Decimal | None]
    predictors: list[list[Decimal | None]]
    correlations: list[Decimal | None]
    """Of each predictor with the result."""
    line: Fit | None
    problem: str | None
    """Why there is no line: too_few_schools, predictors_dependent."""
    is_adverse: list[bool | None]
    above: list[bool | None]
    """Better than expected by more than the set number of deviations; None: not known."""
    below: list[bool | None]

    def is_resilient(self, school: int) -> bool:
        """Say whether conditions are adverse and the result is above what they let one expect."""
        return self.is_adverse[school] is True and self.above[school] is True

    def is_struggling(self, school: int) -> bool:
        """Say whether conditions are adverse and the result is below what they let one expect."""
        return self.is_adverse[school] is True and self.below[school] is True


def expect(
    text: ExpectationText, cohort: Cohort, indices: Mapping[str, tuple[IndexText, Composite]]
) -> Expected:
    """Fit what results the conditions of schools let one expect, and tell who stands apart.

    Source: methodology B3 (regression), B5 (resilient: adverse quartile and residual > +1 SD; the
    residuals' deviation is divided by n).
    """
    measured = {code: of for code, (_, of) in indices.items()}
    results = cohort.result(text.result)
    predictors = [cohort.predictor(each, measured) for each in text.on]
    nobody: list[bool | None] = [None] * len(results)
    try:
        line, problem = fit(results, predictors, z=text.z), None
    except Undetermined as undetermined:
        line, problem = None, str(undetermined)
    sign = 1 if text.better == "high" else -1
    standardised = line.standardised if line else [None] * len(results)
    above = [None if each is None else sign * each > text.residual_sds for each in standardised]
    below = [None if each is None else -sign * each > text.residual_sds for each in standardised]
    adverse = nobody
    if text.conditions is not None:
        index, of = indices[text.conditions]
        adverse = extreme(of.values, Fraction(text.adverse_share), lowest=index.is_low_adverse)
    together = [correlation(Column.of(x), Column.of(results))[1] for x in predictors]
    return Expected(
        results,
        predictors,
        [None if each is None else rounded(each) for each in together],
        line,
        problem,
        adverse,
        above,
        below,
    )
