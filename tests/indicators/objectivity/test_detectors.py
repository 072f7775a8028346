"""What the detectors find and what they leave in peace, over many honest and planted regions.

Bounds are stated here and measured; the table goes to reports/objectivity-detectors.md.
"""

import functools
import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from services.indicators.objectivity.detectors import (
    ask_border_peak,
    ask_journal_marks,
    ask_over_easy,
)
from services.indicators.objectivity.mismatches import ask_mismatch
from services.indicators.objectivity.questions import Detector, Reason, Sample, controlled
from services.indicators.objectivity.thresholds import DetectionSettings
from tests.indicators.objectivity.regions import (
    MAT5,
    RUS4,
    RUS5,
    Region,
    honest,
    lifted,
    next_year,
    told,
)
from tests.support import reports

SETTINGS = DetectionSettings()
SEEDS = 200
HONEST_BOUND = 0.004
"""Of honest schools at most this share has any false sign."""
POWER = {("border_peak", 100): 0.3, ("border_peak", 200): 0.6, ("procedure_mismatch", 100): 0.3,
         ("over_easy", 50): 0.7,
         ("journal_marks", 50): 0.8}  # fmt: skip
"""What is found at least, of planted schools of this size."""


def questions(region: Region, later: Region | None = None):
    subject = region.subject()
    asked = [
        ask_border_peak(subject, SETTINGS),
        ask_journal_marks(subject, SETTINGS),
        ask_over_easy(subject, SETTINGS),
    ]
    if later is not None:
        asked.append(ask_mismatch(region.measured(1, 2024), later.measured(2, 2025), SETTINGS))
    return asked


@functools.cache
def honest_regions():
    """Count over many honest regions: schools asked, bare answers below 5 %, false signs, regions hit."""
    asked, bare, false, hit = Counter(), Counter(), Counter(), Counter()
    flagged = schools = 0
    for seed in range(SEEDS):
        work = (RUS4, MAT5)[seed % 2]
        region = honest(seed, work)
        found = set()
        for question in questions(region, next_year(region, RUS5, seed + 10_000)):
            assert question.reason is None
            name = question.detector.value
            asked[name] += len(question.answers)
            bare[name] += sum(answer.p <= Decimal("0.05") for answer in question.answers)
            signs = controlled([question], SETTINGS)
            false[name] += len(signs)
            hit[name] += bool(signs)
            found |= {sign.school_id for sign in signs}
        flagged += len(found)
        schools += len(region.scores)
    return asked, bare, false, hit, flagged, schools


def test_honest_schools_are_left_in_peace():
    *_, hit, flagged, schools = honest_regions()

    assert schools == SEEDS * 60
    assert flagged / schools <= HONEST_BOUND
    # The level of a family is 5 % of honest regions; two standard errors of 200 regions are 3 %.
    assert all(many / SEEDS <= 0.08 for many in hit.values()), hit


@pytest.mark.parametrize("seed", [1, 3])
def test_a_large_honest_region_has_no_crowd_of_signs(seed):
    # In these two a tenth of 300 schools has one pupil each whose marks are far apart: a spread taken
    # without that tenth must not make the rare thing impossible for the others.
    region = honest(seed, MAT5, schools=300)
    later = next_year(region, RUS5, seed + 10_000)

    signs = [sign for one in questions(region, later) for sign in controlled([one], SETTINGS)]

    assert len(signs) <= 1


def test_without_the_control_honest_schools_would_be_named_in_every_region():
    _asked, bare, false, *_ = honest_regions()

    assert sum(bare.values()) > 20 * max(1, sum(false.values()))
    assert sum(bare.values()) / SEEDS > 1


