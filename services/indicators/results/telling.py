"""From counted rows to what the caller may be told of them."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from services.indicators.results.schemas import IndexOut, LineageOut, LowIndexOut, ShareOut
from services.indicators.suppression.queries import Told

__all__ = ["index_out", "lineage_out", "low_index_out"]


def index_out(row: Any, told: Told) -> IndexOut:
    """Tell a school's numbers in a subject."""
    visible = told.of(row.procedure_id, row.school_id, row.subject_code)
    return IndexOut(
        procedure_id=row.procedure_id,
        school_id=row.school_id,
        municipality_id=row.municipality_id,
        subject=row.subject_code,
        year=row.year,
        grade=row.grade,
        n=row.n if visible.n else None,
        absent=row.absent if visible.rest else None,
        cancelled=row.cancelled if visible.rest else None,
        low=_share(row.low_n, row.n, visible.low),
        failed=_share(row.failed_n, row.n, visible.failed),
        mass=_share(row.mass_n, row.n, visible.mass),
        top=_share(row.top_n, row.n, visible.top),
        mean=_mean(row) if visible.rest else None,
        marks=_marks(row) if visible.rest else None,
        suppressed=_named(
            n=visible.n,
            absent=visible.rest,
            cancelled=visible.rest,
            mean=visible.rest,
            marks=visible.rest,
        ),
    )


def low_index_out(row: Any, told: Told) -> LowIndexOut:
    """Tell a school's low-results index."""
    visible = told.of(row.procedure_id, row.school_id)
    return LowIndexOut(
        procedure_id=row.procedure_id,
        school_id=row.school_id,
        municipality_id=row.municipality_id,
        participants=row.participants if visible.n else None,
        low=_share(row.low_n, row.participants, visible.low),
        failed=_share(row.failed_n, row.participants, visible.failed),
        suppressed=_named(participants=visible.n),
    )


def lineage_out(row: Any, told: Told) -> LineageOut:
    """Tell where a school's results come from; how many rows there are is a number of pupils."""
    places = {name: getattr(row, name) for name in ("first_row", "last_row", "rows")}
    shown = told.is_exact
    return LineageOut(
        procedure_id=row.procedure_id,
        school_id=row.school_id,
        import_id=row.import_id,
        sheet_no=row.sheet_no,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        **(places if shown else dict.fromkeys(places)),
        suppressed=[] if shown else list(places),
    )


def _named(**visible: bool) -> list[str]:
    return [name for name, shown in visible.items() if not shown]


def _mean(row: Any) -> str | None:
    if not row.n:
        return None
    exact = Decimal(row.sum_milli) / (Decimal(1000) * row.n)
    return str(exact.quantize(Decimal("0.001"), ROUND_HALF_UP))


def _marks(row: Any) -> dict[str, int]:
    return {"2": row.mark_2, "3": row.mark_3, "4": row.mark_4, "5": row.mark_5}


def _share(numerator: int, denominator: int, is_visible: bool) -> ShareOut:
    if not is_visible:
        hidden = ["numerator", "denominator", "percent"]
        return ShareOut(numerator=None, denominator=None, percent=None, suppressed=hidden)
    percent = None
    if denominator:
        exact = Decimal(100 * numerator) / Decimal(denominator)
        percent = str(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))
    return ShareOut(numerator=numerator, denominator=denominator, percent=percent)
