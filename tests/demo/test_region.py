"""The synthetic region: deterministic, of the printed sizes, with identifiers that the registry accepts."""

from collections import Counter

import numpy as np
import pytest

from demo.presets import PRESETS, invented, preset
from demo.region import STAGES, Role, country, region
from services.registry import identifiers
from services.registry.schools.schemas import SchoolKind, Stage

PRINTED = {
    # schools, municipalities, pupils, rural, small
    "vologda": (348, 28, 134_666, 209, 134),
    "smolensk": (360, 27, 98_000, 234, 89),
    "stavropol": (635, 33, 300_000, 339, 148),
}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_the_printed_sizes(name):
    made = region(name)

    schools = made.schools
    assert (
        len(schools),
        len(made.preset.places),
        schools.pupils.sum(),
        schools.is_rural.sum(),
        schools.is_small.sum(),
    ) == PRINTED[name]


def test_vologda_has_the_printed_small_schools_and_rural_pupils():
    schools = region("vologda").schools

    assert schools.pupils[schools.is_rural].sum() == 27_741
    assert schools.pupils[schools.is_small].sum() == 6468
    assert (schools.pupils < 40).sum() == 55


@pytest.mark.parametrize("name", PRESETS)
def test_the_same_seed_makes_the_same_schools_and_another_seed_others(name):
    first, again, other = region(name, seed=5), region(name, seed=5), region(name, seed=6)

    assert first.schools.name == again.schools.name
    np.testing.assert_array_equal(first.schools.pupils, again.schools.pupils)
    np.testing.assert_array_equal(first.schools.context, again.schools.context)
    assert not np.array_equal(first.schools.pupils, other.schools.pupils)


@pytest.mark.parametrize("name", PRESETS)
def test_the_registry_accepts_every_identifier(name):
    made = region(name)

    schools = made.schools
    for inn, ogrn, oktmo in zip(schools.inn, schools.ogrn, schools.oktmo, strict=True):
        assert identifiers.inn(inn) == inn
        assert identifiers.ogrn(ogrn) == ogrn
        assert identifiers.oktmo(oktmo) == oktmo[:-1]
        assert oktmo.startswith(made.preset.oktmo)
    for oktmo in made.municipality_oktmo:
        assert identifiers.oktmo(oktmo) == oktmo[:-1]


@pytest.mark.parametrize("name", PRESETS)
def test_codes_and_numbers_do_not_repeat(name):
    schools = region(name).schools

    for column in (schools.code, schools.inn, schools.ogrn, schools.name):
        assert [value for value, times in Counter(column).items() if times > 1] == []


def test_kinds_and_stages_are_those_of_the_registry():
    assert set(STAGES) <= {kind.value for kind in SchoolKind}
    assert {stage for stages in STAGES.values() for stage in stages} == {s.value for s in Stage}


def test_smolensk_lays_out_the_identified_schools_as_table_5_prints_them():
    made = region("smolensk")

    schools = made.schools
    found = Counter(zip(schools.place.tolist(), schools.role.tolist(), strict=True))
    for index, place in enumerate(made.preset.places):
        roles = tuple(found[index, role] for role in (Role.NRO, Role.FNSU, Role.BOTH))
        assert roles == (place.nro, place.fnsu, place.both)
    identified = schools.role != Role.NONE
    assert identified.sum() == 75
    assert (schools.kind[identified] == "oosh").sum() == 38
    assert schools.is_rural[identified].sum() == 63


def test_the_countrys_regions_add_up_and_have_codes_of_their_own():
    sizes, codes = [], []
    for made in country():
        sizes.append(len(made.schools))
        codes.append(made.preset.code)

    assert (sum(sizes), len(set(codes))) == (40_000, 85)


@pytest.mark.parametrize(("schools", "municipalities"), [(1, 1), (2, 1), (7, 7), (1500, 40)])
def test_a_region_of_any_size_can_be_made(schools, municipalities):
    made = region(invented("50", schools=schools, municipalities=municipalities))

    assert len(made.schools) == schools
    assert len(set(made.schools.place.tolist())) == municipalities


def test_fewer_schools_than_municipalities_are_refused():
    with pytest.raises(ValueError, match="at least one school"):
        invented("50", schools=2, municipalities=3)


def test_only_smolensk_has_its_list_laid_down():
    assert [name for name in PRESETS if preset(name).is_arranged] == ["smolensk"]
