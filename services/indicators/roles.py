"""What each role may do in indicators: one table, shown to the customer as it is."""

from collections.abc import Mapping

from services.kit.principals import Role

__all__ = ["ROLES"]

_READS = frozenset(
    {"procedures:read", "indices:read", "methodologies:read", "runs:read", "changes:read"}
)
_REGION = _READS | {
    "audit:read",
    "procedures:write",
    "imports:read",
    "imports:write",
    "methodologies:write",
    "runs:write",
    "runs:approve",
}

ROLES: Mapping[Role, frozenset[str]] = {
    Role.REGION: _REGION,
    Role.MUNICIPALITY: _READS,
    Role.SCHOOL: _READS,
    Role.CURATOR: _READS,
    # A machine client holds of these what its token names; approving is left to people.
    Role.INTEGRATION: _REGION - {"runs:approve"},
}
