"""The synthetic results: on the published scales, and arranged so that Smolensk's Table 5 comes out."""

from collections import defaultdict
from fractions import Fraction

import numpy as np
import polars as pl
import pytest

from demo.cohorts import cohort
from demo.region import Role, region
from demo.results import results
from demo.scales import Procedure, published

YEARS = (2024, 2025)
KINDS = (("vpr", 5), ("oge", 9), ("ege", 11))
PROCEDURES = [Procedure(kind, grade, year) for kind, grade in KINDS for year in YEARS]
THRESHOLD = Fraction(3, 10)
ids = {"ids": lambda procedure: procedure.name}


@pytest.fixture(scope="module")
def smolensk():
    return region("smolensk")


@pytest.mark.parametrize("procedure", PROCEDURES, **ids)
def test_points_marks_and_keys_are_sound(smolensk, procedure):
    rows = results(smolensk, procedure)

    scales = {scale.written: scale for scale in published(procedure)}
    for subject, score, mark, status in rows.select(
        "subject", "score", "mark", "status"
    ).iter_rows():
        scale = scales[subject]
        assert (score is None) == (status == "absent")
        assert score is None or 0 <= score <= scale.maximum
        if mark is not None:
            assert mark == 2 + sum(score >= border for border in scale.borders)
    assert rows.select("code", "subject").is_duplicated().sum() == 0
    assert set(rows["school_code"]) <= set(smolensk.schools.code)
    assert rows.select("school_code", "code").unique().height == rows["code"].n_unique()


def test_the_same_region_makes_the_same_rows_whatever_was_made_before(smolensk):
    procedure = Procedure("oge", 9, 2025)
    first = results(smolensk, procedure)

    results(smolensk, Procedure("ege", 11, 2024))

    assert results(region("smolensk"), procedure).equals(first)
    assert not results(region("smolensk", seed=2), procedure).equals(first)


def test_codes_of_participants_do_not_meet_between_procedures(smolensk):
    codes = [set(results(smolensk, procedure)["code"]) for procedure in PROCEDURES]

    assert len(set.union(*codes)) == sum(len(some) for some in codes)


def _low(rows: pl.DataFrame, procedure: Procedure) -> dict[str, tuple[int, int]]:
    """Count people by hand: per school, participants and those below the minimum in a mass subject."""
    minimum = {scale.written: scale.minimum for scale in published(procedure) if scale.is_mass}
    taken, low = defaultdict(set), defaultdict(set)
    for school, person, subject, score, status in rows.select(
        "school_code", "code", "subject", "score", "status"
    ).iter_rows():
        if status:
            continue
        taken[school].add(person)
        if subject in minimum and score < minimum[subject]:
            low[school].add(person)
    return {school: (len(people), len(low[school])) for school, people in taken.items()}


def _is_low(cells: dict[int, tuple[int, int]], year: int) -> bool:
    """Judge a series of years: fewer than ten are added to the year before; still fewer say nothing."""
    n, low = cells.get(year, (0, 0))
    if 0 < n < 10:
        more, more_low = cells.get(year - 1, (0, 0))
        n, low = n + more, low + more_low
    return n >= 10 and Fraction(low, n) >= THRESHOLD


def _judged(smolensk) -> dict[str, dict[str, dict[int, tuple[int, int]]]]:
    cells = defaultdict(lambda: {"oge": {}, "ege": {}})
    for kind, grade in KINDS[1:]:
        for year in YEARS:
            procedure = Procedure(kind, grade, year)
            for school, counts in _low(results(smolensk, procedure), procedure).items():
                cells[school][kind][year] = counts
    return cells


def test_the_rules_find_exactly_the_schools_of_table_5(smolensk):
    cells = _judged(smolensk)
    found = {}
    for school in smolensk.schools.code:
        low = {
            year: sum(_is_low(cells[school][kind], year) for kind in ("oge", "ege"))
            for year in YEARS
        }
        found[school] = low[2025] >= 2 or (low[2025] >= 1 and low[2024] >= 1)

    schools = smolensk.schools
    laid_down = {
        code: role in {Role.NRO, Role.BOTH}
        for code, role in zip(schools.code, schools.role.tolist(), strict=True)
    }
    assert found == laid_down
    assert sum(found.values()) == 45


def test_nobody_stands_near_the_threshold(smolensk):
    for school in _judged(smolensk).values():
        for series in school.values():
            for n, low in series.values():
                if n >= 10:
                    assert not Fraction(1, 4) < Fraction(low, n) < Fraction(7, 20)


def test_results_go_with_the_social_context():
    vologda = region("vologda")
    sitting = cohort(vologda, Procedure("oge", 9, 2025))

    participants = np.bincount(sitting.school, minlength=len(vologda.schools))
    failing = np.bincount(sitting.school[sitting.fails], minlength=len(vologda.schools))
    large = participants >= 20
    correlation = np.corrcoef(vologda.schools.context[large], failing[large] / participants[large])[
        0, 1
    ]

    assert -0.9 < correlation < -0.4


def test_some_schools_have_a_step_at_the_border_of_a_mark():
    stavropol = region("stavropol")
    procedure = Procedure("vpr", 5, 2025)
    inflating = {
        code
        for code, yes in zip(stavropol.schools.code, stavropol.schools.inflates, strict=True)
        if yes
    }
    rows = results(stavropol, procedure).filter(
        pl.col("school_code").is_in(sorted(inflating)) & (pl.col("subject") == "1")
    )

    below, above = (rows.filter(pl.col("score") == points).height for points in (38, 39))

    assert len(inflating) >= 10
    assert above > 3 * below
