"""What each role may do in training: one table, shown to the customer as it is."""

from collections.abc import Mapping

from services.kit.principals import Role

__all__ = ["ROLES"]

_READS = frozenset({"courses:read", "enrolments:read", "changes:read"})
_REGION = _READS | {"audit:read", "courses:write", "enrolments:write"}

ROLES: Mapping[Role, frozenset[str]] = {
    Role.REGION: _REGION,
    # A municipality and a school enrol people of their own schools; the region runs the courses.
    Role.MUNICIPALITY: _READS | {"enrolments:write"},
    Role.SCHOOL: _READS | {"enrolments:write"},
    Role.CURATOR: _READS,
    Role.INTEGRATION: _REGION,
}
