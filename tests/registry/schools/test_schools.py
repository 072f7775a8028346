"""Schools through the API: entering, reading, changing, listing."""

from tests.support import callers
from tests.support.builders.registry import a_school, a_territory, school_body
from tests.support.running import problem

SCHOOLS = "/api/registry/v1/schools"
WRONG = [
    ({"inn": "7707083894"}, "/inn", "опечатка"),
    ({"ogrn": "1027700132196"}, "/ogrn", "опечатка"),
    ({"oktmo": "123"}, "/oktmo", "8 или 11"),
    ({"kind": "школа"}, "/kind", "sosh"),
    ({"stages": []}, "/stages", "не меньше 1"),
    ({"stages": ["doo"]}, "/stages/0", "noo"),
    ({"code": "67 01"}, "/code", "образцу"),
    ({"name": " "}, "/name", "образцу"),
    ({"adverse_conditions": True}, "/", "без причины"),
    ({"latitude": 55}, "/", "вместе"),
    ({"opened_on": "2020-01-01", "closed_on": "2019-01-01"}, "/", "раньше"),
    ({"valid_from": "2999-01-01"}, "/valid_from", "будущем"),
    ({"director": "Иванов"}, "/director", "Неизвестное поле"),
]
"""Attributes with a slip, where the answer points and what it says."""


async def test_a_school_is_entered_and_read_back(smolensk):
    body = school_body(
        smolensk.velizh,
        inn="7707083893",
        ogrn="1042900006445",
        oktmo="66603101",
        vpr_login="edu670101",
        latitude="55.605300",
        longitude="31.186400",
        is_rural=True,
        adverse_conditions=True,
        adverse_reason="Удалённость",
        adverse_source="Приказ № 210",
    )

    made = await smolensk.region.post(SCHOOLS, json=body)
    read = await smolensk.region.get(made.headers["location"])

    assert made.status_code == 201
    assert read.json() == made.json()
    assert read.headers["etag"] == '"1"'
    assert {name: read.json()[name] for name in body} == body
    assert read.json()["is_small"] is None


async def test_a_school_with_a_wrong_attribute_is_refused_in_words(smolensk):
    for values, pointer, words in WRONG:
        answer = await smolensk.region.post(SCHOOLS, json=school_body(smolensk.velizh) | values)

        errors = problem(answer, 422, "validation-failed")["errors"]
        told = [(error["pointer"], words in error["detail"]) for error in errors]
        assert told == [(pointer, True)], errors


async def test_a_code_is_unique_among_open_schools_and_free_after_closing(smolensk):
    first = await a_school(smolensk, code="670101")

    taken = await smolensk.region.post(SCHOOLS, json=school_body(smolensk.vyazma))
    await smolensk.region.post(
        f"{SCHOOLS}/{first['id']}/closure",
        json={"closed_on": "2020-09-01"},
        headers={"If-Match": '"1"'},
    )
    again = await smolensk.region.post(SCHOOLS, json=school_body(smolensk.vyazma))

    problem(taken, 409, "school-code-taken")
    assert again.status_code == 201


async def test_two_regions_may_use_one_code(registry, smolensk):
    vologda = await a_territory(registry, code="35", name="Вологодская область")
    await a_school(smolensk, code="000001")

    await a_school(vologda, code="000001")

    assert len((await smolensk.region.get(SCHOOLS)).json()["items"]) == 1


async def test_a_municipality_outside_reach_does_not_exist(registry, smolensk):
    vologda = await a_territory(registry, code="35", name="Вологодская область")

    answer = await smolensk.region.post(SCHOOLS, json=school_body(vologda.velizh))

    problem(answer, 404, "municipality-not-found")


