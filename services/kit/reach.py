"""Which rows exist for a caller: reach is handed to the transaction, the database does the rest.

Every level of reach is a database role with one policy of its own on every located table. One policy
that joins the levels with OR is up to a hundred times slower (docs/decisions/0003).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from services.kit.logs import request_id

__all__ = [
    "Depth",
    "Level",
    "Reach",
    "audit_views",
    "enter",
    "feed_views",
    "grant_functions",
    "policies",
    "shared_grants",
]


class Level(StrEnum):
    """How far a caller sees. The value names the database role `opora_<level>`."""

    SYSTEM = "system"  # background work over all regions; never a person
    REGION = "region"
    MUNICIPALITY = "municipality"
    SCHOOL = "school"
    CURATOR = "curator"


@dataclass(frozen=True, slots=True)
class Reach:
    """The node of the territory below which rows exist for the caller."""

    level: Level
    region_id: int | None = None
    municipality_id: int | None = None
    school_id: int | None = None
    subject: str = ""

    @classmethod
    def system(cls, subject: str = "system") -> Self:
        """Return the named reach of background work over all regions."""
        return cls(Level.SYSTEM, subject=subject)

    @classmethod
    def region(cls, region_id: int, subject: str = "system") -> Self:
        """Return the reach of work done for one region."""
        return cls(Level.REGION, region_id=region_id, subject=subject)


class Depth(StrEnum):
    """How precisely a table's rows are located, and so who may see them."""

    REGION = "region"  # a row belongs to a region; only the region's people see it
    REGION_OPEN = "region_open"  # a row belongs to a region; all of the region read it
    MUNICIPALITY = "municipality"
    SCHOOL = "school"


_ENTER = text(
    """
    SELECT set_config('opora.region_id', :region_id, true),
           set_config('opora.municipality_id', :municipality_id, true),
           set_config('opora.school_id', :school_id, true),
           set_config('opora.subject', :subject, true),
           set_config('opora.request_id', :request_id, true),
           set_config('statement_timeout', :statement_timeout, true),
           set_config('role', :role, true)
    """,
)


async def enter(
    connection: AsyncConnection | AsyncSession,
    reach: Reach,
    *,
    statement_timeout_ms: int = 0,
) -> None:
    """Give the open transaction this reach, in one statement; it ends with the transaction."""
    await connection.execute(
        _ENTER,
        {
            "region_id": _setting(reach.region_id),
            "municipality_id": _setting(reach.municipality_id),
            "school_id": _setting(reach.school_id),
            "subject": reach.subject,
            "request_id": request_id(),
            "statement_timeout": str(statement_timeout_ms),
            "role": f"opora_{reach.level}",
        },
    )


def _setting(node: int | None) -> str:
    return "" if node is None else str(node)


def _node(name: str) -> str:
    # A local setting reads '' after an earlier transaction used it, NULL before: both mean no rows.
    # The sub-select is evaluated once for a statement, not once for a row.
    return f"(SELECT NULLIF(current_setting('opora.{name}', true), '')::bigint)"


def _granted(nodes: str) -> str:
    # The sub-select is evaluated once for a statement, so the table's index still serves.
    return f"ANY ((SELECT opora_granted_{nodes}())::bigint[])"


def grant_functions(table: str | None) -> list[str]:
    """Return the statements that define what a curator's grants of today reach.

    Only within the curator's own region: a grant that names the wrong number gives a stranger nothing.

    Args:
        table: The table of grants (made by another migration); None where a service has no curators.
    """
    statements = []
    for nodes, column in (("schools", "school_id"), ("municipalities", "municipality_id")):
        granted = (
            f"""ARRAY(
                SELECT DISTINCT {column} FROM {table}
                WHERE curator = current_setting('opora.subject', true)
                  AND region_id = {_node("region_id")}
                  AND revoked_at IS NULL AND valid_from <= CURRENT_DATE
                  AND (valid_to IS NULL OR valid_to > CURRENT_DATE)
            )"""
            if table
            else "ARRAY[]::bigint[]"
        )
        # plpgsql, because its body is bound when it first runs: the table may come later.
        statements.append(
            f"CREATE OR REPLACE FUNCTION opora_granted_{nodes}() RETURNS bigint[] LANGUAGE plpgsql STABLE"
            f" SET search_path = public, pg_temp AS $$ BEGIN RETURN {granted}; END $$",
        )
    return statements


