"""The files: read by the layouts of the services, with people in them, and wrong where they should be."""

from datetime import date

import polars as pl
import pytest

from demo import naming
from demo.files import Mistakes, results_file, schools_file
from demo.region import region
from demo.results import results
from demo.scales import Procedure

PROCEDURE = Procedure("oge", 9, 2025)


@pytest.fixture(scope="module")
def smolensk():
    return region("smolensk")


def _lines(file: bytes, encoding: str = "utf-8-sig") -> list[list[str]]:
    return [line.split(";") for line in file.decode(encoding).split("\r\n")[:-1]]


def test_a_file_of_results_holds_every_row_with_names_and_birth_dates(smolensk):
    lines = _lines(results_file(smolensk, PROCEDURE))

    header, rows = lines[0], lines[1:]
    assert len(rows) == results(smolensk, PROCEDURE).height
    assert {len(row) for row in rows} == {len(header)}
    assert {"Фамилия", "Имя", "Отчество", "Дата рождения"} < set(header)
    for name in ("Фамилия", "Имя", "Отчество", "Дата рождения", "Код участника"):
        assert all(row[header.index(name)] for row in rows)


def test_every_person_could_exist(smolensk):
    rows = results(smolensk, PROCEDURE)
    words = naming.words()

    women = {patronymic for _, patronymic in words["patronymics"]}
    for name, surname, patronymic in rows.select("name", "surname", "patronymic").iter_rows():
        is_girl = patronymic in women
        assert name in words["girls" if is_girl else "boys"]
        assert (surname.removesuffix("а") if is_girl else surname) in words["surnames"]
    ages = rows.select(pl.lit(date(2025, 6, 1)) - pl.col("born")).to_series().dt.total_days() / 365
    assert 14 < ages.min() < ages.max() < 17


def test_an_empty_value_is_nothing_between_two_separators(smolensk):
    assert b'"' not in results_file(smolensk, PROCEDURE)


def test_mistakes_are_put_in_and_nothing_else_changes(smolensk):
    mistakes = Mistakes(
        duplicates=3,
        conflicts=2,
        unknown_schools=4,
        above_maximum=2,
        missing_points=1,
        not_numbers=2,
        empty=2,
    )
    clean = [tuple(row) for row in _lines(results_file(smolensk, PROCEDURE))]

    spoiled = [
        tuple(row)
        for row in _lines(
            results_file(smolensk, PROCEDURE, mistakes=mistakes, encoding="cp1251"), "cp1251"
        )
    ]

    header, kept = clean[0], set(clean)
    added = [row for row in spoiled if row not in kept]
    assert len(spoiled) - len(clean) == mistakes.rows == 18
    assert len(added) == mistakes.rows - mistakes.duplicates
    assert sum(row[header.index("Код ОО")] == "999999" for row in added) == 4
    assert sum(row[header.index("Балл")] == "н/д" for row in added) == 2
    assert sum(not any(row) for row in added) == 2
    assert kept <= set(spoiled)


def test_a_file_of_schools_says_yes_no_or_nothing_about_adverse_conditions(smolensk):
    lines = _lines(schools_file(smolensk, year=2026))

    header, rows = lines[0], lines[1:]
    adverse = pl.DataFrame(rows, schema=header, orient="row").select(
        "ФНСУ", "Причина ФНСУ", "Источник ФНСУ"
    )
    assert len(rows) == 360
    counts = dict(adverse.group_by("ФНСУ").len().iter_rows())
    assert counts["да"] == 37
    assert 1 <= counts[""] <= 30
    assert adverse.filter((pl.col("ФНСУ") == "да") != (pl.col("Причина ФНСУ") != "")).height == 0
