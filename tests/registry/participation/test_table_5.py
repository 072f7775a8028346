"""The 75 schools of Smolensk's Table 5 (methodology A6), loaded and counted through the API."""

TABLE_5 = """
Велижский 2/1/0/1; Вяземский 6/2/4/0; Гагаринский 2/0/2/0; Глинковский 2/0/2/0;
Демидовский 3/1/0/2; г. Десногорск 2/2/0/0; Дорогобужский 2/1/1/0; Духовщинский 3/1/2/0;
Ельнинский 3/1/2/0; Ершичский 2/1/1/0; Кардымовский 1/1/0/0; Краснинский 2/1/1/0;
Монастырщинский 2/1/0/1; Новодугинский 5/2/3/0; Починковский 2/1/1/0; Рославльский 3/1/2/0;
Руднянский 2/2/0/0; Сафоновский 3/3/0/0; г. Смоленск 5/4/1/0; Смоленский 5/5/0/0;
Сычевский 2/1/1/0; Темкинский 2/1/0/1; Угранский 4/0/2/2; Хиславичский 2/2/0/0;
Холм-Жирковский 1/0/1/0; Шумячский 2/0/2/0; Ярцевский 5/3/2/0
"""
CATEGORIES = ("nro", "fnsu", "nro-fnsu")


def printed_rows():
    for row in TABLE_5.replace("\n", " ").split(";"):
        name, figures = row.strip().rsplit(" ", 1)
        yield name, tuple(int(figure) for figure in figures.split("/"))


async def test_table_5_comes_back_as_it_was_printed(registry, smolensk):
    rows = list(printed_rows())
    schools, category_of = [], {}
    for number, (name, (_, *by_category)) in enumerate(rows, start=1):
        made = await smolensk.region.post(
            "/api/registry/v1/municipalities",
            json={
                "code": f"2{number:02d}",
                "name": name,
                "kind": "city" if name.startswith("г.") else "district",
            },
        )
        wanted = [
            category
            for category, count in zip(CATEGORIES, by_category, strict=True)
            for _ in range(count)
        ]
        for place, category in enumerate(wanted):
            code = f"67{number:02d}{place:02d}"
            category_of[code] = category
            schools.append(
                {
                    "municipality_id": made.json()["id"],
                    "code": code,
                    "name": f"Школа {code}",
                    "kind": "sosh" if len(schools) < 37 else "oosh",
                    "stages": ["noo", "ooo"],
                    "is_rural": len(schools) >= 12,
                    "adverse_conditions": category != "nro",
                    "adverse_reason": None if category == "nro" else "Таблица 5, графа ФНСУ",
                }
            )

    written = (
        await smolensk.region.post("/api/registry/v1/schools/bulk", json={"schools": schools})
    ).json()
    applied = await smolensk.region.post(
        "/api/registry/v1/participations/bulk",
        headers={"Idempotency-Key": "smolensk-table-5"},
        json={
            "year": 2022,
            "source": "identification",
            "run_id": 1,
            "order_number": "89",
            "order_date": "2022-02-10",
            "entries": [
                {"school_id": school["id"], "categories": [category_of[school["code"]]]}
                for school in written["schools"]
            ],
        },
    )
    summary = (
        await smolensk.region.get("/api/registry/v1/participations/summary", params={"year": 2022})
    ).json()

    async def total(**asked):
        page = await smolensk.region.get(
            "/api/registry/v1/schools", params=asked | {"count": True, "limit": 1}
        )
        return page.json()["total"]

    assert (written["created"], applied.json()["joined"], len(rows)) == (75, 75, 27)
    assert [
        (
            row["municipality"],
            (row["total"], *(row["by_categories"].get(category, 0) for category in CATEGORIES)),
        )
        for row in summary
    ] == rows
    assert [sum(row["by_categories"].get(one, 0) for row in summary) for one in CATEGORIES] == [
        38,
        30,
        7,
    ]
    assert await total(adverse_conditions=True) == 37
    assert (await total(kind="sosh"), await total(kind="oosh")) == (37, 38)
    assert (await total(is_rural=False), await total(is_rural=True)) == (12, 63)