def planted(detector: str, n: int, *, regions: int = 8, each: int = 4) -> float:
    """Measure the share of planted schools of n pupils that are found."""
    found = 0
    for seed in range(regions):
        work = (RUS4, MAT5)[seed % 2]
        region = honest(seed, work, schools=100)
        for place in range(each):
            school = honest(5000 + seed * 10 + place, work, schools=1, n=n)
            for name in ("scores", "journals", "abilities"):
                getattr(region, name)[place] = getattr(school, name)[0]
        later = next_year(region, RUS5, seed + 10_000)
        change = lifted if detector == "border_peak" else told
        asked = questions(change(region, range(each), seed=seed), later)
        question = next(one for one in asked if one.detector == detector)
        found += sum(sign.school_id <= each for sign in controlled([question], SETTINGS))
    return found / (regions * each)


@functools.cache
def power():
    detectors = ("border_peak", "journal_marks", "procedure_mismatch", "over_easy")
    return {(name, n): planted(name, n) for name in detectors for n in (50, 100, 200)}


def test_planted_manipulation_is_found_as_often_as_stated():
    measured = power()

    assert {key: measured[key] for key, least in POWER.items() if measured[key] < least} == {}
    # More pupils, more certainty.
    assert measured["border_peak", 200] > measured["border_peak", 50]


def test_the_table_of_false_alarms_and_power_is_written():
    asked, bare, false, hit, flagged, schools = honest_regions()
    measured = power()
    lines = [
        "# Детекторы объективности: ложные срабатывания и мощность",
        "",
        (f"Честные регионы: {SEEDS}, школ {schools} (12–160 учеников; школы различаются уровнем, разбросом и "
        "строгостью журнала). Настройки по умолчанию: уровень 0,05, Бенджамини — Хохберг."),
        "",
        "| детектор | школ спрошено | p ≤ 0,05 без контроля | ложных признаков | регионов с ложным |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {asked[name]} | {bare[name]} | {false[name]} | {hit[name]} из {SEEDS} |"
            for name in asked
        ),
        "",
        (f"Честных школ хотя бы с одним ложным признаком: {flagged} из {schools} "
        f"({100 * flagged / schools:.3f} %); граница теста {100 * HONEST_BOUND:.1f} %."),
        "",
        ("Подложено: border_peak — учитель поднимает до границы 40 % учеников, которым не хватило до трёх "
        "баллов; остальные — ученикам подсказаны ответы (верно около 93 % заданий). В регионе из 100 школ "
        "таких 4. Найдено из подложенных, один предмет одной процедуры:"),
        "",
        "| детектор | n = 50 | n = 100 | n = 200 |",
        "|---|---|---|---|",
        *(
            f"| {name} | " + " | ".join(f"{100 * measured[name, n]:.0f} %" for n in (50, 100, 200)) + " |"
            for name in ("border_peak", "journal_marks", "procedure_mismatch", "over_easy")
        ),
        "",
        "Данные синтетические: они показывают арифметику и контроль, а не долю необъективных школ.",
        "",
    ]  # fmt: skip

    reports.write("objectivity-detectors.md", "\n".join(lines))

    assert len(asked) == 4


# Rules of sample size ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "sample"), [(19, None), (20, Sample.LIMITED), (49, Sample.LIMITED), (50, Sample.FULL)]
)
def test_what_the_number_of_pupils_allows(n, sample):
    region = honest(1, RUS4, schools=30, n=60)
    region.scores[0] = region.scores[0][:n]
    region.journals[0] = region.journals[0][:n]

    for question in questions(region, next_year(honest(1, RUS4, schools=30, n=60), RUS5, 2)):
        found = {answer.school_id: answer.sample for answer in question.answers}
        assert found.get(1) is sample, question.detector
        assert (1 in question.too_few) is (sample is None), question.detector


