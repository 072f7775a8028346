"""What a change does to the list, added up: in all, by municipality, by kind of school, beside other lists."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from services.indicators.algebra.agreement import Agreement, agreement
from services.indicators.algebra.certainty import Certainty
from services.indicators.algebra.shares import round_half_up
from services.indicators.identification.answering.judging import Booleans
from services.indicators.identification.answering.outcomes import CHANGED, ENTERED, LEFT
from services.indicators.identification.freezing.inputs import Inputs, SchoolFacts
from services.indicators.identification.listing import alphabetical
from services.indicators.scenarios.computing import Computed
from services.indicators.scenarios.schemas import (
    AgreementOut,
    BorderlineOut,
    EffectOut,
    GroupEffectOut,
    MunicipalityEffectOut,
    PupilsOut,
)

__all__ = ["Card", "PublishedList", "agreement_out", "effect_of"]

PLACES = 3
WITHIN = (Certainty.POSSIBLE, Certainty.NOT_EXCLUDED)


@dataclass(frozen=True, slots=True)
class Card:
    """What the card of a school says today of where and how big it is; None: nobody has said."""

    is_rural: bool | None
    is_small: bool | None


@dataclass(frozen=True, slots=True)
class PublishedList:
    """A published list: its run, its year, the schools of the run, those that are listed."""

    run_id: int
    year: int
    schools: AbstractSet[int]
    listed: AbstractSet[int]


@dataclass(frozen=True, slots=True)
class _Masks:
    listed_before: Booleans
    listed_after: Booleans
    entered: Booleans
    left: Booleans

    def within(self, chosen: Booleans) -> dict[str, int]:
        return {
            "schools": int(chosen.sum()),
            "listed_before": int((self.listed_before & chosen).sum()),
            "listed_after": int((self.listed_after & chosen).sum()),
            "entered": int((self.entered & chosen).sum()),
            "left": int((self.left & chosen).sum()),
        }


def effect_of(
    inputs: Inputs,
    computed: Computed,
    *,
    run_id: int,
    cards: Mapping[int, Card],
    last_year: PublishedList | None,
) -> EffectOut:
    """Add up what the change does.

    Args:
        inputs: The frozen inputs, for the schools in their order.
        computed: The answers before and after.
        run_id: The run, whose own list is the first to be compared with.
        cards: By school id: locality and size, as the registry tells today.
        last_year: The list published for the year before, if there is one.
    """
    masks = _Masks(
        listed_before=computed.before.is_listed,
        listed_after=computed.after.is_listed,
        entered=computed.changes == ENTERED,
        left=computed.changes == LEFT,
    )
    everybody = np.ones(len(inputs.schools), dtype=np.bool_)
    whole = masks.within(everybody)
    known, before, after = (
        _ids(inputs, mask) for mask in (everybody, masks.listed_before, masks.listed_after)
    )
    with_run = agreement_out("run", run_id, inputs.year, agreement(known, after, before))
    return EffectOut(
        **whole,
        changed=int((computed.changes == CHANGED).sum()),
        by_category_before=_counted(computed.before.category),
        by_category_after=_counted(computed.after.category),
        municipalities=_municipalities(inputs.schools, masks),
        groups=_groups(inputs.schools, cards, masks),
        borderline=BorderlineOut(
            lost_by_one=int(computed.borders.lost_by_one_fewer.sum()),
            gained_by_one=int(computed.borders.gained_by_one_more.sum()),
            within_interval=int(np.isin(computed.after.certainty, WITHIN).sum()),
        ),
        pupils=_pupils(computed, masks),
        agreement=[with_run, *_with_last_year(known, after, last_year)],
        last_year=None
        if last_year is not None
        else f"Опубликованного списка за {inputs.year - 1} год нет",
    )


def agreement_out(compared_with: Any, number: int, year: int, found: Agreement) -> AgreementOut:
    """Give the agreement of two lists as it travels: exact, and rounded half up."""
    return AgreementOut(
        compared_with=compared_with,
        id=number,
        year=year,
        n=found.n,
        both=found.both,
        here_only=found.first_only,
        there_only=found.second_only,
        kappa=_exact(found.kappa),
        kappa_rounded=None if found.kappa is None else round_half_up(found.kappa, PLACES),
        jaccard=_exact(found.jaccard),
        jaccard_rounded=None if found.jaccard is None else round_half_up(found.jaccard, PLACES),
    )


def _exact(value: Fraction | None) -> str | None:
    return None if value is None else str(value)


def _ids(inputs: Inputs, chosen: Booleans) -> set[int]:
    return {inputs.schools[place].school_id for place in np.flatnonzero(chosen)}


def _counted(categories: Iterable[str | None]) -> dict[str, int]:
    return dict(sorted(Counter(code for code in categories if code is not None).items()))


def _with_last_year(
    known: AbstractSet[int], after: AbstractSet[int], last_year: PublishedList | None
) -> list[AgreementOut]:
    if last_year is None:
        return []
    found = agreement(known & last_year.schools, after, last_year.listed)
    return [agreement_out("published", last_year.run_id, last_year.year, found)]


def _municipalities(schools: Sequence[SchoolFacts], masks: _Masks) -> list[MunicipalityEffectOut]:
    ids = np.array([school.municipality_id for school in schools], dtype=np.int64)
    names = {school.municipality_id: school.municipality_name for school in schools}
    return [
        MunicipalityEffectOut(municipality_id=number, name=name, **masks.within(ids == number))
        for number, name in sorted(names.items(), key=lambda one: (*alphabetical(one[1]), one[0]))
    ]


def _groups(
    schools: Sequence[SchoolFacts], cards: Mapping[int, Card], masks: _Masks
) -> list[GroupEffectOut]:
    unknown = Card(None, None)
    ways: tuple[tuple[Any, Callable[[SchoolFacts, Card], str | None]], ...] = (
        ("kind", lambda school, _: school.kind),
        ("locality", lambda _, card: _word(card.is_rural, "rural", "urban")),
        ("size", lambda _, card: _word(card.is_small, "small", "other")),
    )
    return [
        GroupEffectOut(by=by, value=value, **masks.within(chosen))
        for by, told in ways
        for value, chosen in _parted(
            [told(school, cards.get(school.school_id, unknown)) for school in schools]
        )
    ]


def _word(value: bool | None, yes: str, no: str) -> str | None:
    return None if value is None else yes if value else no


def _parted(values: Sequence[str | None]) -> list[tuple[str | None, Booleans]]:
    known = sorted(set(values), key=lambda value: (value is None, value or ""))
    return [
        (value, np.fromiter((one == value for one in values), np.bool_, len(values)))
        for value in known
    ]


def _pupils(computed: Computed, masks: _Masks) -> PupilsOut:
    people = computed.participants
    touched = masks.listed_before | masks.listed_after
    return PupilsOut(
        listed_before=int(people[masks.listed_before].sum()),
        listed_after=int(people[masks.listed_after].sum()),
        entered=int(people[masks.entered].sum()),
        left=int(people[masks.left].sum()),
        schools_unknown=int((touched & (people == 0)).sum()),
    )
