"""What a region is made of before any school exists: its municipalities and its sizes of schools.

The presets are data (`data/`), with the figures printed in the reports of three regions; a region of
any other size is scaled from the same shares.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

__all__ = ["PRESETS", "Group", "Place", "Preset", "invented", "preset"]

PRESETS = ("vologda", "smolensk", "stavropol")


@dataclass(frozen=True, slots=True)
class Place:
    """A municipality: how many schools, and how many of them must be found by identification.

    `nro`, `fnsu` and `both` are exclusive, as in Smolensk's Table 5; of the first two some are urban.
    """

    name: str
    kind: str
    schools: int
    urban: int
    nro: int = 0
    fnsu: int = 0
    both: int = 0
    urban_nro: int = 0
    urban_fnsu: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """So many schools of one sort with so many pupils in all; sizes lie between the two bounds."""

    schools: int
    pupils: int
    smallest: int
    largest: int
    is_rural: bool
    is_small: bool


@dataclass(frozen=True, slots=True)
class Preset:
    """A region to be made."""

    code: str
    name: str
    oktmo: str
    places: tuple[Place, ...]
    groups: tuple[Group, ...]
    latitude: float = 55.7
    longitude: float = 37.6
    basic_identified: int = 0
    """How many of the identified schools end with grade 9. Source: Smolensk, 38 основных."""

    @property
    def is_arranged(self) -> bool:
        """Tell whether the list of identification is laid down beforehand."""
        return any(place.nro + place.fnsu + place.both for place in self.places)


def preset(name: str) -> Preset:
    """Read a preset that ships with the demonstration.

    Raises:
        KeyError: There is none of this name.
    """
    folder = files("demo") / "data"
    described = json.loads((folder / "presets.json").read_text(encoding="utf-8"))[name]
    table = (folder / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    return Preset(
        code=described["code"],
        name=described["name"],
        oktmo=described["oktmo"],
        latitude=described["latitude"],
        longitude=described["longitude"],
        places=tuple(_place(row) for row in csv.DictReader(table, delimiter=";")),
        groups=tuple(Group(**group) for group in described["groups"]),
        basic_identified=described.get("basic_identified", 0),
    )


def _place(row: dict[str, str]) -> Place:
    counts = {name: int(value) for name, value in row.items() if name not in {"name", "kind"}}
    return Place(row["name"], row["kind"], **counts)


def invented(code: str, *, schools: int, municipalities: int, pupils: int | None = None) -> Preset:
    """Describe a region of any size with the shares of an average one.

    A quarter of the schools are small rural ones with 4 % of the pupils, 40 % other rural ones with
    20 %: between Vologda's and Smolensk's figures (methodology A5, A6).

    Raises:
        ValueError: Fewer schools than municipalities.
    """
    if not 1 <= municipalities <= schools:
        message = "A municipality has at least one school"
        raise ValueError(message)
    pupils = pupils or 400 * schools
    small, rural, urban = _apportioned(schools, (25, 40, 35))
    of_small, of_rural, of_urban = _apportioned(pupils, (4, 20, 76))
    groups = (
        Group(
            small,
            of_small,
            5,
            max(100, 3 * of_small // max(small, 1)),
            is_rural=True,
            is_small=True,
        ),
        Group(
            rural,
            of_rural,
            30,
            max(900, 3 * of_rural // max(rural, 1)),
            is_rural=True,
            is_small=False,
        ),
        Group(
            urban,
            of_urban,
            60,
            max(2500, 3 * of_urban // max(urban, 1)),
            is_rural=False,
            is_small=False,
        ),
    )
    weights = [1 + (index * 7) % 5 for index in range(municipalities)]
    each = [1 + more for more in _apportioned(schools - municipalities, weights)]
    return Preset(
        code=code,
        name=f"Регион {code} (учебные данные)",
        oktmo=code[-2:],
        places=tuple(_numbered(index, many, urban) for index, (many, urban) in _urban(each, urban)),
        groups=groups,
    )


def _numbered(index: int, schools: int, urban: int) -> Place:
    kind = "city" if urban == schools else "okrug"
    return Place(f"Муниципальный округ № {index + 1}", kind, schools, urban)


def _urban(each: Sequence[int], urban: int) -> list[tuple[int, tuple[int, int]]]:
    """Fill municipalities with urban schools from the first on, as cities do."""
    filled = []
    for index, many in enumerate(each):
        taken = min(many, urban)
        urban -= taken
        filled.append((index, (many, taken)))
    return filled


def _apportioned(total: int, weights: Sequence[int]) -> list[int]:
    """Split a whole by weights; what rounding leaves over goes to the largest remainders."""
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(parts)), key=lambda i: -(total * weights[i] % whole))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts
