"""What the results of each kind of procedure may be used for, by date: a table as data.

Source: design 6 ("ВПР results may not be used to rate schools"); decision 0025. Where no document
with a number is known, the table says so in `certainty` and names none.
"""

import csv
import datetime as dt
from dataclasses import dataclass
from functools import cache
from importlib import resources

__all__ = ["KindUse", "forbidden_days", "permitted_uses"]


@dataclass(frozen=True, slots=True)
class KindUse:
    """A line of the table: from ``since`` to ``until``, ends included, None for no end."""

    kind: str
    use: str
    since: dt.date | None
    until: dt.date | None
    is_permitted: bool
    basis: str
    certainty: str


@cache
def permitted_uses() -> tuple[KindUse, ...]:
    """Read the table in the order of its file."""
    written = (resources.files("services.indicators.data") / "permitted_uses.csv").read_text(
        "utf-8"
    )
    return tuple(
        KindUse(
            kind=row["kind"],
            use=row["use"],
            since=dt.date.fromisoformat(row["from"]) if row["from"] else None,
            until=dt.date.fromisoformat(row["to"]) if row["to"] else None,
            is_permitted=row["is_permitted"] == "true",
            basis=row["basis"],
            certainty=row["certainty"],
        )
        for row in csv.DictReader(written.splitlines(), delimiter=";")
    )


def forbidden_days(
    kind: str, use: str, *, since: dt.date, until: dt.date | None
) -> tuple[dt.date, dt.date | None, KindUse] | None:
    """Find the first line that forbids the use on some day of the period, with those days.

    A kind that the table does not name is not forbidden: the region's own procedures decide.
    """
    for line in permitted_uses():
        if (line.kind, line.use, line.is_permitted) != (kind, use, False):
            continue
        begins = max(since, line.since or dt.date.min)
        ends = min(until or dt.date.max, line.until or dt.date.max)
        if begins <= ends:
            return begins, None if ends == dt.date.max else ends, line
    return None
