"""Builders of the registry: things made through its API, with sound defaults."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.support import callers
from tests.support.running import Running


@dataclass
class Territory:
    """A region, two of its municipalities and a client of its region user."""

    registry: Running
    region_id: int
    velizh: int
    vyazma: int

    @property
    def region(self) -> httpx.AsyncClient:
        return self.registry.as_(callers.region_user(region_id=self.region_id))

    def municipality(self, municipality_id: int) -> httpx.AsyncClient:
        return self.registry.as_(
            callers.municipality_user(region_id=self.region_id, municipality_id=municipality_id)
        )


def root(registry: Running) -> httpx.AsyncClient:
    """Return the system's own client, which makes regions."""
    return registry.as_(callers.service("opora", scopes=["regions:write", "territory:write"]))


async def a_territory(registry: Running, *, code: str, name: str) -> Territory:
    """Make a region with the municipalities Велижский район and Вяземский район."""
    made = await root(registry).post("/api/registry/v1/regions", json={"code": code, "name": name})
    assert made.status_code == 201, made.text
    region_id = made.json()["id"]
    client = registry.as_(callers.region_user(region_id=region_id))
    ids = []
    for number, title in (("101", "Велижский район"), ("102", "Вяземский район")):
        answer = await client.post(
            "/api/registry/v1/municipalities",
            json={"code": number, "name": title, "kind": "district"},
        )
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["id"])
    return Territory(registry, region_id, *ids)


def school_body(municipality_id: int, **values: Any) -> dict[str, Any]:
    """Return a body of a new school: a village school of all stages unless said otherwise."""
    return {
        "municipality_id": municipality_id,
        "code": "670101",
        "name": "МБОУ «Селезнёвская средняя школа»",
        "kind": "sosh",
        "stages": ["noo", "ooo", "soo"],
    } | values


async def a_school(
    territory: Territory, municipality_id: int | None = None, **values: Any
) -> dict[str, Any]:
    """Enter a school (of the first municipality unless said otherwise) and return its answer."""
    body = school_body(municipality_id or territory.velizh, **values)
    answer = await territory.region.post("/api/registry/v1/schools", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()
