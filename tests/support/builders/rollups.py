"""Regions with procedures and rollups, written straight into the database of indicators.

The import writes the same rows; here they are given, so that a test says only what was counted.
"""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.algebra.bounds import bmid, bmin, ceil_milli

IDENTIFICATION = [{"use": "identification", "from": None, "to": None, "basis": "Порядок ГИА"}]


async def insert(session: AsyncSession, table: str, **values: Any) -> None:
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    await session.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


async def a_region(session: AsyncSession, region_id: int = 1) -> None:
    await insert(session, "region", id=region_id, code="67", name="Смоленская область")


async def a_municipality(
    session: AsyncSession, municipality_id: int, name: str, *, region_id: int = 1
) -> None:
    await insert(
        session, "municipality", id=municipality_id, region_id=region_id,
        code=str(municipality_id), name=name, kind="district",
    )  # fmt: skip


async def a_school(
    session: AsyncSession,
    school_id: int,
    *,
    municipality_id: int,
    region_id: int = 1,
    name: str | None = None,
    stages: Iterable[str] = ("noo", "ooo", "soo"),
    kind: str = "sosh",
    adverse: bool | None = None,
    reason: str | None = None,
    closed_on: Any = None,
) -> None:
    await insert(
        session, "school", id=school_id, region_id=region_id, municipality_id=municipality_id,
        code=f"67{school_id:04}", name=name or f"Школа № {school_id}", kind=kind,
        stages=list(stages), adverse_conditions=adverse,
        adverse_reason=reason or ("Социальный паспорт" if adverse else None),
        adverse_source="Реестр" if adverse else None, closed_on=closed_on,
    )  # fmt: skip


async def a_procedure(
    session: AsyncSession,
    procedure_id: int,
    *,
    kind: str = "oge",
    grade: int = 9,
    year: int = 2024,
    region_id: int = 1,
    title: str | None = None,
    uses: list[dict[str, Any]] | None = None,
    subjects: Iterable[tuple[str, str, bool]] = (
        ("rus", "Русский язык", True),
        ("mat", "Математика", True),
    ),
    minimum: Decimal = Decimal(8),
    maximum: Decimal = Decimal(31),
    top: Decimal = Decimal(22),
    margin: Decimal = Decimal("0.05"),
) -> None:
    await session.execute(
        text(
            "INSERT INTO procedure (id, region_id, kind, grade, year, title, permitted_uses)"
            " OVERRIDING SYSTEM VALUE VALUES (:id, :region_id, :kind, :grade, :year, :title,"
            " CAST(:uses AS jsonb))"
        ),
        {
            "id": procedure_id, "region_id": region_id, "kind": kind, "grade": grade, "year": year,
            "title": title or f"{kind} {year}",
            "uses": json.dumps(IDENTIFICATION if uses is None else uses),
        },
    )  # fmt: skip
    lower = bmin(minimum, maximum, margin)
    for position, (code, name, is_mass) in enumerate(subjects):
        await insert(
            session, "scale", region_id=region_id, procedure_id=procedure_id, subject=code,
            title=name, aliases=[], position=position, minimum=minimum, maximum=maximum, top=top,
            mark_borders=[], is_mass=is_mass, score_kind="primary", margin_share=margin,
            low_below_milli=ceil_milli(lower), mass_from_milli=ceil_milli(bmid(lower, top)),
            minimum_milli=ceil_milli(minimum), top_milli=ceil_milli(top),
            maximum_milli=ceil_milli(maximum),
        )  # fmt: skip


async def results(
    session: AsyncSession,
    procedure_id: int,
    counts: Mapping[int, tuple[int, int]],
    *,
    region_id: int = 1,
    import_id: int = 1,
) -> None:
    """Give rollups for `counts`: school -> (low, n); who is low is low in mathematics by both bounds."""
    for school_id, (low, n) in counts.items():
        await session.execute(
            text(
                """
                INSERT INTO rollup_pattern (procedure_id, school_id, region_id, municipality_id,
                                            taken_mask, low_mask, failed_mask, n)
                SELECT :procedure, s.id, s.region_id, s.municipality_id, 3, mask, mask, n
                FROM school s, (VALUES (CAST(0 AS bigint), CAST(:rest AS integer)), (2, :low)) v (mask, n)
                WHERE s.id = :school AND n > 0
                """
            ),
            {"procedure": procedure_id, "school": school_id, "low": low, "rest": n - low},
        )
        await session.execute(
            text(
                """
                INSERT INTO rollup_subject (procedure_id, school_id, subject, region_id,
                    municipality_id, year, grade, n, absent, cancelled, low_n, failed_n, mass_n,
                    top_n, sum_milli, sum_sq, mark_2, mark_3, mark_4, mark_5)
                SELECT p.id, s.id, subject, s.region_id, s.municipality_id, p.year, p.grade, :n, 1, 0,
                       CASE subject WHEN 1 THEN :low ELSE 0 END,
                       CASE subject WHEN 1 THEN :low ELSE 0 END, 0, 0, 0, 0, 0, 0, 0, 0
                FROM school s, procedure p, (VALUES (0), (1)) v (subject)
                WHERE s.id = :school AND p.id = :procedure
                """
            ),
            {"procedure": procedure_id, "school": school_id, "low": low, "n": n},
        )
        await session.execute(
            text(
                """
                INSERT INTO rollup_source (procedure_id, school_id, import_id, sheet_no, region_id,
                                           municipality_id, first_row, last_row, rows)
                SELECT :procedure, s.id, :import_id, 1, s.region_id, s.municipality_id,
                       s.id * 100, s.id * 100 + :n - 1, :n
                FROM school s WHERE s.id = :school
                """
            ),
            {"procedure": procedure_id, "school": school_id, "n": n, "import_id": import_id},
        )
