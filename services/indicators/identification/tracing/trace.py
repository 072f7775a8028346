"""The trace of one school: from the verdict down to imports and rows, out of frozen rows only.

It is rendered when asked for. The numbers are judged by the same functions as the run judged them
(`judging`), so the trace cannot tell another story than the list.
"""

from typing import Any

from sqlalchemy import Row

from services.indicators.algebra.categories import Flag
from services.indicators.algebra.certainty import Certainty
from services.indicators.identification.schemas import RunSchoolOut
from services.indicators.identification.tables import RunSchool
from services.indicators.identification.tracing.context import (
    corrections_of,
    indices_of,
    reorganisations_of,
    signs_of,
)
from services.indicators.identification.tracing.facts import RunFacts
from services.indicators.identification.tracing.flags import flags_of
from services.indicators.identification.tracing.methodology import (
    categories_of,
    listing_of,
    methodology_of,
)
from services.indicators.identification.tracing.narration import sentences
from services.indicators.identification.tracing.procedures import procedures_of
from services.indicators.identification.tracing.reading import SchoolRows
from services.indicators.identification.tracing.recalculation import recalculation
from services.indicators.identification.tracing.rules import rules_of
from services.indicators.identification.tracing.schemas import AdverseOut, TraceOut
from services.indicators.suppression.queries import Told

__all__ = ["adverse_of", "school_out", "trace_of"]


def school_out(row: RunSchool | Row[Any]) -> RunSchoolOut:
    """Give the answer for a school as it travels."""
    return RunSchoolOut.model_validate(
        {
            **{name: getattr(row, name) for name in _PLAIN},
            "flags": [flag.code for flag in Flag if row.flags & flag],
            "unknown_flags": [flag.code for flag in Flag if row.unknown_flags & flag],
            "certainty": Certainty(row.certainty).code,
        }
    )


_PLAIN = (
    "school_id", "municipality_id", "code", "name", "municipality_name", "state", "category",
    "adverse_conditions",
)  # fmt: skip


def trace_of(facts: RunFacts, rows: SchoolRows, numbers: Told) -> TraceOut:
    """Render the whole trace of a school, with the numbers that the caller may be told."""
    row, is_exact = rows.answer, numbers.is_exact
    procedures = procedures_of(facts, rows, numbers)
    titles = {category.code: category.title for category in facts.methodology.categories}
    methodology = methodology_of(facts)
    trace = TraceOut(
        run_id=facts.run.id,
        year=facts.year,
        school=school_out(row),
        school_kind=row.kind,
        stages=row.stages,
        category_title=titles.get(row.category or ""),
        sentences=[],
        recalculation=[],
        flags=flags_of(facts, rows, is_exact=is_exact),
        categories=categories_of(facts, row),
        indices=indices_of(rows, is_exact=is_exact),
        signs=signs_of(rows),
        corrections=corrections_of(facts, rows, is_exact=is_exact),
        reorganisations=reorganisations_of(facts, rows, is_exact=is_exact),
        rules=rules_of(facts, procedures),
        procedures=procedures,
        adverse=adverse_of(row),
        methodology=methodology,
        listing=listing_of(facts),
        methodology_code=methodology.code,
        methodology_number=methodology.number,
        input_hash=str(facts.run.input_hash),
    )
    # The words are made of the trace itself, so that every number of theirs stands beside them.
    return trace.model_copy(
        update={"sentences": sentences(trace), "recalculation": recalculation(trace)}
    )


def adverse_of(row: RunSchool) -> AdverseOut:
    """Tell the reasoned mark of the school's card as the run saw it."""
    return AdverseOut(
        value=row.adverse_conditions, reason=row.adverse_reason, source=row.adverse_source
    )
