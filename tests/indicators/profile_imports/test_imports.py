"""Files of profiles: what a cell means, everything wrong at once, nothing lost, one file once."""

import csv
import io
import uuid

import pytest
import xlsxwriter

from tests.support.callers import municipality_user, region_user
from tests.support.running import problem

API = "/api/indicators/v1"
REGION = region_user(region_id=1)
HEADER = "# opora-profiles/1\r\nКод ОО;Наименование;Вакансий педагогических работников;on_register;internet;computers\r\n"


async def ask(service, method, path, token=REGION, **options):
    async with service.as_(token) as client:
        return await client.request(method, f"{API}{path}", **options)


@pytest.fixture
async def service(indicators):
    answer = await ask(indicators, "POST", "/profile-attributes/adoption", json={})
    assert answer.status_code == 200, answer.text
    return indicators


async def upload(service, body, year=2025, source="Паспорта 2025", kind="text/csv", token=REGION):
    return await ask(
        service,
        "POST",
        "/profile-imports",
        token,
        params={"year": year, "source": source},
        content=body if isinstance(body, bytes) else body.encode(),
        headers={"Content-Type": kind, "Idempotency-Key": uuid.uuid4().hex},
    )


async def commit(service, import_id, **decision):
    return await ask(
        service,
        "POST",
        f"/profile-imports/{import_id}/commit",
        json=decision,
        headers={"Idempotency-Key": uuid.uuid4().hex},
    )


async def cells_of(service, school_id, year=2025):
    listed = await ask(service, "GET", f"/school-profiles?school_id={school_id}&year={year}")
    items = listed.json()["items"]
    if not items:
        return None
    profile = (await ask(service, "GET", f"/school-profiles/{items[0]['id']}")).json()
    return {cell["attribute"]: cell for cell in profile["cells"]}


def is_complete(told):
    return told["rows_in"] == told["rows_stored"] + told["rows_rejected"] + told["rows_ignored"]


async def test_cells_mean_what_they_say_and_name_where_they_come_from(service):
    body = HEADER + "100001;Школа;1,5;3 из 120;да;н/п\r\n100002;Школа;0;2,5 %;;1 200\r\n"
    uploaded = await upload(service, body.encode("cp1251"))
    assert uploaded.status_code == 201, uploaded.text
    told = uploaded.json()
    assert (told["encoding"], told["rows_in"], told["rows_stored"]) == ("cp1251", 2, 2)
    assert await cells_of(service, 1001) is None, "nothing is written before the commit"

    done = await commit(service, told["id"])

    assert (done.status_code, done.json()["state"]) == (200, "committed")
    one, two = await cells_of(service, 1001), await cells_of(service, 1002)
    assert (one["vacancies"]["value"], one["internet"]["value"]) == ("1.5", "1")
    assert (one["on_register"]["numerator"], one["on_register"]["denominator"]) == (3, 120)
    assert one["on_register"]["value"] == "0.025"
    assert one["computers"]["state"] == "not_applicable"
    assert (two["vacancies"]["state"], two["vacancies"]["value"]) == ("value", "0")
    assert (two["on_register"]["value"], two["on_register"]["numerator"]) == ("0.025", None)
    assert two["internet"]["state"] == "not_submitted"
    assert two["computers"]["value"] == "1200"
    assert (one["vacancies"]["source"], one["vacancies"]["import_id"]) == (
        "Паспорта 2025",
        told["id"],
    )
    assert (one["vacancies"]["row_no"], two["vacancies"]["row_no"]) == (3, 4)


async def test_everything_wrong_is_told_at_once_with_row_column_value_and_remedy(service):
    body = HEADER + (
        "100001;;много;35;может быть;2,5\r\n"
        ";;1;;;\r\n"
        "999999;;1;;;\r\n"
        ";;;;;\r\n"
        "100002;;1;4/0;да;\r\n"
        "200001;;1;;;\r\n"
        "200001;;1;;;\r\n"
        "200001;;2;;;\r\n"
        "100002;;1;0,5;да;7;лишнее\r\n"
    )
    told = (await upload(service, body)).json()

    assert is_complete(told)
    assert (told["rows_in"], told["rows_stored"], told["rows_ignored"]) == (9, 1, 2)
    found = {
        (issue["rule"], issue["first_row"], issue["column"], issue["value"])
        for issue in told["issues"]
    }
    assert found == {
        ("number-invalid", 3, "Вакансий педагогических работников", "много"),
        (
            "share-out-of-range",
            3,
            "Доля обучающихся, состоящих на учёте (КДН и ЗП, ПДН, внутришкольный)",
            "35",
        ),
        ("not-a-boolean", 3, "Есть доступ в интернет", "может быть"),
        ("not-a-count", 3, "Компьютеров для обучающихся", "2,5"),
        ("code-missing", 4, "Код ОО", None),
        ("school-unknown", 5, "Код ОО", "999999"),
        ("row-empty", 6, None, None),
        (
            "denominator-zero",
            7,
            "Доля обучающихся, состоящих на учёте (КДН и ЗП, ПДН, внутришкольный)",
            "4/0",
        ),
        ("row-repeated", 9, "Код ОО", "200001"),
        ("code-repeated", 10, "Код ОО", "200001"),
        ("row-long", 11, None, None),
    }
    assert all(issue["remedy"] for issue in told["issues"])
    (repeated,) = [issue for issue in told["issues"] if issue["rule"] == "code-repeated"]
    assert (repeated["rows"], repeated["last_row"]) == (2, 11)


