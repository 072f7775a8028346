"""Who answers for the results of a school that is no more."""

import random
from datetime import date

import pytest

from services.indicators.identification.freezing.reorganisations import (
    Event,
    Outcome,
    passed_on,
    resolve,
    taken_by,
)

SPRING, AUTUMN, LATER = date(2025, 3, 1), date(2025, 9, 1), date(2026, 1, 15)


def merged(number, predecessor, into, on=AUTUMN):
    return Event(number, "merge", into, predecessor, on)


def apart(number, new, leaving, on=AUTUMN):
    return Event(number, "split", new, leaving, on)


def outcomes(events, opened):
    found = resolve(events, open_schools=opened)
    return {p.event.event_id: (p.school_id, p.outcome) for p in found}


def test_a_merged_school_is_answered_for_by_the_school_that_took_it_in():
    found = resolve([merged(1, 12, into=15)], open_schools=[15])

    assert passed_on(found) == {12: 15}


def test_a_chain_of_mergers_is_followed_to_the_school_that_is_open():
    events = [merged(1, 12, into=15, on=SPRING), merged(2, 15, into=20), merged(3, 16, into=15)]

    found = resolve(events, open_schools=[20])

    assert passed_on(found) == {12: 20, 15: 20, 16: 20}


def test_several_schools_may_merge_into_one():
    assert passed_on(
        resolve([merged(1, 12, into=15), merged(2, 13, into=15)], open_schools=[15])
    ) == {12: 15, 13: 15}


def test_a_divided_school_is_passed_to_nobody_and_each_part_is_told():
    events = [merged(1, 12, into=15), merged(2, 12, into=16)]

    assert outcomes(events, [15, 16]) == {
        1: (15, Outcome.SEVERAL_SUCCESSORS),
        2: (16, Outcome.SEVERAL_SUCCESSORS),
    }


def test_a_school_divided_by_one_order_into_a_new_and_an_old_one_is_passed_to_neither():
    events = [merged(1, 12, into=15), apart(2, 16, leaving=12)]

    assert outcomes(events, [15, 16]) == {
        1: (15, Outcome.SEVERAL_SUCCESSORS),
        2: (16, Outcome.SPLIT),
    }


def test_a_part_set_apart_earlier_does_not_keep_a_merger_from_passing():
    events = [merged(1, 12, into=15), apart(2, 16, leaving=12, on=SPRING)]

    assert outcomes(events, [15, 16])[1] == (15, Outcome.PASSED)


def test_a_new_school_starts_with_its_own_results():
    found = resolve([apart(1, 16, leaving=12)], open_schools=[12, 16])

    assert passed_on(found) == {}
    assert found[0].outcome is Outcome.SPLIT


def test_a_predecessor_that_is_still_open_answers_for_itself():
    assert outcomes([merged(1, 12, into=15)], [12, 15]) == {1: (15, Outcome.STILL_OPEN)}


def test_nobody_is_told_of_a_chain_that_ends_at_a_closed_school():
    assert resolve([merged(1, 12, into=15)], open_schools=[]) == []


def test_a_merger_entered_twice_counts_once():
    found = resolve([merged(1, 12, into=15, on=SPRING), merged(2, 12, into=15)], open_schools=[15])

    assert [(p.event.event_id, p.outcome) for p in found] == [(2, Outcome.PASSED)]


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_events_changes_nothing(seed):
    events = [
        merged(1, 12, into=15, on=SPRING),
        merged(2, 15, into=20),
        apart(3, 21, leaving=20, on=LATER),
        merged(4, 13, into=20),
        merged(5, 13, into=21),
    ]
    shuffled = random.Random(seed).sample(events, len(events))

    assert resolve(shuffled, open_schools=[20, 21]) == resolve(events, open_schools=[20, 21])


def test_mergers_that_go_in_a_ring_do_not_hang():
    found = resolve([merged(1, 12, into=15), merged(2, 15, into=12)], open_schools=[])

    assert found == []


def test_without_mergers_the_counting_statement_stays_as_it_was():
    assert taken_by({}) == ("", "p.school_id")
    assert "(12::bigint, 15::bigint)" in taken_by({12: 15})[0]
