"""Giving a school to a curator and taking it back."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.kit.problems import Problem
from services.registry.curatorship import queries
from services.registry.curatorship.schemas import GrantIn, Revocation
from services.registry.curatorship.tables import CuratorGrant
from services.registry.schools.operations import network as schools

__all__ = ["AlreadyRevoked", "GrantNotFound", "give", "revoke", "visible_grant"]


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
