"""A synthetic region: the same schools for the same preset and seed, on every machine.

Sizes follow the printed figures of the preset, most rural schools are small, and every school has a social
context on which its results will depend (`results`). None of the schools exists.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from demo.identifiers import inns, ogrns, oktmos
from demo.naming import school_names
from demo.presets import Group, Preset, invented, preset

__all__ = ["STAGES", "Region", "Role", "Schools", "country", "region"]

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.str_]

KINDS = {
    (True, True): (("nosh", 0.12), ("oosh", 0.58), ("sosh", 0.30)),
    (True, False): (("oosh", 0.33), ("sosh", 0.66), ("correctional", 0.01)),
    (False, False): (
        ("sosh", 0.74),
        ("gymnasium", 0.10),
        ("lyceum", 0.07),
        ("advanced", 0.04),
        ("evening", 0.02),
        ("correctional", 0.03),
    ),
}
"""Kinds of schools with their shares, by (is rural, is small). Design of the demonstration."""

STAGES = {
    "nosh": ("noo",),
    "oosh": ("noo", "ooo"),
    "sosh": ("noo", "ooo", "soo"),
    "gymnasium": ("noo", "ooo", "soo"),
    "lyceum": ("noo", "ooo", "soo"),
    "advanced": ("noo", "ooo", "soo"),
    "evening": ("ooo", "soo"),
    "correctional": ("noo", "ooo"),
}
"""What a kind of school teaches."""

COHORT = 115
"""Pupils of a school with about a dozen in grade 9: the smallest that is arranged to have low results."""


class Role(IntEnum):
    """What identification must find a school to be, where the preset lays it down."""

    NONE = 0
    NRO = 1
    FNSU = 2
    BOTH = 3


@dataclass(frozen=True)
class Schools:
    """The schools of a region, one entry each, in the order of their codes."""

    place: Integers
    """Position of the municipality."""
    code: list[str]
    name: list[str]
    kind: Texts
    is_rural: Booleans
    is_small: Booleans
    pupils: Integers
    context: Floats
    """Social context: 0 is the mean of the region, 1 a standard deviation better off."""
    role: Integers
    inflates: Booleans
    """Marks just below a border are found just above it."""
    inn: list[str]
    ogrn: list[str]
    oktmo: list[str]
    latitude: Floats
    longitude: Floats

    def __len__(self) -> int:
        """Return how many schools there are."""
        return len(self.code)

    def teaches(self, stage: str) -> Booleans:
        """Tell which schools teach a stage (noo, ooo, soo)."""
        return np.isin(self.kind, [kind for kind, stages in STAGES.items() if stage in stages])


@dataclass(frozen=True)
class Region:
    """A region with its schools; results are made from it procedure by procedure."""

    preset: Preset
    seed: int
    municipality_code: list[str]
    municipality_oktmo: list[str]
    schools: Schools

    def random(self, *purpose: int) -> np.random.Generator:
        """Return the source of chance for one purpose, independent of all others."""
        return np.random.default_rng([self.seed, int(self.preset.code), *purpose])


def region(of: Preset | str, *, seed: int = 1) -> Region:
    """Make a region from a preset or its name."""
    chosen = preset(of) if isinstance(of, str) else of
    made = np.random.default_rng([seed, int(chosen.code), 0])
    codes = [str(101 + index) for index in range(len(chosen.places))]
    # Districts are 66603000, 66605000, ...: the classifier leaves room between them.
    territory = int(chosen.oktmo) * 1_000_000 + 600_000 + np.arange(len(codes)) * 1000 + 3000
    return Region(
        preset=chosen,
        seed=seed,
        municipality_code=codes,
        municipality_oktmo=oktmos(territory, digits=8),
        schools=_schools(chosen, codes, territory, made),
    )


def country(*, seed: int = 1, schools: int = 40_000, regions: int = 85) -> Iterator[Region]:
    """Make a whole country region by region; only one is held at a time."""
    for index in range(regions):
        many = schools * (index + 1) // regions - schools * index // regions
        described = invented(str(101 + index), schools=many, municipalities=max(1, many // 14))
        yield region(described, seed=seed)


def _schools(
    chosen: Preset, codes: list[str], territory: Integers, made: np.random.Generator
) -> Schools:
    place, is_rural, role = _slots(chosen, made)
    pupils, is_small = _sizes(chosen, is_rural, role, made)
    kind = _kinds(chosen, is_rural, is_small, role, made)
    many = len(place)
    number = np.arange(many) - np.searchsorted(place, place) + 1
    context = made.normal(size=many) - 0.35 * is_rural - np.array([0.0, 0.8, 1.3, 1.6])[role]
    spread = made.normal(scale=(0.4, 0.8), size=(len(codes), 2))[place]
    spread += made.normal(scale=0.06, size=(many, 2))
    serials = 10_000 + (np.arange(many) * 7919 + int(made.integers(89_000))) % 89_989
    return Schools(
        place=place,
        code=[f"{codes[where]}{which:03d}" for where, which in zip(place, number, strict=True)],
        name=school_names(chosen, place, kind, is_rural),
        kind=kind,
        is_rural=is_rural,
        is_small=is_small,
        pupils=pupils,
        context=context,
        role=role,
        inflates=made.random(many) < 0.04,
        inn=inns(chosen.code[-2:], serials),
        ogrn=ogrns(chosen.code[-2:], serials),
        oktmo=oktmos(territory[place] * 1000 + 400_000 + number % 100 * 3, digits=11),
        latitude=np.round(chosen.latitude + spread[:, 0], 5),
        longitude=np.round(chosen.longitude + spread[:, 1], 5),
    )


def _slots(chosen: Preset, made: np.random.Generator) -> tuple[Integers, Booleans, Integers]:
    """Lay out the schools of each municipality: urban ones first, those to be identified anywhere."""
    place, rural, role = [], [], []
    for index, where in enumerate(chosen.places):
        outside = where.schools - where.urban
        place += [index] * where.schools
        rural += [False] * where.urban + [True] * outside
        of_urban = [Role.NRO] * where.urban_nro + [Role.FNSU] * where.urban_fnsu
        of_rural = [Role.NRO] * (where.nro - where.urban_nro)
        of_rural += [Role.FNSU] * (where.fnsu - where.urban_fnsu) + [Role.BOTH] * where.both
        for many, found in ((where.urban, of_urban), (outside, of_rural)):
            role += made.permutation(found + [Role.NONE] * (many - len(found))).tolist()
    return np.array(place), np.array(rural), np.array(role, dtype=np.int64)


def _sizes(
    chosen: Preset, is_rural: Booleans, role: Integers, made: np.random.Generator
) -> tuple[Integers, Booleans]:
    """Give out the sizes of each group; a school to be found low is large enough to be judged."""
    pupils = np.zeros(len(role), dtype=np.int64)
    is_small = np.zeros(len(role), dtype=np.bool_)
    for rural in (True, False):
        groups = [group for group in chosen.groups if group.is_rural is rural and group.schools]
        if not groups:
            continue
        sizes = np.concatenate([_group_sizes(group, made) for group in groups])
        small = np.repeat([group.is_small for group in groups], [g.schools for g in groups])
        slots = np.flatnonzero(is_rural == rural)
        slots = slots[np.argsort(~np.isin(role[slots], (Role.NRO, Role.BOTH)), kind="stable")]
        lows = int(np.isin(role[slots], (Role.NRO, Role.BOTH)).sum())
        order = made.permutation(len(sizes))
        fit = order[sizes[order] >= COHORT][:lows]
        order = np.concatenate([fit, np.setdiff1d(order, fit, assume_unique=True)])
        order[len(fit) :] = made.permutation(order[len(fit) :])
        pupils[slots], is_small[slots] = sizes[order], small[order]
    return pupils, is_small


def _group_sizes(group: Group, made: np.random.Generator) -> Integers:
    """Draw sizes within the bounds that add up to the group's pupils exactly.

    Raises:
        ValueError: No sizes within the bounds can.
    """
    if not group.smallest * group.schools <= group.pupils <= group.largest * group.schools:
        message = f"{group.pupils} pupils do not fit into {group.schools} schools"
        raise ValueError(message)
    drawn = made.lognormal(sigma=0.55, size=group.schools)
    scaled = np.rint(drawn * (group.pupils / drawn.sum())).astype(np.int64)
    sizes: Integers = scaled.clip(group.smallest, group.largest)
    while missing := group.pupils - int(sizes.sum()):
        step, limit = (1, group.largest) if missing > 0 else (-1, group.smallest)
        movable = np.flatnonzero(sizes != limit)
        sizes[made.permutation(movable)[: abs(missing)]] += step
    return sizes


def _kinds(
    chosen: Preset,
    is_rural: Booleans,
    is_small: Booleans,
    role: Integers,
    made: np.random.Generator,
) -> Texts:
    kind = np.full(len(role), "", dtype="<U12")
    for (rural, small), shares in KINDS.items():
        slots = np.flatnonzero((is_rural == rural) & (is_small == small))
        kind[slots] = made.choice([k for k, _ in shares], size=len(slots), p=[p for _, p in shares])
    identified = np.flatnonzero(role != Role.NONE)
    kind[identified] = "sosh"
    basic = made.permutation(identified[is_rural[identified]])[: chosen.basic_identified]
    kind[basic] = "oosh"
    return kind