def _predicates(
    depth: Depth, region: str, municipality: str, school: str
) -> dict[Level, str | None]:
    """Return what each level may see; None where it sees nothing."""
    of_region = f"{region} = {_node('region_id')}"
    own_municipality = f"{municipality} = {_node('municipality_id')}"
    below: dict[Level, str | None]
    match depth:
        case Depth.REGION:
            below = dict.fromkeys((Level.MUNICIPALITY, Level.SCHOOL, Level.CURATOR))
        case Depth.REGION_OPEN:
            below = dict.fromkeys((Level.MUNICIPALITY, Level.SCHOOL, Level.CURATOR), of_region)
        case Depth.MUNICIPALITY:
            below = {
                Level.MUNICIPALITY: own_municipality,
                Level.SCHOOL: own_municipality,
                Level.CURATOR: f"{municipality} = {_granted('municipalities')}",
            }
        case Depth.SCHOOL:
            below = {
                Level.MUNICIPALITY: own_municipality,
                Level.SCHOOL: f"{school} = {_node('school_id')}",
                Level.CURATOR: f"{school} = {_granted('schools')}",
            }
    return {Level.SYSTEM: "true", Level.REGION: of_region} | below


def policies(
    table: str,
    depth: Depth,
    *,
    region: str = "region_id",
    municipality: str = "municipality_id",
    school: str = "school_id",
    writers: Sequence[Level] = (Level.REGION,),
    open_when: str | None = None,
    curator: str | None = None,
    closed_to: Sequence[Level] = (),
) -> list[str]:
    """Return the statements that lock a located table: row security, grants, a policy per level.

    Args:
        table: The table to lock.
        depth: How precisely its rows are located.
        region: Column of the region, likewise `municipality` and `school`.
        municipality: See `region`.
        school: See `region`.
        writers: Levels that may also write the rows they see; the system always may.
        open_when: SQL condition under which levels below the region see a row at all.
        curator: SQL condition for curators instead of their grants (for the table of grants itself).
        closed_to: Levels that see no row of the table, however deep the rows lie.
    """
    statements = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        # Forced security binds the owner too; migrations and the tracking trigger run as the owner.
        f"CREATE POLICY {table}_owner ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)",
    ]
    for level, predicate in _predicates(depth, region, municipality, school).items():
        visible = curator if curator and level is Level.CURATOR else predicate
        if visible is None or level in closed_to:
            # A grant without a policy: the level asks and gets no rows, not an error.
            statements.append(f"GRANT SELECT ON {table} TO opora_{level}")
            continue
        if open_when and level not in (Level.SYSTEM, Level.REGION):
            visible = f"({visible}) AND ({open_when})"
        may_write = level is Level.SYSTEM or level in writers
        verbs = "SELECT, INSERT, UPDATE, DELETE" if may_write else "SELECT"
        scope = "ALL" if may_write else "SELECT"
        check = f" WITH CHECK ({visible})" if may_write else ""
        statements += [
            f"GRANT {verbs} ON {table} TO opora_{level}",
            (
                f"CREATE POLICY {table}_{level} ON {table} FOR {scope} TO opora_{level}"
                f" USING ({visible}){check}"
            ),
        ]
    return statements


def feed_views() -> dict[Level, str]:
    """Return which changes each level reads: a row as precisely located as it is, or open to its region."""
    of_region = f"region_id = {_node('region_id')}"
    open_to_region = f"municipality_id IS NULL AND is_open AND {of_region}"

    def below(school: str, municipality: str) -> str:
        return (
            f"school_id = {school} OR (school_id IS NULL AND municipality_id = {municipality})"
            f" OR (school_id IS NULL AND {open_to_region})"
        )

    return {
        Level.SYSTEM: "true",
        Level.REGION: of_region,
        Level.MUNICIPALITY: f"municipality_id = {_node('municipality_id')} OR ({open_to_region})",
        Level.SCHOOL: below(_node("school_id"), _node("municipality_id")),
        Level.CURATOR: below(_granted("schools"), _granted("municipalities")),
    }


def audit_views() -> dict[Level, str]:
    """Return which audit entries each level reads: the region its own, nobody below."""
    return {Level.SYSTEM: "true", Level.REGION: f"region_id = {_node('region_id')}"}


def shared_grants(table: str, *, writers: Sequence[Level] = ()) -> list[str]:
    """Return the grants of a table whose rows belong to nobody's territory."""
    everyone = ", ".join(f"opora_{level}" for level in Level)
    writing = ", ".join(f"opora_{level}" for level in (Level.SYSTEM, *writers))
    return [
        f"GRANT SELECT ON {table} TO {everyone}",
        f"GRANT INSERT, UPDATE, DELETE ON {table} TO {writing}",
    ]
