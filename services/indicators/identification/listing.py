"""The list by municipality: rows, totals and the hash by which it is approved.

Source: methodology A6, Smolensk's Table 5 (municipality; in all; НРО; ФНСУ; both).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.indicators.algebra.certainty import Certainty
from services.indicators.identification.freezing.hashing import digest
from services.indicators.identification.schemas import (
    CategoryOut,
    CountOut,
    ListedSchoolOut,
    ListOut,
    MunicipalityListOut,
)
from services.indicators.identification.tables import IdentificationRun, RunSchool
from services.indicators.methodologies.document import Methodology

__all__ = ["LISTED", "alphabetical", "count", "footing_errors", "list_by_municipality", "list_hash"]

_TOWN = re.compile(r"^(г\.|город)\s*")


def alphabetical(name: str) -> tuple[str, str]:
    """Give the key by which Russian lists order names: ё beside е, "г." not counted.

    The order must not depend on the locale of a database.
    """
    plain = name.casefold().replace("ё", "е")
    return _TOWN.sub("", plain), name


LISTED = ("municipality_name", "code", "name", "category", "flags", "certainty")
"""What of a school stands in the list and is hashed: natural keys only, so that the same facts give
the same hash in any database."""


def list_hash(schools: Iterable[Sequence[Any]], *, header: Mapping[str, Any]) -> str:
    """Name a list by its content: SHA-256 over its header and its rows in the order of their texts.

    ``schools`` are rows of the columns `LISTED`; those without a category are not in the list.
    """
    category = LISTED.index("category")
    rows = sorted(list(row) for row in schools if row[category] is not None)
    return digest({"header": header, "rows": rows})


def count(codes: Sequence[str], listed: Iterable[str | None]) -> CountOut:
    """Count schools by category; a category without schools is a true zero."""
    found = Counter(code for code in listed if code is not None)
    return CountOut(
        total=sum(found.values()), by_category={code: found.get(code, 0) for code in codes}
    )


def list_by_municipality(
    *,
    run: IdentificationRun,
    methodology: Methodology,
    methodology_number: int,
    schools: Sequence[RunSchool],
    reasons: Mapping[int, str],
) -> ListOut:
    """Make the list. Municipalities without listed schools stay in it with zeros."""
    codes = [category.code for category in methodology.categories]
    by_municipality: dict[tuple[str, int], list[RunSchool]] = {}
    for school in schools:
        place = school.municipality_name, school.municipality_id
        by_municipality.setdefault(place, []).append(school)
    rows = [
        MunicipalityListOut(
            municipality_id=municipality_id,
            name=name,
            **count(codes, (school.category for school in here)).model_dump(),
            schools=[
                _listed(school, reasons)
                for school in sorted(here, key=lambda school: (school.code, school.school_id))
                if school.category is not None
            ],
        )
        for (name, municipality_id), here in sorted(
            by_municipality.items(), key=lambda place: (alphabetical(place[0][0]), place[0][1])
        )
    ]
    return ListOut(
        year=run.year,
        methodology_code=methodology.code,
        methodology_number=methodology_number,
        methodology_title=methodology.title,
        order_number=run.order_number,
        order_date=run.order_date,
        list_hash=str(run.list_hash),
        categories=[CategoryOut(code=c.code, title=c.title) for c in methodology.categories],
        municipalities=rows,
        totals=count(codes, (school.category for school in schools)),
    )


def _listed(school: RunSchool, reasons: Mapping[int, str]) -> ListedSchoolOut:
    return ListedSchoolOut.model_validate(
        {
            "school_id": school.school_id,
            "code": school.code,
            "name": school.name,
            "category": school.category,
            "certainty": Certainty(school.certainty).code,
            "reason": reasons[school.school_id],
        }
    )


def footing_errors(listed: ListOut) -> list[str]:
    """Check that rows and columns add up, as an accountant would; empty when they do."""
    wrong = [
        f"{row.name}: {row.total} ≠ {sum(row.by_category.values())}"
        for row in listed.municipalities
        if row.total != sum(row.by_category.values()) or row.total != len(row.schools)
    ]
    for code, total in listed.totals.by_category.items():
        added = sum(row.by_category[code] for row in listed.municipalities)
        if added != total:
            wrong.append(f"{code}: {total} ≠ {added}")
    added = sum(row.total for row in listed.municipalities)
    if listed.totals.total != added:
        wrong.append(f"итого: {listed.totals.total} ≠ {added}")
    return wrong