async def test_filters_narrow_the_list_and_the_count(smolensk):
    await a_school(smolensk, code="1", name="Гимназия № 4", kind="gymnasium", is_rural=False)
    await a_school(smolensk, code="2", name="Ёлкинская школа", stages=["noo", "ooo"], is_small=True)
    await a_school(
        smolensk,
        smolensk.vyazma,
        code="3",
        name="Школа 3",
        short_name="СШ № 3",
        adverse_conditions=True,
        adverse_reason="Удалённость",
    )

    async def codes(**asked):
        page = (await smolensk.region.get(SCHOOLS, params=asked | {"count": True})).json()
        assert page["total"] == len(page["items"])
        return [row["code"] for row in page["items"]]

    assert await codes() == ["1", "2", "3"]
    assert await codes(kind="gymnasium") == ["1"]
    assert await codes(stage="soo") == ["1", "3"]
    assert await codes(is_rural=False) == ["1"]
    assert await codes(is_small=True) == ["2"]
    assert await codes(adverse_conditions=True) == ["3"]
    assert await codes(municipality_id=smolensk.vyazma) == ["3"]
    assert await codes(code="2") == ["2"]
    assert await codes(q="елкин") == ["2"]
    assert await codes(q="сш № 3") == ["3"]
    assert await codes(q="%") == []
    assert await codes(sort="name") == ["1", "2", "3"]
    assert await codes(status="closed") == []


async def test_pages_go_through_all_schools_once(smolensk):
    for number in range(7):
        await a_school(smolensk, code=f"{number}")

    seen = []
    cursor = {}
    while True:
        page = (await smolensk.region.get(SCHOOLS, params={"limit": 3} | cursor)).json()
        seen += [row["code"] for row in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}

    assert seen == [f"{number}" for number in range(7)]


async def test_a_municipality_and_a_school_user_see_theirs(registry, smolensk):
    own = await a_school(smolensk, code="1")
    other = await a_school(smolensk, smolensk.vyazma, code="2")
    school = registry.as_(
        callers.school_user(
            region_id=smolensk.region_id, municipality_id=smolensk.velizh, school_id=own["id"]
        )
    )

    for client in (smolensk.municipality(smolensk.velizh), school):
        listed = (await client.get(SCHOOLS, params={"count": True})).json()
        hidden = await client.get(f"{SCHOOLS}/{other['id']}")
        written = await client.patch(
            f"{SCHOOLS}/{own['id']}", json={"name": "Моя"}, headers={"If-Match": '"1"'}
        )

        assert ([row["id"] for row in listed["items"]], listed["total"]) == ([own["id"]], 1)
        problem(hidden, 404, "school-not-found")
        problem(written, 403, "missing-scope")


async def test_an_edit_needs_the_state_it_is_based_on(smolensk):
    school = await a_school(smolensk)
    address = f"{SCHOOLS}/{school['id']}"

    blind = await smolensk.region.patch(address, json={"name": "Новое имя"})
    changed = await smolensk.region.patch(
        address, json={"name": "Новое имя"}, headers={"If-Match": '"1"'}
    )
    late = await smolensk.region.patch(
        address, json={"name": "Другое имя"}, headers={"If-Match": '"1"'}
    )
    same = await smolensk.region.patch(
        address, json={"name": "Новое имя"}, headers={"If-Match": '"2"'}
    )

    problem(blind, 428, "precondition-required")
    assert changed.headers["etag"] == '"2"'
    problem(late, 412, "stale-version")
    assert same.headers["etag"] == '"2"'


async def test_a_patch_cannot_break_the_rules_between_attributes(smolensk):
    school = await a_school(smolensk)
    address = f"{SCHOOLS}/{school['id']}"

    unreasoned = await smolensk.region.patch(
        address, json={"adverse_conditions": True}, headers={"If-Match": '"1"'}
    )
    emptied = await smolensk.region.patch(address, json={"name": None}, headers={"If-Match": '"1"'})
    cleared = await smolensk.region.patch(
        address, json={"is_rural": None, "short_name": None}, headers={"If-Match": '"1"'}
    )

    problem(unreasoned, 422, "validation-failed")
    problem(emptied, 422, "validation-failed")
    assert cleared.status_code == 200


async def test_a_repeated_post_with_its_key_has_one_effect(smolensk):
    body = school_body(smolensk.velizh)
    key = {"Idempotency-Key": "enter-670101"}

    first = await smolensk.region.post(SCHOOLS, json=body, headers=key)
    second = await smolensk.region.post(SCHOOLS, json=body, headers=key)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
