"""Groups of schools, against the definitions taken word by word."""

import random
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.indicators.algebra.clusters import Member, clustered


def school(key, *values, features=()):
    return Member(key, values, tuple(None if f is None else Decimal(f) for f in features))


def test_schools_with_the_same_values_lie_together_and_small_groups_are_others():
    members = [
        school("1", "rural", "low"),
        school("2", "rural", "low"),
        school("3", "urban", "low"),
        school("4", "rural", "low"),
        school("5", "urban", "both"),
    ]

    found = clustered(members, at_least=2)

    assert [(c.values, [m.key for m in c.members]) for c in found.clusters] == [
        (("rural", "low"), ["1", "2", "4"]),
        (None, ["3", "5"]),
    ]


def test_a_school_whose_value_is_not_known_is_in_no_group_and_said_so():
    found = clustered([school("1", "rural", None), school("2", None, None)], at_least=1)

    assert found.clusters == ()
    assert found.excluded == {"1": (1,), "2": (0, 1)}


def test_the_medoid_lies_in_the_middle_of_its_group():
    members = [
        school(str(n), "rural", features=(size, index))
        for n, size, index in ((1, 10, 50), (2, 30, 52), (3, 31, 53), (4, 90, 54), (5, 900, 70))
    ]

    (found,) = clustered(members, at_least=1).clusters

    assert found.medoid == "3"
    assert found.spreads[0] is not None
    assert (found.spreads[0].least, found.spreads[0].middle, found.spreads[0].greatest) == (
        10,
        31,
        900,
    )


def test_a_school_without_a_measure_is_no_medoid_but_a_member():
    members = [school("1", "a", features=(None,)), school("2", "a", features=(5,))]

    (found,) = clustered(members, at_least=1).clusters

    assert found.medoid is None
    assert len(found.members) == 2
    assert found.spreads[0] is not None
    assert found.spreads[0].known == 1


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["rural", "urban", None]),
            st.sampled_from(["low", "both", "none", None]),
            st.none() | st.integers(0, 30),
            st.none() | st.integers(0, 30),
        ),
        max_size=30,
    ),
    at_least=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_groups_and_medoids_are_those_of_the_definitions(rows, at_least, seed):
    members = [school(f"{n:03}", *row[:2], features=row[2:]) for n, row in enumerate(rows)]

    found = clustered(random.Random(seed).sample(members, len(members)), at_least=at_least)

    assert found == clustered(members, at_least=at_least)
    sizes = Counter(m.values for m in members if None not in m.values)
    assert {c.values: len(c.members) for c in found.clusters if c.values} == {
        values: many for values, many in sizes.items() if many >= at_least
    }
    in_groups = sum(len(c.members) for c in found.clusters)
    assert in_groups + len(found.excluded) == len(members)
    for cluster in found.clusters:
        complete = [m for m in cluster.members if None not in m.features]
        if len(complete) < 2:
            assert cluster.medoid is None
            continue
        scales = [sorted({m.features[i] for m in complete}) for i in (0, 1)]

        def distance(one, other, scales=scales):
            return sum(
                abs(scale.index(one.features[i]) - scale.index(other.features[i]))
                for i, scale in enumerate(scales)
            )

        totals = {m.key: sum(distance(m, other) for other in complete) for m in complete}
        assert cluster.medoid == min(totals, key=lambda key: (totals[key], key))


@pytest.mark.parametrize("at_least", [1, 3])
def test_nobody_makes_no_group(at_least):
    assert clustered([], at_least=at_least).clusters == ()
