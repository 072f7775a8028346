"""What each role may do in the gateway itself: one table, shown to the customer as it is."""

from collections.abc import Mapping

from services.kit.principals import Role
from services.kit.reach import Level

__all__ = ["GRANTED_BY_SETTINGS_ONLY", "MAY_APPOINT", "ROLES"]

_ACCOUNTS = frozenset({"accounts:read", "accounts:write"})
_CLIENTS = frozenset({"clients:read", "clients:write"})

ROLES: Mapping[Role, frozenset[str]] = {
    Role.REGION: _ACCOUNTS | _CLIENTS | {"audit:read"},
    Role.MUNICIPALITY: _ACCOUNTS,
    Role.SCHOOL: frozenset(),
    Role.CURATOR: frozenset(),
    # A machine client holds of these what its token names.
    Role.INTEGRATION: _ACCOUNTS | _CLIENTS | {"audit:read"},
}

MAY_APPOINT: Mapping[Level, frozenset[Role]] = {
    Level.SYSTEM: frozenset({Role.REGION}),
    Level.REGION: frozenset({Role.MUNICIPALITY, Role.SCHOOL, Role.CURATOR}),
    Level.MUNICIPALITY: frozenset({Role.SCHOOL}),
    Level.SCHOOL: frozenset(),
    Level.CURATOR: frozenset(),
}
"""Delegated administration: whose accounts a caller of each level makes and changes. Always below."""

GRANTED_BY_SETTINGS_ONLY = frozenset({"regions:write"})
"""Scopes that no region holds, so no region can grant them to a machine client."""