def test_a_question_that_cannot_be_asked_says_why():
    region = honest(1, RUS4, schools=30)
    subject = region.subject()
    few = honest(1, RUS4, schools=9, n=60)
    silent = replace(subject, cells={s: replace(c, marks={}) for s, c in subject.cells.items()})
    same = Region(RUS4, [np.full(30, 20)] * 12, [np.full(30, 4)] * 12)

    assert (
        ask_border_peak(replace(subject, score_kind="test100"), SETTINGS).reason
        is Reason.NOT_PRIMARY
    )
    assert ask_border_peak(replace(subject, borders=()), SETTINGS).reason is Reason.NO_BORDERS
    assert ask_journal_marks(silent, SETTINGS).reason is Reason.NO_JOURNAL_MARKS
    assert ask_mismatch(None, region.measured(2, 2025), SETTINGS).reason is Reason.NO_EARLIER
    assert ask_over_easy(same.subject(), SETTINGS).reason is Reason.NO_SPREAD
    assert {q.reason for q in questions(few, few)} == {Reason.TOO_FEW_SCHOOLS}


# What a sign says -------------------------------------------------------------------------------


def test_a_residual_below_the_line_speaks_of_the_earlier_procedure():
    region = honest(3, RUS4, schools=80, n=100)
    later = next_year(region, RUS5, 99)
    question = ask_mismatch(told(region, [0]).measured(1, 2024), later.measured(2, 2025), SETTINGS)

    (sign,) = controlled([question], SETTINGS)

    assert sign.school_id == 1
    assert sign.detector is Detector.PROCEDURE_MISMATCH
    assert Decimal(sign.evidence.z) < -2
    assert Decimal(sign.evidence.residual) < 0
    assert sign.evidence.earlier.n == sign.evidence.later.n == 100


def test_an_over_easy_school_is_high_and_even_and_a_strong_school_alone_is_not():
    region = honest(4, RUS4, schools=80, n=80)
    strong = replace(region, scores=[s.copy() for s in region.scores])
    strong.scores[0] = np.clip(strong.scores[0] + 8, 0, 38)

    easy = controlled([ask_over_easy(told(region, [0]).subject(), SETTINGS)], SETTINGS)
    honest_one = controlled([ask_over_easy(strong.subject(), SETTINGS)], SETTINGS)

    assert [sign.school_id for sign in easy] == [1]
    assert Decimal(easy[0].evidence.mean) > Decimal(easy[0].evidence.others_mean)
    assert honest_one == []


def test_marks_far_from_the_journal_are_told_with_both_shares():
    region = honest(5, RUS4, schools=80, n=80)
    region.journals[0] = np.full(80, 3)
    region.scores[0] = np.clip(region.scores[0] + 12, 0, 38)

    (sign,) = controlled([ask_journal_marks(region.subject(), SETTINGS)], SETTINGS)

    marks = region.marks(region.scores[0])
    assert sign.school_id == 1
    assert sign.evidence.compared == 80
    assert sign.evidence.raised == int((marks > 3).sum())
    assert sign.evidence.apart == int((abs(marks - 3) >= 2).sum())


def test_the_answers_do_not_depend_on_the_order_of_schools_or_scores():
    region = lifted(honest(6, RUS4, schools=40), [0, 1])
    subject = region.subject()
    names = list(subject.cells)
    random.Random(1).shuffle(names)
    mixed = replace(
        subject,
        cells={
            name: replace(
                subject.cells[name],
                scores=dict(reversed(subject.cells[name].scores.items())),
                marks=dict(reversed(subject.cells[name].marks.items())),
            )
            for name in names
        },
    )

    for ask in (ask_border_peak, ask_journal_marks, ask_over_easy):
        assert ask(subject, SETTINGS) == ask(mixed, SETTINGS)


def test_ids_of_schools_change_nothing_but_the_names():
    region = lifted(honest(7, RUS4, schools=40), [0, 1])
    subject = region.subject()
    renamed = replace(subject, cells={1000 - s: cell for s, cell in subject.cells.items()})

    for ask in (ask_border_peak, ask_journal_marks, ask_over_easy):
        one = {a.school_id: (a.p, a.evidence) for a in ask(subject, SETTINGS).answers}
        other = {1000 - a.school_id: (a.p, a.evidence) for a in ask(renamed, SETTINGS).answers}
        assert one == other
