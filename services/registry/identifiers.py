"""Check digits of the identifiers that Russian registers give to a school.

Each function returns the identifier in the form in which it is stored, or raises `ValueError` with
a sentence for the person who typed it. Source: methodology B7.
"""

from collections.abc import Sequence

__all__ = ["inn", "ogrn", "oktmo", "oktmo_check_digit"]

_INN_10 = (2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_11 = (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_12 = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)


def inn(text: str) -> str:
    """Check an ИНН of an organisation (10 digits) or of an entrepreneur (12 digits)."""
    digits = _digits(text, "ИНН")
    if len(digits) == 10:
        right = digits[9] == _weighted(digits, _INN_10) % 11 % 10
    elif len(digits) == 12:
        right = (
            digits[10] == _weighted(digits, _INN_11) % 11 % 10
            and digits[11] == _weighted(digits, _INN_12) % 11 % 10
        )
    else:
        message = f"ИНН состоит из 10 или 12 цифр, здесь {len(digits)}"
        raise ValueError(message)
    if not right:
        message = "Контрольная цифра ИНН не сходится: в номере опечатка"
        raise ValueError(message)
    return text


def ogrn(text: str) -> str:
    """Check an ОГРН (13 digits) or an ОГРНИП (15 digits)."""
    digits = _digits(text, "ОГРН")
    if len(digits) not in {13, 15}:
        message = f"ОГРН состоит из 13 цифр (ОГРНИП из 15), здесь {len(digits)}"
        raise ValueError(message)
    # The whole number without its last digit, modulo 11 (13 for ОГРНИП), last digit of that.
    if int(text[:-1]) % (len(digits) - 2) % 10 != digits[-1]:
        message = "Контрольная цифра ОГРН не сходится: в номере опечатка"
        raise ValueError(message)
    return text


def oktmo(text: str) -> str:
    """Check an ОКТМО of 8 or 11 digits; 9 or 12 digits carry the check digit, which is dropped.

    The code is used without its check digit everywhere, so a code without one can be checked by
    its length only.
    """
    digits = _digits(text, "ОКТМО")
    if len(digits) in {8, 11}:
        return text
    if len(digits) not in {9, 12}:
        message = f"ОКТМО состоит из 8 или 11 цифр, здесь {len(digits)}"
        raise ValueError(message)
    if oktmo_check_digit(text[:-1]) != digits[-1]:
        message = "Контрольное число ОКТМО не сходится: в коде опечатка"
        raise ValueError(message)
    return text[:-1]


def oktmo_check_digit(code: str) -> int:
    """Compute the контрольное число of a classifier code given without it.

    Weights 1 to 10, repeated; a remainder of 10 is computed again with weights from 3, and a
    second 10 gives 0.
    """
    digits = [int(character) for character in code]
    for start in (0, 2):
        weights = [(start + place) % 10 + 1 for place in range(len(digits))]
        remainder = _weighted(digits, weights) % 11
        if remainder < 10:
            return remainder
    return 0


def _digits(text: str, name: str) -> list[int]:
    # str.isdigit accepts superscripts and other scripts' digits, which int() then refuses or takes.
    if not (text.isascii() and text.isdigit()):
        message = f"{name} состоит только из цифр"
        raise ValueError(message)
    return [int(character) for character in text]


def _weighted(digits: Sequence[int], weights: Sequence[int]) -> int:
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False))
