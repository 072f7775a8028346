"""What may be told, on small examples worked out by hand, and against an attacker with the totals."""

import random

import pytest

from services.indicators.suppression.threshold import (
    PEOPLE,
    Group,
    Unit,
    hidden_numbers,
)
from tests.privacy.attack import besiege, numbers

SIZE = 5


def alone(school: int, n: int, failed: int, *, municipality: int = 1) -> Unit:
    return Unit(school, municipality, {PEOPLE: Group(n, failed, failed)})


@pytest.mark.parametrize(
    ("n", "failed", "is_hidden"),
    [
        (30, 10, False),
        (30, 0, False),
        (30, 5, False),
        (30, 4, True),  # four of thirty
        (30, 1, True),
        (30, 26, True),  # all but four
        (30, 30, True),  # all: said of each of them
        (4, 0, True),  # a group of four
        (5, 0, False),
        (9, 5, True),  # all but four
        (0, 0, False),  # nobody: nothing to hide
    ],
)
def test_a_part_smaller_than_the_size_is_hidden(n, failed, is_hidden):
    found = hidden_numbers([alone(1, n, failed)], SIZE, complement=False)

    assert (1 in found["failed"].people) is is_hidden


def test_what_lies_between_two_measures_counts_as_a_part():
    unit = Unit(1, 1, {PEOPLE: Group(40, 10, 12)})

    found = hidden_numbers([unit], SIZE, complement=False)

    assert 1 in found["low"].people, "two pupils are low without having failed"
    assert 1 in found["failed"].people, "told together or not at all"


def test_single_subjects_are_hidden_where_they_would_tell_of_few_beside_the_people():
    unit = Unit(1, 1, {PEOPLE: Group(40, 12, 12), "rus": Group(40, 10, 10), "mat": Group(40, 7, 7)})

    found = hidden_numbers([unit], SIZE, complement=False)["failed"]

    assert 1 not in found.people
    assert 1 in found.subjects, "12 - 10 = 2 failed in mathematics only"


def test_one_hidden_school_takes_a_second_with_it():
    units = [alone(1, 30, 3), alone(2, 40, 10), alone(3, 60, 20)]

    found = hidden_numbers(units, SIZE)["failed"]

    assert found.people == {1, 2}, "the smaller of the other two; together 13 of 70"
    assert not found.municipalities


def test_a_municipality_of_one_school_loses_its_total_and_another_municipality_helps():
    units = [
        alone(1, 30, 3, municipality=1),
        alone(2, 40, 10, municipality=2),
        alone(3, 60, 20, municipality=2),
    ]

    found = hidden_numbers(units, SIZE)["failed"]

    assert found.people == {1, 2}
    assert found.municipalities == {1, 2}
    assert not found.is_region


def test_a_region_that_cannot_be_protected_loses_its_total():
    found = hidden_numbers([alone(1, 30, 3)], SIZE)["failed"]

    assert (found.municipalities, found.is_region) == ({1}, True)


def region(seed: int) -> list[Unit]:
    """Make up a region: groups of 2 to 45 pupils, failing as groups do."""
    chance = random.Random(seed)
    units = []
    for school in range(chance.randint(2, 30)):
        pupils = chance.choice([2, 4, 8, 12, 20, 30, 45])
        weak = chance.random() * 0.6
        people = []
        for _ in range(pupils):
            worst = [chance.random() > weak for _ in range(2)]
            people.append([0 if not good else 1 + (chance.random() > 0.1) for good in worst])
        tables = {
            name: Group(
                pupils,
                sum(person[place] == 0 for person in people),
                sum(person[place] <= 1 for person in people),
                *(2 * [sum(person[place] == 2 for person in people)]),
            )
            for place, name in enumerate(("rus", "mat"))
        }
        tables[PEOPLE] = Group(
            pupils, sum(min(p) == 0 for p in people), sum(min(p) <= 1 for p in people)
        )
        units.append(Unit(school, chance.randint(1, 6), tables))
    return units


def attack(units: list[Unit], *, complement: bool) -> tuple[int, list[object]]:
    """Give an attacker what is told, and every total that may be; return hidden cells and those found."""
    decided = hidden_numbers(units, SIZE, complement=complement)

    def is_told(unit: Unit, table: str, measure: str) -> bool:
        found = decided["low" if measure == "n" else measure]
        return unit.school not in (found.people if table == PEOPLE else found.subjects)

    told = {
        (unit.school, table, measure): number
        for unit in units
        for table, group in unit.tables.items()
        for measure, number in numbers(group).items()
        if is_told(unit, table, measure)
    }
    return besiege(units, told, decided if complement else None)


@pytest.mark.parametrize("seed", range(150))
def test_an_attacker_with_all_totals_finds_no_hidden_number(seed):
    hidden, found = attack(region(seed), complement=True)

    assert found == [], f"{len(found)} of {hidden}"


def test_without_complementary_suppression_the_attacker_does_find_some():
    found = [attack(region(seed), complement=False)[1] for seed in range(40)]

    assert sum(map(len, found)) > 40
