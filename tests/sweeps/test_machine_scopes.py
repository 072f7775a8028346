"""What the gateway lets a machine client hold is what the services' own tables say."""

import pytest

from gateway.roles import MACHINE_SCOPES
from services.kit.principals import Role
from services.kit.reach import Level
from tests.sweeps.test_tables import SERVICES

NODES = (Level.REGION, Level.MUNICIPALITY, Level.SCHOOL)


def held(level):
    """Return the scopes that people of a level hold in a service which lets machines hold them too."""
    return frozenset(
        scope
        for service in SERVICES
        for scope in service.roles[Role(level)] & service.roles[Role.INTEGRATION]
    )


@pytest.mark.parametrize("level", NODES)
def test_a_machine_may_hold_what_people_of_its_level_hold(level):
    missing, superfluous = held(level) - MACHINE_SCOPES[level], MACHINE_SCOPES[level] - held(level)

    assert (sorted(missing), sorted(superfluous)) == ([], []), (
        f"gateway/roles.py, MACHINE_SCOPES[Level.{level.name}]: add {sorted(missing)},"
        f" take away {sorted(superfluous)}"
    )


def test_nobody_grants_a_machine_what_only_the_settings_give():
    assert all("regions:write" not in scopes for scopes in MACHINE_SCOPES.values())
    assert MACHINE_SCOPES[Level.SYSTEM] == MACHINE_SCOPES[Level.CURATOR] == frozenset()


def test_what_is_left_to_people_is_held_by_no_machine():
    left_to_people = {"runs:approve", "signs:review"}

    assert left_to_people <= held_by_people()
    assert not any(left_to_people & scopes for scopes in MACHINE_SCOPES.values())


def held_by_people():
    return frozenset().union(
        *(
            scopes
            for service in SERVICES
            for role, scopes in service.roles.items()
            if role != Role.INTEGRATION
        )
    )
