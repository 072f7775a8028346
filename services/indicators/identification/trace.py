"""The trace of one school: from the verdict down to imports and rows, out of frozen rows only.

It is rendered when asked for. The numbers are judged by the same functions as the run judged them
(`judging`), so the trace cannot tell another story than the list.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from services.indicators.algebra.categories import Flag
from services.indicators.algebra.certainty import Certainty
from services.indicators.identification.facts import RunFacts
from services.indicators.identification.narration import sentences
from services.indicators.identification.schemas import RunSchoolOut
from services.indicators.identification.tables import RunEvidence, RunImport, RunSchool
from services.indicators.identification.trace_procedures import is_taught, procedures_of
from services.indicators.identification.trace_rules import rules_of
from services.indicators.identification.trace_schemas import AdverseOut, TraceOut
from services.indicators.suppression.queries import Told

__all__ = ["adverse_of", "is_taught", "school_out", "trace_of"]


def school_out(row: RunSchool | Row[Any]) -> RunSchoolOut:
    """Give the answer for a school as it travels."""
    return RunSchoolOut.model_validate(
        {
            **{name: getattr(row, name) for name in _PLAIN},
            "flags": [flag.code for flag in Flag if row.flags & flag],
            "certainty": Certainty(row.certainty).code,
        }
    )


_PLAIN = (
    "school_id", "municipality_id", "code", "name", "municipality_name", "state", "category",
    "adverse_conditions",
)  # fmt: skip


def trace_of(
    facts: RunFacts,
    row: RunSchool,
    evidence: RunEvidence | None,
    imports: Mapping[int, RunImport],
    numbers: Told,
) -> TraceOut:
    """Render the whole trace of a school, with the numbers that the caller may be told."""
    procedures = procedures_of(facts, row, evidence, imports, numbers)
    rules = rules_of(facts, procedures)
    adverse = adverse_of(row)
    titles = {category.code: category.title for category in facts.methodology.categories}
    title = titles.get(row.category or "")
    school = school_out(row)
    return TraceOut(
        run_id=facts.run.id,
        year=facts.year,
        school=school,
        category_title=title,
        sentences=sentences(
            state=school.state,
            category_title=title,
            rules=rules,
            procedures=procedures,
            adverse=adverse,
            methodology=facts.methodology,
        ),
        rules=rules,
        procedures=procedures,
        adverse=adverse,
        methodology_code=facts.methodology.code,
        methodology_number=facts.methodology_number,
        input_hash=str(facts.run.input_hash),
    )


def adverse_of(row: RunSchool) -> AdverseOut:
    """Tell the reasoned mark of the school's card as the run saw it."""
    return AdverseOut(
        value=row.adverse_conditions, reason=row.adverse_reason, source=row.adverse_source
    )
