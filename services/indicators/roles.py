"""What each role may do in indicators: one table, shown to the customer as it is."""

from collections.abc import Mapping

from services.kit.principals import Role

__all__ = ["ROLES"]

_READS = frozenset(
    {
        "procedures:read",
        "indices:read",
        "profiles:read",
        "methodologies:read",
        "splits:read",
        "runs:read",
        "appeals:read",
        "changes:read",
    }
)
# Numbers of pupils as they are: those who have the rows anyway. Others get them suppressed.
_OWN = _READS | {"indices:exact", "appeals:write"}
# Signs are for those who supervise: never for a school or its curators (design 4).
_SUPERVISES = _OWN | {"signs:read"}
_REGION = _SUPERVISES | {
    "audit:read",
    "procedures:write",
    "imports:read",
    "imports:write",
    "profiles:write",
    "methodologies:write",
    "splits:write",
    "signs:write",
    "signs:review",
    "runs:write",
    "runs:approve",
    "scenarios:read",
    "scenarios:write",
    "appeals:decide",
}

ROLES: Mapping[Role, frozenset[str]] = {
    Role.REGION: _REGION,
    Role.MUNICIPALITY: _SUPERVISES,
    Role.SCHOOL: _OWN,
    Role.CURATOR: _READS,
    # A machine client holds of these what its token names; approving, judging signs and appeals are
    # left to people.
    Role.INTEGRATION: _REGION - {"runs:approve", "signs:review", "appeals:write", "appeals:decide"},
}
