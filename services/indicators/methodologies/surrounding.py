"""Reading what of a region a document is held against."""

import datetime as dt

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.methodologies.linting.surroundings import (
    KnownProcedure,
    KnownVersion,
    Surroundings,
)
from services.indicators.profiles.catalogue import catalogue

__all__ = ["surroundings"]

_PROCEDURES = text(
    """
    SELECT p.id, p.kind, p.grade, p.year, p.title, p.permitted_uses, p.result_revision > 0 AS has_results,
           ARRAY(SELECT s.subject FROM scale s WHERE s.procedure_id = p.id) AS subjects
    FROM procedure p
    WHERE p.region_id = :region_id
    ORDER BY p.id
    """
)
_ATTRIBUTES = text(
    "SELECT code FROM profile_attribute WHERE region_id = :region_id AND NOT is_retired"
)
_VERSIONS = text(
    """
    SELECT v.id, v.number, v.document -> 'low_result' ->> 'operator' AS operator,
           (v.document ->> 'in_force_from')::date AS in_force_from,
           LEAST((v.document ->> 'in_force_to')::date,
                 (later.document ->> 'in_force_from')::date - 1) AS in_force_to
    FROM methodology_version v
    LEFT JOIN methodology_version later ON later.replaces_id = v.id
    WHERE v.region_id = :region_id AND v.code = :code
    ORDER BY v.number
    """
)


async def surroundings(
    session: AsyncSession, *, region_id: int, code: str, today: dt.date, replaces: int | None = None
) -> Surroundings:
    """Read procedures, attributes of profiles and versions of this code that the region has."""
    region = {"region_id": region_id}
    procedures = await session.execute(_PROCEDURES, region)
    attributes = await session.scalars(_ATTRIBUTES, region)
    versions = await session.execute(_VERSIONS, region | {"code": code})
    return Surroundings(
        today=today,
        procedures=[
            KnownProcedure(
                procedure_id=row.id,
                kind=row.kind,
                grade=row.grade,
                year=row.year,
                title=row.title,
                subjects=frozenset(row.subjects),
                has_results=row.has_results,
                permitted_uses=row.permitted_uses or [],
            )
            for row in procedures
        ],
        attributes=frozenset(attributes),
        standard_attributes=frozenset(catalogue()),
        versions=[
            KnownVersion(row.id, row.number, row.in_force_from, row.in_force_to, row.operator)
            for row in versions
        ],
        replaces=replaces,
        is_known=True,
    )