async def test_rejected_rows_are_left_out_only_when_asked_and_come_back_marked(service):
    body = HEADER + "100001;;1;;;\r\n100002;;=1+1;;;\r\n"
    told = (await upload(service, body)).json()
    path = f"/profile-imports/{told['id']}"

    problem(await commit(service, told["id"]), 409, "profile-import-has-rejections")
    marked = await ask(service, "GET", f"{path}/marked")
    rows = list(csv.reader(io.StringIO(marked.content.decode("utf-8-sig")), delimiter=";"))
    listed = (await ask(service, "GET", f"{path}/rows?outcome=reject")).json()["items"]
    done = (await commit(service, told["id"], accept_partial=True)).json()

    assert rows[1][0] == "Код ОО"
    assert rows[2][0] == "100002"
    at = rows[1].index("Вакансий педагогических работников")
    assert rows[2][at] == "'=1+1", "what leaves computes nothing"
    assert "Это не число" in rows[2][-1]
    assert [(row["row_no"], row["school_code"]) for row in listed] == [(4, "100002")]
    assert listed[0]["cells"]["vacancies"] == "=1+1"
    assert (done["state"], done["rows_stored"], done["rows_rejected"]) == ("committed", 1, 1)
    assert (await cells_of(service, 1001))["vacancies"]["value"] == "1"
    assert await cells_of(service, 1002) is None


async def test_the_same_file_for_the_same_year_is_one_import(service):
    body = HEADER + "100001;;1;;;\r\n"
    first = (await upload(service, body)).json()
    checked_again = (await upload(service, body)).json()
    await commit(service, first["id"])
    after = (await upload(service, body)).json()
    twice = (await commit(service, first["id"])).json()
    other_year = (await upload(service, body, year=2024)).json()
    listed = (await ask(service, "GET", "/profile-imports?count=true")).json()

    assert first["id"] == checked_again["id"] == after["id"] == twice["id"]
    assert after["state"] == twice["state"] == "committed"
    assert other_year["id"] != first["id"]
    assert listed["total"] == 2


async def test_an_empty_cell_leaves_what_is_written_and_words_take_it_away(service):
    await commit(service, (await upload(service, HEADER + "100001;;1;;да;\r\n")).json()["id"])
    later = (await upload(service, HEADER + "100001;;;;нет сведений;5\r\n")).json()
    await commit(service, later["id"])

    cells = await cells_of(service, 1001)
    assert (cells["vacancies"]["value"], cells["computers"]["value"]) == ("1", "5")
    assert cells["internet"]["state"] == "not_submitted"
    assert cells["vacancies"]["import_id"] != cells["computers"]["import_id"] == later["id"]


async def test_a_row_that_changes_nothing_is_ignored(service):
    await commit(service, (await upload(service, HEADER + "100001;;1;;;\r\n")).json()["id"])
    same = (await upload(service, HEADER + "100001;;1,0;;;\r\n100002;Только имя;;;;\r\n")).json()

    assert (same["rows_ignored"], same["rows_stored"]) == (2, 0)
    assert {issue["rule"] for issue in same["issues"]} == {"row-unchanged", "row-without-cells"}
    problem(await commit(service, same["id"]), 409, "profile-import-empty")


