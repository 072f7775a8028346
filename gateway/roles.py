"""What each role may do in the gateway itself: one table, shown to the customer as it is."""

from collections.abc import Mapping

from services.kit.principals import Role
from services.kit.reach import Level

__all__ = ["MACHINE_SCOPES", "MAY_APPOINT", "ROLES"]

_ACCOUNTS = frozenset({"accounts:read", "accounts:write"})
_CLIENTS = frozenset({"clients:read", "clients:write"})
# Of the settings' own clients only: no level below may grant them (MACHINE_SCOPES).
_KEYS = frozenset({"keys:read", "keys:write"})

ROLES: Mapping[Role, frozenset[str]] = {
    Role.REGION: _ACCOUNTS | _CLIENTS | {"audit:read"},
    Role.MUNICIPALITY: _ACCOUNTS | _CLIENTS,
    Role.SCHOOL: frozenset(),
    Role.CURATOR: frozenset(),
    # A machine client holds of these what its token names.
    Role.INTEGRATION: _ACCOUNTS | _CLIENTS | _KEYS | {"audit:read"},
}

MAY_APPOINT: Mapping[Level, frozenset[Role]] = {
    Level.SYSTEM: frozenset({Role.REGION}),
    Level.REGION: frozenset({Role.MUNICIPALITY, Role.SCHOOL, Role.CURATOR}),
    Level.MUNICIPALITY: frozenset({Role.SCHOOL}),
    Level.SCHOOL: frozenset(),
    Level.CURATOR: frozenset(),
}
"""Delegated administration: whose accounts a caller of each level makes and changes. Always below."""

_READ_BY_ALL = frozenset(
    {
        "appeals:read",
        "changes:read",
        "courses:read",
        "curators:read",
        "enrolments:read",
        "indices:exact",
        "indices:read",
        "methodologies:read",
        "participations:read",
        "procedures:read",
        "profiles:read",
        "runs:read",
        "schools:read",
        "splits:read",
        "territory:read",
        "waves:read",
    }
)
_OF_A_SCHOOL = _READ_BY_ALL | {"enrolments:write"}
_OF_A_MUNICIPALITY = _OF_A_SCHOOL | _ACCOUNTS | _CLIENTS | {"signs:read"}

MACHINE_SCOPES: Mapping[Level, frozenset[str]] = {
    # Clients over all regions come from the settings, with whatever scopes are written there.
    Level.SYSTEM: frozenset(),
    Level.REGION: _OF_A_MUNICIPALITY
    | {
        "audit:read",
        "courses:write",
        "curators:write",
        "imports:read",
        "imports:write",
        "methodologies:write",
        "participations:write",
        "procedures:write",
        "profiles:write",
        "runs:write",
        "scenarios:read",
        "scenarios:write",
        "schools:write",
        "signs:write",
        "splits:write",
        "territory:write",
        "waves:write",
    },
    Level.MUNICIPALITY: _OF_A_MUNICIPALITY,
    Level.SCHOOL: _OF_A_SCHOOL,
    Level.CURATOR: frozenset(),
}
"""What a machine client may hold over all services, by the level of its node.

For each level: what people of that role hold in some service that also lets machines hold it. The
gateway knows no service, so it is written out here; tests/sweeps/test_machine_scopes.py compares it
with the services' own tables and says which line is missing.
"""
