"""Giving a school to a curator and taking it back."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.kit.problems import Problem, ValidationFailed
from services.registry.curatorship import queries
from services.registry.curatorship.schemas import (
    GrantBulkIn,
    GrantBulkOut,
    GrantBulkRow,
    GrantIn,
    Revocation,
)
from services.registry.curatorship.tables import CuratorGrant
from services.registry.schools import queries as places
from services.registry.schools.operations import network as schools

__all__ = ["AlreadyRevoked", "GrantNotFound", "give", "give_many", "revoke", "visible_grant"]


class GrantNotFound(Problem):
    """The grant does not exist for the caller."""

    status = 404
    title = "Право куратора не найдено"


class AlreadyRevoked(Problem):
    """The grant was revoked before."""

    status = 409
    title = "Право куратора уже отозвано"


async def visible_grant(session: AsyncSession, grant_id: int) -> CuratorGrant:
    """Return the grant or raise `GrantNotFound`."""
    found = await queries.grant(session, grant_id)
    if found is None:
        raise GrantNotFound
    return found


async def give(session: AsyncSession, new: GrantIn, *, by: str) -> CuratorGrant:
    """Give a curator a school; several grants may overlap, each is revoked by itself.

    Raises:
        SchoolNotFound: Outside reach.
    """
    school = await schools.visible_school(session, new.school_id)
    grant = CuratorGrant(
        **new.model_dump(),
        region_id=school.region_id,
        municipality_id=school.municipality_id,
        granted_by=by,
    )
    session.add(grant)
    await session.flush()
    return grant


async def give_many(session: AsyncSession, bulk: GrantBulkIn, *, by: str) -> GrantBulkOut:
    """Give many schools to curators, or none; a grant that is in force exactly so stays as it is.

    Raises:
        ValidationFailed: With a pointer for every school outside reach and every repetition.
    """
    wanted = {grant.school_id for grant in bulk.grants}
    found = await places.places(session, wanted)
    errors = [*_unknown_schools(bulk, found), *_repetitions(bulk)]
    if errors:
        raise ValidationFailed("Ничего не записано: исправьте перечисленное", errors=errors)
    known = await queries.in_force(session, wanted)
    rows: list[CuratorGrant] = []
    outcomes = []
    for new in bulk.grants:
        grant = known.get(_key(new))
        outcomes.append("unchanged" if grant is not None else "created")
        if grant is None:
            place = found[new.school_id]
            grant = CuratorGrant(
                **new.model_dump(),
                region_id=place.region_id,
                municipality_id=place.municipality_id,
                granted_by=by,
            )
            session.add(grant)
        rows.append(grant)
    await session.flush()
    return GrantBulkOut(
        created=outcomes.count("created"),
        unchanged=outcomes.count("unchanged"),
        grants=[
            GrantBulkRow(id=row.id, curator=row.curator, school_id=row.school_id, outcome=outcome)
            for row, outcome in zip(rows, outcomes, strict=True)
        ],
    )


def _key(grant: GrantIn) -> tuple[str, int, date, date | None]:
    return grant.curator, grant.school_id, grant.valid_from, grant.valid_to


def _unknown_schools(bulk: GrantBulkIn, found: Collection[int]) -> list[dict[str, Any]]:
    return [
        {
            "pointer": f"/grants/{position}/school_id",
            "code": "school_not_found",
            "detail": "Школа не найдена",
        }
        for position, grant in enumerate(bulk.grants)
        if grant.school_id not in found
    ]


def _repetitions(bulk: GrantBulkIn) -> list[dict[str, Any]]:
    first: dict[tuple[str, int, date, date | None], int] = {}
    return [
        {
            "pointer": f"/grants/{position}",
            "code": "repeated",
            "detail": f"Повторяет право с номером {earlier} в списке",
        }
        for position, grant in enumerate(bulk.grants)
        if (earlier := first.setdefault(_key(grant), position)) != position
    ]


async def revoke(
    session: AsyncSession, grant_id: int, revocation: Revocation, *, by: str, at: datetime
) -> CuratorGrant:
    """Take a grant back at once.

    Raises:
        GrantNotFound: Outside reach.
        AlreadyRevoked: Somebody revoked it before.
    """
    grant = await queries.grant(session, grant_id, for_update=True)
    if grant is None:
        raise GrantNotFound
    if grant.revoked_at is not None:
        raise AlreadyRevoked(revoked_at=grant.revoked_at.isoformat())
    grant.revoked_at = at
    grant.revoked_by = by
    grant.revocation_reason = revocation.reason
    await session.flush()
    return grant
