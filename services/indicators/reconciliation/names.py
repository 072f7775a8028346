"""Names of municipalities as documents print them, beside the names the region has.

Documents decline names and shorten them: "Грязовецкого района", "г. Череповца".
"""

import re
from collections.abc import Sequence
from difflib import get_close_matches

__all__ = ["is_known", "nearest", "stem"]

_SERVICE = re.compile(
    r"(?<![\w-])(муниципальн\w+|городск\w+|район\w*|округ\w*|р-н|города?|гор|г|мр|го|мо|образовани\w+)"
    r"\.?(?![\w-])"
)
_TOWN = re.compile(r"(г\.|г |гор\.|города? )")
_ADJECTIVE = re.compile(r"(ий|ый|ой|ого)$")
_ENDING = re.compile(r"(ого|ому|ом|ий|ый|ой|ец|ца|цу|це|а|у|е|ы|и)$")


def stem(name: str) -> str:
    """Give what a printed name and a full name have in common: lower case, no service words, no ending.

    A town keeps a mark: "г. Смоленск" and "Смоленский" are two municipalities.
    """
    plain = name.casefold().replace("ё", "е").strip('«»" ')
    left = " ".join(_SERVICE.sub(" ", plain).replace(".", " ").split())
    mark = "г " if _TOWN.match(plain) or not _ADJECTIVE.search(left) else ""
    return mark + _ENDING.sub("", left)


def is_known(name: str, known: Sequence[str]) -> bool:
    """Say whether one of the known names is meant."""
    return stem(name) in {stem(one) for one in known}


def nearest(name: str, known: Sequence[str]) -> str | None:
    """Find the known name that is written most like this one, or None."""
    by_stem = {stem(one): one for one in sorted(known)}
    found = get_close_matches(stem(name), by_stem, n=1, cutoff=0.7)
    return by_stem[found[0]] if found else None
