"""Applying the registry's changes; runs in the worker, one transaction with the feed's cursor."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.indicators.projection import tables
from services.kit.feed import Change, Follower
from services.kit.projection import keeping

__all__ = ["NETWORK", "REGISTRY", "apply_school"]

_KEPT = keeping(
    {
        "region": tables.Region,
        "municipality": tables.Municipality,
        "school": tables.School,
        "curator_grant": tables.CuratorGrant,
    }
)


async def apply_school(session: AsyncSession, change: Change) -> None:
    """Take a school over and move what is located at it.

    Schools are never deleted: a tombstone only tells the old municipality of a move, and the new
    state follows it.
    """
    if change.body is None:
        return
    await _KEPT["school"](session, change)
    place = {"school": change.id, "municipality": change.body["municipality_id"]}
    moved = list(await session.scalars(_STALE, place))
    for table in _LOCATED if moved else ():
        # Rows located at a school follow it into its new municipality.
        await session.execute(
            text(
                f"""
                UPDATE {table} SET municipality_id = :municipality
                WHERE procedure_id = ANY (:procedures) AND school_id = :school
                """
            ),
            {**place, "procedures": moved},
        )


_STALE = text(
    """
    SELECT DISTINCT procedure_id FROM rollup_source
    WHERE school_id = :school AND municipality_id <> :municipality
    """
)
_LOCATED = ("result", "result_history", "rollup_subject", "rollup_pattern", "rollup_source")

REGISTRY = Follower(peer="registry", apply={**_KEPT, "school": apply_school})
"""What indicators take from the registry's feed."""

NETWORK = Follower(
    peer="registry", apply=keeping({"succession": tables.Succession}), name="network"
)
"""Mergers and splits: followed since a later release than the rest, hence from a place of their own."""
