"""What each role may do in the registry: one table, shown to the customer as it is."""

from collections.abc import Mapping

from services.kit.principals import Role

__all__ = ["ROLES"]

_READS = frozenset(
    {"territory:read", "schools:read", "participations:read", "curators:read", "changes:read"}
)
_REGION = _READS | {
    "audit:read",
    "territory:write",
    "schools:write",
    "participations:write",
    "curators:write",
}

ROLES: Mapping[Role, frozenset[str]] = {
    Role.REGION: _REGION,
    Role.MUNICIPALITY: _READS,
    Role.SCHOOL: _READS,
    Role.CURATOR: _READS,
    # A machine client holds of these what its token names; regions are made by the root client only.
    Role.INTEGRATION: _REGION | {"regions:write"},
}
