"""Which schools one pupil more, or one fewer, would bring into the list or out of it.

Source: peers 3, the borderline radar: a class that turns on a single pupil is not a sure one.
"""

from services.indicators.algebra.borders import Borders, Numbers, borders
from services.indicators.algebra.rules import Integers
from services.indicators.identification.answering.judging import Cells, Judged, judge
from services.indicators.methodologies.document import Methodology

__all__ = ["borderline_schools", "to_threshold"]


def to_threshold(n: int, low: int, first: int) -> int:
    """Count the pupils between a group and the number ``first`` at which it begins to be low.

    Above zero: so many fewer low results, and the group is low no longer; below zero: so many more,
    and it is; ``n`` bounds what can be reached, and where even all of them are too few, that is one
    more than there are.
    """
    return low - first + 1 if low >= first else low - min(first, n + 1)


def borderline_schools(
    cells: Cells, judged: Judged, methodology: Methodology, *, schools: int
) -> Borders:
    """Say of each school whether one pupil changes that some rule of low results holds.

    One low result more or fewer in one cell, the number of participants and all other cells being what
    they are; a cell that is added up with later years changes those too. What the schools of a
    procedure have in common is taken as it is.
    """
    return borders(
        methodology.as_rules(),
        Numbers(cells.school, cells.series, cells.years_back, cells.n, cells.low),
        schools=schools,
        found=lambda some: _classes(some, judged, methodology),
    )


def _classes(some: Numbers, judged: Judged, methodology: Methodology) -> Integers:
    cells = Cells(some.school, some.series, some.years_back, some.n, some.low)
    return judge(cells, methodology, judged.priors).certainty
