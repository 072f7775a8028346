"""Names of schools and people that do not exist, in the form in which real ones are written."""

import json
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from demo.presets import Preset

__all__ = ["school_names", "words"]

_KINDS = {
    "nosh": "начальная школа",
    "oosh": "основная школа",
    "sosh": "средняя школа",
    "gymnasium": "гимназия",
    "lyceum": "лицей",
    "advanced": "средняя школа с углублённым изучением отдельных предметов",
    "evening": "вечерняя (сменная) школа",
    "correctional": "школа-интернат для обучающихся с ОВЗ",
}


@cache
def words() -> dict[str, Any]:
    """Return the words of which names are put together: surnames, boys, girls, patronymics, villages."""
    text = (files("demo") / "data" / "names.json").read_text(encoding="utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


def school_names(
    chosen: Preset,
    place: npt.NDArray[np.int64],
    kind: npt.NDArray[np.str_],
    is_rural: npt.NDArray[np.bool_],
) -> list[str]:
    """Name every school: urban ones by number, rural ones by a village; no name twice in a place."""
    numbers: Counter[tuple[int, str]] = Counter()
    villages = words()["villages"]
    names = []
    for index, (where, what, rural) in enumerate(
        zip(place.tolist(), kind.tolist(), is_rural.tolist(), strict=True)
    ):
        title, village = _KINDS[what], villages[(index * 17 + where * 5) % len(villages)]
        stem = f"{village} {title}" if rural else title.capitalize()
        numbers[where, stem] += 1
        number = numbers[where, stem]
        numbered = f"{stem} № {number}" if number > 1 or not rural else stem
        names.append(f"МБОУ «{numbered}», {chosen.places[where].name}")
    return names
