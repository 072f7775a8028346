"""The gateway's settings as an operator gives them."""

import pytest
from pydantic import ValidationError

from gateway.settings import GatewaySettings
from services.kit.installation import Addresses, Secrets, variables

NAME = "OPORA_GATEWAY_SECOND_FACTOR_ROLES"


def given(monkeypatch, value=None):
    if value is None:
        monkeypatch.delenv(NAME, raising=False)
    else:
        monkeypatch.setenv(NAME, value)
    return GatewaySettings(database_url="postgresql+asyncpg://x").second_factor_roles


@pytest.mark.parametrize(
    ("value", "roles"),
    [
        (None, ("region", "municipality")),
        ("", ()),
        ("region", ("region",)),
        ("region, school", ("region", "school")),
    ],
)
def test_a_cluster_demands_a_second_factor_unless_told_otherwise(monkeypatch, value, roles):
    assert given(monkeypatch, value) == roles


def test_a_slip_in_a_role_does_not_let_people_in(monkeypatch):
    with pytest.raises(ValidationError, match="нет таких ролей: regoin"):
        given(monkeypatch, "regoin")


def test_one_machine_begins_without_and_the_operator_may_demand_it(monkeypatch):
    addresses = Addresses(
        "127.0.0.1",
        dict.fromkeys(("gateway", "registry", "indicators", "monitoring", "training"), 1),
    )

    monkeypatch.delenv(NAME, raising=False)
    assert variables("gateway", addresses, Secrets.fresh(), admin_url=None)[NAME] == ""
    monkeypatch.setenv(NAME, "region")
    assert variables("gateway", addresses, Secrets.fresh(), admin_url=None)[NAME] == "region"
