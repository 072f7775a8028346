"""Files of schools through the API: checked, committed by the worker, refused with reasons."""

import asyncio
import io
import time
import uuid
import zipfile

import xlsxwriter

from services.registry.school_imports.layouts import layout
from tests.support import callers
from tests.support.builders.registry import a_school, a_territory
from tests.support.running import problem

IMPORTS = "/api/registry/v1/school-imports"
SCHOOLS = "/api/registry/v1/schools"
HEADER = ["Код ОО", "Наименование", "Код МСУ", "Вид", "Уровни образования"]
VELIZH = ["670101", "МБОУ «Селезнёвская школа»", "101", "СОШ", "НОО, ООО, СОО"]
VYAZMA = ["670201", "МБОУ «Вяземская школа № 1»", "102", "ООШ", "НОО; ООО"]


def as_csv(*rows, delimiter=";", encoding="utf-8-sig", header=HEADER):
    text = "\r\n".join(
        delimiter.join(quoted(cell, delimiter) for cell in row) for row in (header, *rows)
    )
    return (text + "\r\n").encode(encoding)


def quoted(cell, delimiter):
    return f'"{cell}"' if delimiter in cell else cell


def as_xlsx(*rows, header=HEADER):
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet("Школы")
    for number, row in enumerate((header, *rows)):
        for position, cell in enumerate(row):
            sheet.write(number, position, cell)
    book.close()
    return stream.getvalue()


async def send(client, body, **asked):
    return await client.post(
        IMPORTS, content=body, params=asked, headers={"Idempotency-Key": str(uuid.uuid4())}
    )


async def checked(client, body, **asked):
    answer = await send(client, body, **asked)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told["rows_in"] == told["rows_stored"] + told["rows_rejected"] + told["rows_ignored"]
    return told


def found(told):
    return {issue["rule"]: issue for issue in told["issues"]}


async def commit(client, told, **decision):
    return await client.post(
        f"{IMPORTS}/{told['id']}/commit",
        json=decision,
        headers={"Idempotency-Key": str(uuid.uuid4())},
    )


