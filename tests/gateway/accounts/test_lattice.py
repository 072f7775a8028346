"""Who may make whom, over every pair of callers and every wish: never beside, above or elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.accounts import operations
from gateway.roles import MAY_APPOINT, ROLES
from services.kit.principals import Principal, Role
from services.kit.reach import Level, Reach
from tests.support.callers import municipality_user, region_user
from tests.support.running import problem

# The territory from the top: a level never administers itself or what is above.
HEIGHT = {
    Level.SYSTEM: 3,
    Level.REGION: 2,
    Level.MUNICIPALITY: 1,
    Level.SCHOOL: 0,
    Level.CURATOR: 0,
}
PEOPLE = [Role.REGION, Role.MUNICIPALITY, Role.SCHOOL, Role.CURATOR]


def caller(level):
    role = Role.INTEGRATION if level is Level.SYSTEM else Role(level.value)
    return Principal("user:1", role, Reach(level), frozenset(), "")


@given(chain=st.lists(st.sampled_from(list(Level)), min_size=1, max_size=6))
def test_no_chain_of_appointments_climbs(chain):
    """Each appoints the next wherever it may; what comes out stands below the first."""
    reached = [chain[0]]
    for wanted in chain[1:]:
        if wanted is Level.SYSTEM:
            continue
        try:
            operations.require_below(caller(reached[-1]), Role(wanted.value))
        except operations.AccountNotBelow:
            continue
        reached.append(wanted)

    heights = [HEIGHT[level] for level in reached]
    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) == len(heights)


@given(level=st.sampled_from(list(Level)), role=st.sampled_from(PEOPLE))
def test_whom_one_makes_holds_no_more_than_oneself(level, role):
    """Grantable is a part of own: an appointee may do in the gateway only what the appointing role may."""
    if role not in MAY_APPOINT[level] or level is Level.SYSTEM:
        return

    assert ROLES[role] <= ROLES[Role(level.value)]


FORBIDDEN = {
    "role": "region",
    "region_id": 2,
    "municipality_id": 4,
    "school_id": 12,
    "scopes": ["regions:write"],
    "level": "system",
    "login": "root",
    "id": 1,
    "version": 9,
    "state": "active",
    "blocked_at": None,
    "erased_at": None,
    "password_hash": "x",
    "password": "гроза над рекой 471",
    "second_factor_since": None,
    "invitation_expires_at": "2030-01-01T00:00:00Z",
    "last_used_on": "2026-01-01",
    "__proto__": {"role": "region"},
}


@pytest.mark.parametrize("field", FORBIDDEN)
async def test_role_place_and_rights_are_not_among_what_changes(gateway, person, field):
    account = await person(region_user(region_id=1), "anna", "school", school_id=11)
    path = f"/api/accounts/{account['id']}"
    async with gateway.as_(municipality_user(region_id=1, municipality_id=3)) as client:
        answer = await client.patch(
            path,
            json={"display_name": "Анна", field: FORBIDDEN[field]},
            headers={"If-Match": '"1"'},
        )
        after = (await client.get(path)).json()

    refused = problem(answer, 422, "validation-failed")
    assert [(one["pointer"], one["code"]) for one in refused["errors"]] == [
        (f"/{field}", "extra_forbidden")
    ]
    assert after == account
