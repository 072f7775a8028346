"""Leaving the list: years in a row, the watch, relapse, and what missing data do to them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.leaving import YearAnswer, follow, year_is_clear

ANSWERS = {"L": "low", "c": "clear", "u": "unproven", "?": "unknown"}
STAGES = {
    "outside": "o",
    "enters": "E",
    "stays": "s",
    "watch": "w",
    "exits": "X",
    "returns": "R",
}


def stages(years, *, clear=2, watch=1):
    """Write a life as letters: years in, stages out."""
    told = [(2020 + place, YearAnswer(ANSWERS[letter])) for place, letter in enumerate(years)]
    return "".join(
        STAGES[step.stage] for step in follow(told, clear_years=clear, watch_years=watch)
    )


@pytest.mark.parametrize(
    ("years", "told"),
    [
        ("L", "E"),
        ("LL", "Es"),
        ("Lc", "Es"),
        ("Lcc", "Esw"),
        ("Lccc", "EswX"),
        ("Lcccc", "EswXo"),
        ("LccL", "EswR"),
        ("LccLcc", "EswRsw"),
        ("LcL", "Ess"),
        ("LcLcc", "Esssw"),
        ("LcccL", "EswXE"),
        ("cccc", "oooo"),
        ("", ""),
    ],
)
def test_two_years_without_low_results_and_a_year_of_watch(years, told):
    assert stages(years) == told


@pytest.mark.parametrize(
    ("years", "told"),
    [("Lc?c", "Essw"), ("L??", "Ess"), ("Lcc?c", "EswwX"), ("?c", "oo"), ("Lcc?L", "EswwR")],
)
def test_a_year_without_data_is_not_counted_and_breaks_nothing(years, told):
    assert stages(years) == told


@pytest.mark.parametrize(("years", "told"), [("Lcucc", "Esssw"), ("Lccuc", "EswwX")])
def test_a_year_that_excludes_nothing_begins_the_row_anew_but_is_no_relapse(years, told):
    assert stages(years) == told


def test_without_a_watch_the_school_leaves_when_the_years_suffice():
    assert stages("Lcc", watch=0) == "EsX"
    assert stages("Lc", clear=1, watch=0) == "EX"


def test_the_watch_is_counted_in_years():
    told = [(year, YearAnswer(ANSWERS[letter])) for year, letter in enumerate("Lccc?c")]

    steps = follow(told, clear_years=2, watch_years=3)

    assert [(step.stage.value, step.watch_year) for step in steps[2:]] == [
        ("watch", 1),
        ("watch", 2),
        ("watch", 2),
        ("watch", 3),
    ]


def test_years_have_to_grow():
    with pytest.raises(ValueError, match="grow"):
        follow([(2024, YearAnswer.LOW), (2024, YearAnswer.LOW)], clear_years=2, watch_years=1)


@given(st.text("Lcu?", max_size=12), st.integers(1, 4), st.integers(0, 3))
def test_a_school_leaves_exactly_when_its_years_read_so(years, clear, watch):
    # The oracle reads the letters from the last low year on, with years of no data struck out.
    told = stages(years, clear=clear, watch=watch)
    if not years:
        return
    since = re.search(r"L([^L]*)$", years)
    if since is None:
        assert told[-1] == "o"
        return
    row = since[1].replace("?", "")
    watched = re.search(rf"^.*?c{{{clear}}}", row)
    if watched is None:
        assert told[-1] in "EsR"
        return
    rest = row[watched.end() :].count("c")
    # Without a watch the years themselves lead out; with one, `watch` more good years do.
    left = rest >= watch
    assert (told[-1] in "Xo") == left
    assert (told[-1] == "w") == (not left)


@given(st.text("Lcu?", max_size=12), st.integers(1, 4), st.integers(0, 3))
def test_what_was_told_of_a_year_does_not_depend_on_later_years(years, clear, watch):
    whole = stages(years, clear=clear, watch=watch)

    assert all(
        stages(years[:end], clear=clear, watch=watch) == whole[:end] for end in range(len(years))
    )


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        ({"is_low": True, "certainty": Certainty.POSSIBLE}, "low"),
        ({"certainty": Certainty.NONE}, "clear"),
        ({"certainty": Certainty.NOT_EXCLUDED}, "clear"),
        ({"certainty": Certainty.NOT_EXCLUDED, "at_most": Certainty.NONE}, "unproven"),
        ({"certainty": Certainty.TOO_FEW}, "unknown"),
        ({"certainty": Certainty.NONE, "is_assessed": False}, "unknown"),
    ],
)
def test_too_few_data_are_never_a_year_without_low_results(found, answer):
    settings = {"is_assessed": True, "is_low": False, "at_most": Certainty.NOT_EXCLUDED}

    assert year_is_clear(**settings | found) == answer
