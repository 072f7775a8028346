"""The one-line reasons of the list: which rules hold for a school, and what by."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Row

from services.indicators.algebra.categories import Flag
from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.shares import Share
from services.indicators.identification.tables import RunSchool
from services.indicators.identification.tracing.facts import RunFacts
from services.indicators.identification.tracing.narration import LowProcedure, reason
from services.indicators.identification.tracing.procedures import judged_cells, may_be_told
from services.indicators.identification.tracing.trace import adverse_of
from services.indicators.suppression.queries import Told

__all__ = ["reasons_of"]


def reasons_of(
    facts: RunFacts,
    rows: Sequence[RunSchool],
    evidence: Mapping[int, Row[*tuple[Any, ...]]],
    numbers: Told,
) -> dict[int, str]:
    """Render the one-line reasons of listed schools, judging the cells of all of them at once."""
    cells, judged, ids = judged_cells(facts, [evidence.get(row.school_id) for row in rows])
    by_id = {procedure.procedure_id: procedure for procedure in facts.procedures}
    natural = {procedure_id: place for place, procedure_id in enumerate(by_id)}
    low: dict[int, dict[int, list[LowProcedure]]] = {}
    found = np.flatnonzero(judged.certainty >= Certainty.POSSIBLE).tolist()
    # The stored order is whatever the counting left; a reason must read the same every time.
    for place in sorted(found, key=lambda place: natural[ids[place]]):
        procedure = by_id[ids[place]]
        school_id = rows[int(cells.school[place])].school_id
        told = LowProcedure(
            kind=procedure.kind,
            grade=procedure.grade,
            year=procedure.year,
            title=procedure.title,
            share=Share(int(judged.low[place]), int(judged.n[place])),
            is_pooled=bool(judged.is_pooled[place]),
            certainty=Certainty(judged.certainty[place]),
            is_told=may_be_told(facts, cells, judged, ids, place, school_id, numbers),
        )
        back = int(cells.years_back[place])
        low.setdefault(int(cells.school[place]), {}).setdefault(back, []).append(told)
    return {
        row.school_id: reason(
            rules=[
                (rule.title, [p for back in rule.years_back for p in low[place].get(back, [])])
                for rule, certainty in zip(
                    facts.methodology.rules, row.rule_certainties, strict=True
                )
                if certainty >= Certainty.POSSIBLE
            ],
            adverse=adverse_of(row),
            flags=Flag(row.flags),
        )
        for place, row in enumerate(rows)
    }
