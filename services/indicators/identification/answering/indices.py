"""The indices of a methodology over the frozen attributes of a run.

An index is computed over the schools that the methodology concerns: a school of an excluded kind has
none and does not move the means of the others. Not applicable and not submitted are both missing here;
which of the two, the frozen attributes tell.

Source: methodology B3, B9; the arithmetic is `algebra.composites`.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np

from services.indicators.algebra.columns import PRECISE
from services.indicators.algebra.composites import RESULT, Composite, composite
from services.indicators.context.documents import AttributeResult, IndexText, LowIndexResult
from services.indicators.identification.answering.judging import Booleans
from services.indicators.identification.freezing.inputs import Inputs
from services.indicators.methodologies.document import Methodology

__all__ = ["indices_of"]

Column = list[Decimal | None]


def indices_of(
    inputs: Inputs, methodology: Methodology, is_excluded: Booleans
) -> dict[str, Composite]:
    """Compute every index of the methodology, by code, in its order.

    Raises:
        LookupError: An index names an attribute that the run has not frozen.
    """
    return {
        index.code: composite(index.definition(), _columns(index, inputs, methodology, is_excluded))
        for index in methodology.indices
    }


def _columns(
    index: IndexText, inputs: Inputs, methodology: Methodology, is_excluded: Booleans
) -> Mapping[str, Sequence[Decimal | None]]:
    columns = {
        code: _concerned((cell.value for cell in inputs.attributes[code].values), is_excluded)
        for code in index.attributes
    }
    match index.result:
        case None:
            return columns
        case AttributeResult():
            results = _means([columns[code] for code in index.result.attributes])
        case LowIndexResult():
            year = methodology.context_year(inputs.year)
            results = _concerned(_low_shares(index.result, inputs, year), is_excluded)
        case _:
            # Marks of subjects are not among the frozen inputs of a run: nobody has the index.
            results = [None] * len(inputs.schools)
    return columns | {RESULT: results}


def _concerned(values: object, is_excluded: Booleans) -> Column:
    listed: Column = list(values)  # type: ignore[call-overload]
    return [
        None if excluded else value for value, excluded in zip(listed, is_excluded, strict=True)
    ]


def _means(columns: Sequence[Column]) -> Column:
    def mean(row: tuple[Decimal | None, ...]) -> Decimal | None:
        known = [value for value in row if value is not None]
        if len(known) < len(row):
            return None
        return PRECISE.divide(sum(known, Decimal(0)), Decimal(len(known)))

    return [mean(row) for row in zip(*columns, strict=True)]


def _low_shares(result: LowIndexResult, inputs: Inputs, year: int) -> Column:
    """Give low / n of the one procedure of this kind, grade and year; None where there is no cell."""
    wanted = [
        place
        for place, procedure in enumerate(inputs.procedures)
        if (procedure.kind, procedure.grade, procedure.year) == (result.kind, result.grade, year)
    ]
    cells, shares = inputs.cells, [None] * len(inputs.schools)
    low = cells.below(result.based_on)
    found: Column = list(shares)
    for cell in np.flatnonzero(np.isin(cells.procedure, wanted)):
        share = PRECISE.divide(Decimal(int(low[cell])), Decimal(int(cells.n[cell])))
        found[int(cells.school[cell])] = share
    return found
