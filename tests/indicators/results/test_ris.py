"""РИС ГИА: four tables become results; one per participant and subject."""

from tests.support.running import problem

PEOPLE = (
    "ParticipantID;ParticipantCode;Surname;Name;SecondName;DocumentNumber;pClass;BirthDay;SchoolRegistration\n"
    "{P1};000001;Канарейкин;Иван;Иванович;4510123456;11А;2007-01-02;{S1}\n"
    "{P2};000002;Канарейкина;Анна;Ивановна;4510123457;11А;2007-01-03;{S1}\n"
    "{P3};000003;Попугаев;Пётр;Петрович;4510123458;11Б;2007-01-04;{S2}\n"
)
SCHOOLS = (
    "SchoolID;SchoolCode;SchoolName;DeleteType\n{S1};100001;Школа 1;0\n{S2};200001;Школа 2;0\n"
)
TESTS = (
    "HumanTestID;ParticipantFK;TestTypeCode;SubjectCode;ExamDate;StationCode;VariantCode;ProcessCondition\n"
    "{T1};{P1};4;1;2024.05.28;1;301;6\n"
    "{T2};{P1};4;1;2024.06.20;1;302;6\n"  # a later attempt
    "{T3};{P2};4;1;2024.05.28;1;301;5\n"  # not valid
    "{T4};{P3};4;1;2024.05.28;1;301;6\n"
    "{T5};{P9};4;1;2024.05.28;1;301;6\n"  # nobody
    "{T6};{P3};4;2;2024.05.31;1;301;6\n"  # no marks
)
MARKS = (
    "HumanTestID;PrimaryMark;PercentMark;Mark100;Mark5\n"
    "{T1};8;10;20;0\n{T2};20;40;50;0\n{T3};20;40;50;0\n{T4};9;10;28;0\n{T5};9;10;28;0\n"
)
FILES = {
    "rbd_Participants": PEOPLE,
    "rbd_Schools": SCHOOLS,
    "res_HumanTests": TESTS,
    "res_Marks": MARKS,
}


async def test_four_tables_become_results(region, indicators):
    procedure_id = await region.procedure(kind="ege", grade=11)
    import_id = await region.draft(procedure_id, layout="ris-gia")

    for table, body in FILES.items():
        answer = await region.put(import_id, body.encode("cp1251"), table=table)
        assert answer.status_code == 200, answer.text
    shown = await region.settled(import_id, "checked")

    assert shown["state"] == "checked", shown
    assert (shown["rows_in"], shown["stored"]) == (6, 3)
    assert shown["counts"]["ignored"] == {"older-attempt": 1}
    assert shown["counts"]["rejected"] == {"link-missing": 2}
    assert shown["counts"]["noted"] == {"cancelled": 1}
    done = await region.commit(import_id, accept_rejected=True)
    assert done["state"] == "committed", done
    found = await region.indices(procedure_id=procedure_id)
    # ЕГЭ русский 24/100: Bmin is 29; the later attempt (50) counts, 28 is low.
    assert found[1001, "rus"]["low"]["numerator"] == 0
    assert (found[1001, "rus"]["n"], found[1001, "rus"]["cancelled"]) == (1, 1)
    assert found[2001, "rus"]["low"] == {
        "numerator": 1,
        "denominator": 1,
        "percent": "100.00",
        "suppressed": [],
    }


async def test_a_later_export_corrects_marks_without_versions(region, indicators):
    procedure_id = await region.procedure(kind="ege", grade=11)
    for marks in (MARKS, MARKS.replace("{T4};9;10;28;0", "{T4};10;11;29;0")):
        import_id = await region.draft(procedure_id, layout="ris-gia")
        for table, body in (FILES | {"res_Marks": marks}).items():
            await region.put(import_id, body, table=table)
        await region.settled(import_id, "checked")
        done = await region.commit(import_id, accept_rejected=True)

    assert done["counts"]["superseded"] == 1
    assert done["counts"]["ignored"] == {"older-attempt": 1, "unchanged": 2}
    found = await region.indices(procedure_id=procedure_id)
    assert found[2001, "rus"]["low"]["numerator"] == 0


async def test_a_table_of_another_layout_is_not_found(region):
    import_id = await region.draft(await region.procedure(kind="ege", grade=11), layout="ris-gia")

    answer = await region.put(import_id, MARKS, table="results")

    problem(answer, 404, "table-unknown")