async def settled(client, told):
    """Wait until the worker is done with the import, and return it."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        now = (await client.get(f"{IMPORTS}/{told['id']}")).json()
        if now["state"] in {"committed", "failed"}:
            return now
        await asyncio.sleep(0.05)
    raise AssertionError(now)


async def codes(client):
    return [row["code"] for row in (await client.get(SCHOOLS)).json()["items"]]


async def test_a_file_is_checked_first_and_stored_on_commit(registry, smolensk):
    told = await checked(smolensk.region, as_csv(VELIZH, VYAZMA))

    assert (told["state"], told["rows_stored"], told["issues"]) == ("checked", 2, [])
    assert await codes(smolensk.region) == []
    async with registry.worker():
        asked = await commit(smolensk.region, told)
        done = await settled(smolensk.region, told)
    assert asked.status_code == 202
    assert (done["state"], done["rows_stored"], done["failure"]) == ("committed", 2, None)
    assert await codes(smolensk.region) == ["670101", "670201"]
    stored = (await smolensk.region.get(SCHOOLS, params={"code": "670201"})).json()["items"][0]
    assert (stored["municipality_id"], stored["kind"], stored["stages"]) == (
        smolensk.vyazma,
        "oosh",
        ["noo", "ooo"],
    )


async def test_encodings_and_delimiters_are_recognised(smolensk):
    for encoding in ("utf-8", "utf-8-sig", "cp1251"):
        for delimiter in (";", ",", "\t"):
            told = await checked(
                smolensk.region, as_csv(VELIZH, VYAZMA, encoding=encoding, delimiter=delimiter)
            )

            assert (told["encoding"], told["delimiter"]) == (encoding, delimiter)
            assert (told["rows_stored"], told["issues"]) == (2, [])


async def test_a_book_is_read_like_a_text(smolensk):
    told = await checked(smolensk.region, as_xlsx([670101, *VELIZH[1:]], VYAZMA))

    assert (told["format"], told["sheet"], told["rows_stored"]) == ("xlsx", "Школы", 2)
    rows = (await smolensk.region.get(f"{IMPORTS}/{told['id']}/rows")).json()["items"]
    assert [(row["row_no"], row["cells"]["code"]) for row in rows] == [(2, "670101"), (3, "670201")]


async def test_all_columns_of_the_template_are_stored(registry, smolensk):
    template = await smolensk.region.get(f"{IMPORTS}/template")
    example = [column.example for column in layout().columns]
    body = template.content + (";".join(quoted(cell, ",") for cell in example) + "\r\n").encode()

    told = await checked(smolensk.region, body)
    async with registry.worker():
        await commit(smolensk.region, told)
        await settled(smolensk.region, told)

    assert told["issues"] == []
    school = (await smolensk.region.get(SCHOOLS)).json()["items"][0]
    assert (school["latitude"], school["opened_on"], school["valid_from"]) == (
        "55.605300",
        "1998-09-01",
        "1998-09-01",
    )
    assert (school["is_rural"], school["is_small"], school["adverse_conditions"]) == (
        True,
        False,
        True,
    )
    sizes = (await smolensk.region.get("/api/registry/v1/school-sizes")).json()["items"]
    assert [(size["year"], size["pupils"], size["classes"]) for size in sizes] == [(2025, 143, 11)]


async def test_everything_wrong_is_told_at_once_grouped_by_rule(smolensk):
    await a_school(smolensk, code="999999", vpr_login="edu999999")
    header = [*HEADER, "ИНН", "Открыта", "Сельская", "ФНСУ", "Логин ВПР", "Широта", "Обучающихся"]

    def row(code, **cells):
        named = dict(zip(header, [code, *VELIZH[1:]], strict=False)) | cells
        return [named.get(title, "") for title in header]

    told = await checked(
        smolensk.region,
        as_csv(
            row("670101"),
            row("670102", ИНН="7707083894"),
            row("670103", Открыта="32.01.2020"),
            row("670104", Сельская="наверное"),
            row("670105", Вид="школа мечты"),
            row("670106", **{"Код МСУ": "777"}),
            row("670107", Наименование=""),
            row("670108", ФНСУ="да"),
            row("670109", **{"Логин ВПР": "edu999999"}),
            row("670110", Широта="55,6"),
            row("670111", Обучающихся="сорок"),
            row("670112", Обучающихся="40"),
            row("670113", **{"Логин ВПР": "edu670113"}),
            row("670114", **{"Логин ВПР": "edu670113"}),
            row("670101", Наименование="Другая"),
            row("670101"),
            row(""),
            [""] * len(header),
            row("12"),
            [*row("670115"), "лишняя"],
            row("670116", ИНН="7707083894"),
            header=header,
        ),
    )

    issues = found(told)
    assert (told["rows_in"], told["rows_stored"], told["rows_ignored"]) == (21, 3, 2)
    assert {
        issue["rule"]: (issue["column"], issue["rows"], issue["first_row"], issue["last_row"])
        for issue in told["issues"]
        if issue["rule"] not in {"value-invalid", "value-unknown", "value-missing"}
    } == {
        "date-invalid": ("Открыта", 1, 4, 4),
        "municipality-unknown": ("Код МСУ", 1, 7, 7),
        "attributes-disagree": (None, 2, 9, 11),
        "login-taken": ("Логин ВПР", 1, 10, 10),
        "number-invalid": ("Обучающихся", 1, 12, 12),
        "size-incomplete": ("Обучающихся", 1, 13, 13),
        "login-repeated": ("Логин ВПР", 1, 15, 15),
        "code-repeated": ("Код ОО", 1, 16, 16),
        "row-repeated": ("Код ОО", 1, 17, 17),
        "row-empty": (None, 1, 19, 19),
        "code-short": ("Код ОО", 1, 20, 20),
        "row-long": (None, 1, 21, 21),
    }
    by_column = {(i["rule"], i["column"]): i for i in told["issues"]}
    assert by_column["value-invalid", "ИНН"]["rows"] == 2
    assert (
        by_column["value-invalid", "ИНН"]["last_row"],
        by_column["value-invalid", "ИНН"]["value"],
    ) == (22, "7707083894")
    assert "опечатка" in by_column["value-invalid", "ИНН"]["detail"]
    assert by_column["value-unknown", "Сельская"]["value"] == "наверное"
    assert by_column["value-unknown", "Вид"]["first_row"] == 6
    assert by_column["value-missing", "Наименование"]["first_row"] == 8
    assert by_column["value-missing", "Код ОО"]["first_row"] == 18
    assert all(issue["remedy"] and issue["title"] for issue in told["issues"])
    effects = [issue["effect"] for issue in told["issues"]]
    assert effects == sorted(effects, key=["reject", "ignore", "warn"].index)
    assert issues["code-short"]["effect"] == "warn"


async def test_rejected_rows_stop_the_commit_until_they_are_left_out_knowingly(registry, smolensk):
    told = await checked(smolensk.region, as_csv(VELIZH, ["670201", "Вторая", "777", "СОШ", "НОО"]))

    refused = await commit(smolensk.region, told)
    async with registry.worker():
        accepted = await commit(smolensk.region, told, accept_partial=True)
        done = await settled(smolensk.region, told)

    assert problem(refused, 409, "import-has-rejections")["rows_rejected"] == 1
    assert accepted.status_code == 202
    assert (done["rows_in"], done["rows_stored"], done["rows_rejected"]) == (2, 1, 1)
    assert await codes(smolensk.region) == ["670101"]


async def test_the_same_file_is_one_import(registry, smolensk):
    body = as_csv(VELIZH)
    first = await checked(smolensk.region, body)
    second = await checked(smolensk.region, body)
    async with registry.worker():
        await commit(smolensk.region, first)
        await settled(smolensk.region, first)
        again = await commit(smolensk.region, first)

    third = await send(smolensk.region, body)

    assert first["id"] == second["id"] == third.json()["id"]
    assert (third.json()["state"], again.json()["state"]) == ("committed", "committed")
    school = (await smolensk.region.get(SCHOOLS)).json()["items"][0]
    assert school["version"] == 1


async def test_one_file_sent_at_once_by_many_is_one_import(smolensk):
    body = as_csv(VELIZH)

    answers = await asyncio.gather(*(send(smolensk.region, body) for _ in range(6)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_second_file_with_the_same_facts_changes_nothing(registry, smolensk):
    first = await checked(smolensk.region, as_csv(VELIZH))
    async with registry.worker():
        await commit(smolensk.region, first)
        await settled(smolensk.region, first)

    second = await checked(smolensk.region, as_csv(VELIZH, encoding="cp1251"))
    refused = await commit(smolensk.region, second)

    assert second["id"] != first["id"]
    assert (second["rows_stored"], found(second)["row-unchanged"]["rows"]) == (0, 1)
    problem(refused, 409, "import-is-empty")


async def test_a_file_updates_known_schools_and_empty_cells_change_nothing(registry, smolensk):
    school = await a_school(smolensk, code="670101", short_name="СШ", is_rural=True)
    header = [*HEADER, "Краткое наименование"]
    told = await checked(
        smolensk.region, as_csv([*VELIZH, ""], header=header), effective_on="2020-09-01"
    )
    async with registry.worker():
        await commit(smolensk.region, told)
        await settled(smolensk.region, told)

    now = (await smolensk.region.get(f"{SCHOOLS}/{school['id']}")).json()
    past = await smolensk.region.get(f"{SCHOOLS}/{school['id']}", params={"as_of": "2020-08-31"})
    assert (now["name"], now["short_name"], now["is_rural"]) == (VELIZH[1], "СШ", True)
    assert past.json()["name"] == school["name"]


async def test_unknown_municipalities_are_made_when_asked_for(registry, smolensk):
    header = [*HEADER, "Муниципалитет"]
    body = as_csv(
        ["670301", "Гимназия № 4", "103", "гимназия", "НОО", "г. Смоленск"],
        ["670302", "Школа", "104", "СОШ", "НОО", "Угранский муниципальный округ"],
        ["670303", "Школа", "", "СОШ", "НОО", "Велижский район"],
        header=header,
    )
    without = await checked(smolensk.region, body)
    told = await checked(smolensk.region, body, create_municipalities="true")
    async with registry.worker():
        await commit(smolensk.region, told)
        done = await settled(smolensk.region, told)

    assert found(without)["municipality-unknown"]["rows"] == 2
    assert (told["id"], told["rows_stored"]) == (without["id"], 3)
    assert done["state"] == "committed"
    listed = (await smolensk.region.get("/api/registry/v1/municipalities")).json()["items"]
    assert [(row["code"], row["kind"]) for row in listed] == [
        ("101", "district"),
        ("102", "district"),
        ("103", "city"),
        ("104", "okrug"),
    ]
    near = await smolensk.region.get(SCHOOLS, params={"municipality_id": smolensk.velizh})
    assert [row["code"] for row in near.json()["items"]] == ["670303"]


async def test_a_commit_checks_again_and_stores_nothing_when_the_registry_has_changed(
    registry, smolensk
):
    told = await checked(smolensk.region, as_csv(VELIZH, VYAZMA), effective_on="2020-01-01")
    await a_school(smolensk, code="670201", valid_from="2023-01-01")

    async with registry.worker():
        await commit(smolensk.region, told)
        done = await settled(smolensk.region, told)

    assert done["state"] == "failed"
    assert "Строка 3" in done["failure"]
    assert await codes(smolensk.region) == ["670201"]
    again = await checked(smolensk.region, as_csv(VELIZH, VYAZMA), effective_on="2020-01-01")
    assert (again["id"], found(again)["earlier-than-state"]["first_row"]) == (told["id"], 3)


async def test_what_is_not_a_table_of_schools_is_refused_whole(smolensk):
    outdated = f"# opora-schools/0\n{';'.join(HEADER)}\n".encode()
    no_columns = as_csv(["670101", "Школа"], header=["Код ОО", "Наименование"])
    twice = as_csv([*VELIZH, "x"], header=[*HEADER, "Код школы"])
    piped = as_csv(VELIZH, delimiter="|")
    corpus = {
        b"  \r\n": "file-empty",
        as_csv(header=[""]): "header-unknown",
        outdated: "template-outdated",
        no_columns: "header-unknown",
        twice: "header-unknown",
        piped: "header-unknown",
        as_csv(VELIZH, encoding="utf-16"): "encoding-unknown",
        "Код ОО".encode("cp1251") + b"\x98\x98": "encoding-unknown",
        b"\xd0\xcf\x11\xe0\0\0\0": "file-unreadable",
        as_csv(VELIZH)[:-6] + b';"': "file-cut",
        as_csv([*VELIZH[:4], '"НОО" и ещё']): "file-unreadable",
        as_xlsx(VELIZH)[:-200]: "file-cut",
    }

    told = {body: await send(smolensk.region, body) for body in corpus}

    for body, code in corpus.items():
        if body == as_csv(header=[""]):
            problem(told[body], 422, "file-empty")
            continue
        assert problem(told[body], 422, code)["hint"]
    assert problem(told[no_columns], 422, "header-unknown")["missing"] == [
        "Вид",
        "Уровни образования",
        "Код МСУ или Муниципалитет",
    ]
    assert (await smolensk.region.get(IMPORTS)).json()["items"] == []


async def test_a_file_cut_in_its_last_row_says_so(smolensk):
    whole = as_csv(VELIZH, VYAZMA, encoding="utf-8")

    told = await checked(smolensk.region, whole[: whole.index("Вяземская".encode()) + 6])

    assert (told["rows_stored"], found(told)["row-cut"]["first_row"]) == (1, 3)


async def test_bombs_and_forged_books_are_refused_unopened(smolensk):
    def zipped(**parts):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in parts.items():
                archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
        return stream.getvalue()

    def patched(name, old, new):
        stream = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(as_xlsx(VELIZH))) as source,
            zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target,
        ):
            for entry in source.infolist():
                content = source.read(entry)
                target.writestr(
                    entry.filename, content.replace(old, new) if entry.filename == name else content
                )
        return stream.getvalue()

    corpus = {
        "архивную бомбу": zipped(xl__workbook_xml=b"0" * 50_000_000),
        "не книга XLSX": zipped(readme_xml=b"hello"),
        "больше": zipped(
            xl__workbook_xml=b"", **{f"p{n}_xml": b"0" * 30_000_000 for n in range(8)}
        ),
        "сущности": patched(
            "xl/workbook.xml", b"<workbook", b'<!DOCTYPE x [<!ENTITY a "b">]><workbook'
        ),
        "далеко": patched("xl/worksheets/sheet1.xml", b'r="E2"', b'r="XFD1048576"'),
    }

    for words, body in corpus.items():
        refusal = problem(await send(smolensk.region, body), 422, "file-unreadable")
        assert words in refusal["detail"], refusal


async def test_a_file_above_the_limit_is_refused(databases, registry, smolensk):
    body = b"x" * (20 * 1024 * 1024 + 1)

    answer = await send(smolensk.region, body)

    assert answer.status_code == 413


async def test_too_many_rows_are_refused(databases):
    from services.registry.app import SERVICE
    from tests.support.running import running

    async with (
        databases.fresh(SERVICE) as urls,
        running(SERVICE, urls, max_upload_rows=2) as registry,
    ):
        territory = await a_territory(registry, code="67", name="Смоленская область")

        answer = await send(
            territory.region, as_csv(*[[f"67010{n}", *VELIZH[1:]] for n in range(3)])
        )

        problem(answer, 422, "too-many-rows")


async def test_rejected_rows_come_back_marked_and_safe_to_open(smolensk):
    told = await checked(smolensk.region, as_csv(["670101", "=1+1", "777", "СОШ", "НОО"], VYAZMA))

    answer = await smolensk.region.get(f"{IMPORTS}/{told['id']}/marked")
    lines = answer.content.decode("utf-8-sig").splitlines()

    assert lines[0] == "# opora-schools/1"
    assert lines[1].endswith("Строка файла;Замечания")
    assert len(lines) == 3
    assert ";'=1+1;" in lines[2]
    assert "Муниципалитета нет в реестре" in lines[2]


async def test_a_marked_file_that_was_corrected_is_accepted(smolensk):
    told = await checked(smolensk.region, as_csv(["670101", "Школа", "777", "СОШ", "НОО"]))
    marked = (await smolensk.region.get(f"{IMPORTS}/{told['id']}/marked")).content

    again = await checked(smolensk.region, marked.replace(b";777;", b";101;"))

    assert (again["rows_stored"], again["unknown_headings"]) == (1, ["Строка файла", "Замечания"])


async def test_the_template_of_a_book_is_accepted_and_always_the_same(smolensk):
    first = await smolensk.region.get(f"{IMPORTS}/template", params={"format": "xlsx"})
    second = await smolensk.region.get(f"{IMPORTS}/template", params={"format": "xlsx"})

    told = await checked(smolensk.region, first.content)

    assert first.content == second.content
    assert (told["rows_in"], told["unknown_headings"]) == (0, [])


async def test_columns_that_are_not_ours_are_named_and_not_kept(smolensk):
    header = [*HEADER, "Директор"]

    told = await checked(smolensk.region, as_csv([*VELIZH, "Иванов И. И."], header=header))

    assert told["unknown_headings"] == ["Директор"]
    rows = await smolensk.region.get(f"{IMPORTS}/{told['id']}/rows")
    assert "Иванов" not in rows.text


async def test_imports_belong_to_the_region(registry, smolensk):
    vologda = await a_territory(registry, code="35", name="Вологодская область")
    told = await checked(smolensk.region, as_csv(VELIZH))
    keyless = await smolensk.region.post(IMPORTS, content=as_csv(VELIZH))

    problem(await vologda.region.get(f"{IMPORTS}/{told['id']}"), 404, "import-not-found")
    problem(await commit(vologda.region, told), 404, "import-not-found")
    problem(await smolensk.municipality(smolensk.velizh).get(IMPORTS), 403, "missing-scope")
    problem(keyless, 400, "idempotency-key-missing")
    service = registry.as_(callers.service("indicators", scopes=["schools:write"]))
    problem(await send(service, as_csv(VELIZH)), 422, "validation-failed")
