"""The first steps of a region, through the gateway: territory, people, what each of them sees."""

from tests.support.world import until


async def test_schools_made_in_the_registry_reach_monitoring_and_training(opora):
    root = await opora.root()
    region = await root.post(
        "/api/registry/v1/regions", {"code": "26", "name": "Ставропольский край"}
    )
    analyst = await opora.person(root, "region", region_id=region["id"])
    district = await analyst.post(
        "/api/registry/v1/municipalities",
        {"code": "101", "name": "Апанасенковский округ", "kind": "okrug"},
    )
    school = await analyst.post(
        "/api/registry/v1/schools",
        {
            "code": "260001",
            "name": "МКОУ СОШ № 1",
            "kind": "sosh",
            "stages": ["noo", "ooo", "soo"],
            "municipality_id": district["id"],
            "is_rural": True,
            "is_small": False,
        },
    )
    wave = await analyst.post(
        "/api/monitoring/v1/waves",
        {
            "year": 2026,
            "kind": "entry",
            "title": "Входной",
            "opens_on": "2026-03-01",
            "closes_on": "2026-03-31",
        },
    )

    async def added():
        answer = await analyst.ask(
            "POST",
            f"/api/monitoring/v1/waves/{wave['id']}/schools",
            json={"school_ids": [school["id"]]},
        )
        return answer.status_code == 200 and answer.json()

    assert (await until(added, what="the feed to bring the school"))["expected_schools"] == 1
    head = await opora.person(analyst, "school", school_id=school["id"])
    assert [item["id"] for item in await head.all("/api/registry/v1/schools")] == [school["id"]]
