"""What each role may do in monitoring: one table, shown to the customer as it is."""

from collections.abc import Mapping

from services.kit.principals import Role

__all__ = ["ROLES"]

_READS = frozenset({"waves:read", "changes:read"})
_REGION = _READS | {"audit:read", "waves:write"}

ROLES: Mapping[Role, frozenset[str]] = {
    Role.REGION: _REGION,
    Role.MUNICIPALITY: _READS,
    Role.SCHOOL: _READS,
    Role.CURATOR: _READS,
    Role.INTEGRATION: _REGION,
}