async def test_the_template_goes_out_and_comes_back_filled_as_csv_and_as_a_book(service):
    path = "/profile-imports/template?year=2025&format="
    template = (await ask(service, "GET", f"{path}csv")).content.decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(template), delimiter=";"))
    assert lines[0] == ["# opora-profiles/1"]
    assert [line[0] for line in lines[2:]] == ["100001", "100002", "200001"]
    at = lines[1].index("Вакансий педагогических работников")
    lines[2][at] = "2"

    stream = io.BytesIO()
    made = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = made.add_worksheet()
    for number, line in enumerate(lines):
        for place, cell in enumerate(line):
            sheet.write_string(number, place, cell)
    sheet.write_number(3, at, 1 / 3)
    sheet.write_number(4, 0, 200001)
    made.close()
    told = (await upload(service, stream.getvalue(), kind="application/octet-stream")).json()
    book = await ask(service, "GET", f"{path}xlsx")
    empty = (await upload(service, book.content)).json()

    assert (told["format"], told["rows_stored"], told["rows_ignored"]) == ("xlsx", 2, 1)
    assert [issue["rule"] for issue in told["issues"]] == ["row-without-cells", "value-rounded"]
    await commit(service, told["id"])
    assert (await cells_of(service, 1001))["vacancies"]["value"] == "2"
    assert (await cells_of(service, 1002))["vacancies"]["value"] == "0.333333333"
    assert (empty["sheet"], empty["rows_in"], empty["rows_ignored"]) == ("Профили", 3, 3)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "profile-file-unreadable"),
        (b"\x00\x01", "profile-file-unreadable"),
        ('Код ОО;vacancies\n"100001;1'.encode(), "profile-file-unreadable"),
        ("Код ОО;нечто\n100001;1\n".encode(), "profile-header-unknown"),
        (b"vacancies\n1\n", "profile-header-unknown"),
        ("Код ОО;vacancies;vacancies\n1;2;3\n".encode(), "profile-header-unknown"),
        ("# opora-profiles/9\nКод ОО;vacancies\n".encode(), "profile-template-outdated"),
        ("# opora-schools/1\nКод ОО;vacancies\n".encode(), "profile-template-outdated"),
        (
            ("Код ОО;vacancies\n" + "100001;1\n" * 20_001).encode(),
            "too-many-profile-rows",
        ),
    ],
)
async def test_a_file_that_is_no_table_of_profiles_is_refused_as_a_whole(service, body, code):
    told = problem(await upload(service, body), 422, code)
    assert told["hint"]


async def test_a_file_cut_in_its_last_row_loses_that_row_loudly(service):
    told = (await upload(service, HEADER + "100001;;1;;;\r\n100002;;1")).json()

    assert (told["rows_stored"], told["rows_rejected"]) == (1, 1)
    assert told["issues"][0]["rule"] == "row-cut"


async def test_what_was_retired_since_the_check_is_checked_again(service):
    told = (await upload(service, HEADER + "100001;;1;;;\r\n")).json()
    listed = (await ask(service, "GET", "/profile-attributes?group=staff")).json()["items"]
    (attribute,) = [each for each in listed if each["code"] == "vacancies"]
    await ask(
        service,
        "PATCH",
        f"/profile-attributes/{attribute['id']}",
        json={"is_retired": True},
        headers={"If-Match": '"1"'},
    )

    problem(await commit(service, told["id"]), 409, "profile-import-outdated")


async def test_imports_are_the_region_s_alone(service):
    told = (await upload(service, HEADER + "100001;;1;;;\r\n")).json()
    path = f"/profile-imports/{told['id']}"

    municipality = municipality_user(region_id=1, municipality_id=11)
    problem(await ask(service, "GET", path, municipality), 403, "missing-scope")
    for of in ("", "/rows", "/marked"):
        answer = await ask(service, "GET", path + of, region_user(region_id=2))
        problem(answer, 404, "profile-import-not-found")


async def test_an_upload_and_a_commit_repeated_with_their_keys_are_answered_alike(service):
    async def once(path, key, **options):
        headers = {"Idempotency-Key": key, "Content-Type": options.pop("kind")}
        return await ask(service, "POST", path, headers=headers, **options)

    upload_options = {
        "params": {"year": 2025, "source": "Паспорта"},
        "content": (HEADER + "100001;;1;;;\r\n").encode(),
        "kind": "text/csv",
    }
    first = await once("/profile-imports", "upload-0001", **upload_options)
    second = await once("/profile-imports", "upload-0001", **upload_options)
    path = f"/profile-imports/{first.json()['id']}/commit"
    commit_options = {"content": b"{}", "kind": "application/json"}
    done = await once(path, "commit-0001", **commit_options)
    again = await once(path, "commit-0001", **commit_options)

    assert first.content == second.content
    assert done.content == again.content
    assert second.headers["idempotency-replayed"] == "true"
    assert again.headers["idempotency-replayed"] == "true"
    assert (await cells_of(service, 1001))["vacancies"]["value"] == "1"
