"""The rules of low results at one school: how many procedures of each year are low, how surely."""

from collections.abc import Sequence

from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.rules import rule_can_be_answered, rule_certainty
from services.indicators.identification.tracing.facts import RunFacts
from services.indicators.identification.tracing.schemas import (
    ProcedureTraceOut,
    RuleTraceOut,
    RuleYearOut,
)

__all__ = ["rules_of"]


def rules_of(facts: RunFacts, procedures: Sequence[ProcedureTraceOut]) -> list[RuleTraceOut]:
    """Answer each rule from the told classes of the procedures, as the run answered it."""
    found: dict[int, list[tuple[int, Certainty]]] = {}
    codes = {certainty.code: certainty for certainty in Certainty}
    for procedure in procedures:
        if procedure.certainty is not None:
            back = facts.year - procedure.year
            found.setdefault(back, []).append((procedure.procedure_id, codes[procedure.certainty]))
    classes = {back: [certainty for _, certainty in cells] for back, cells in found.items()}
    traced = []
    for told in facts.methodology.rules:
        rule = told.as_rule()
        certainty = rule_certainty(rule, classes)
        traced.append(
            RuleTraceOut(
                code=told.code,
                title=told.title,
                certainty=certainty.code,
                holds=certainty >= Certainty.POSSIBLE,
                is_answerable=rule_can_be_answered(rule, classes),
                years=[
                    _rule_year(facts.year - back, rule.at_least, found.get(back, []))
                    for back in rule.years_back
                ],
            )
        )
    return traced


def _rule_year(year: int, at_least: int, cells: Sequence[tuple[int, Certainty]]) -> RuleYearOut:
    def many(at: Certainty) -> int:
        return sum(certainty >= at for _, certainty in cells)

    return RuleYearOut(
        year=year,
        at_least=at_least,
        with_data=len(cells),
        certain=many(Certainty.CERTAIN),
        possible=many(Certainty.POSSIBLE),
        not_excluded=many(Certainty.NOT_EXCLUDED),
        procedure_ids=[procedure_id for procedure_id, _ in cells],
    )
