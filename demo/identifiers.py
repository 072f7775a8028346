"""ИНН, ОГРН and ОКТМО with their check digits, for whole columns of schools at once.

Source: methodology B7. The registry checks the same rules with code of its own.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["inns", "ogrns", "oktmos"]

Integers = npt.NDArray[np.int64]

_INN_WEIGHTS = (2, 4, 10, 3, 5, 9, 4, 6, 8)


def inns(region: str, serials: Integers) -> list[str]:
    """Return ИНН of organisations: region, inspection 00, five digits, check digit."""
    numbers = int(region) * 10_000_000 + serials % 100_000
    sums = _digits(numbers, 9) @ np.array(_INN_WEIGHTS)
    return [f"{number:010d}" for number in numbers * 10 + sums % 11 % 10]


def ogrns(region: str, serials: Integers) -> list[str]:
    """Return ОГРН: registered in 2002, region, inspection 00, five digits, check digit."""
    numbers = (1_02_00 + int(region)) * 10_000_000 + serials % 100_000
    return [f"{number:013d}" for number in numbers * 10 + numbers % 11 % 10]


def oktmos(codes: Integers, *, digits: int) -> list[str]:
    """Return classifier codes of 8 or 11 digits with their контрольное число appended.

    A remainder of 10 is computed again with weights from 3; a second 10 gives 0.
    """
    columns = _digits(codes, digits)
    first = columns @ (np.arange(digits) % 10 + 1) % 11
    second = columns @ ((np.arange(digits) + 2) % 10 + 1) % 11
    checks = np.where(first < 10, first, second % 10)
    return [f"{number:0{digits + 1}d}" for number in codes * 10 + checks]


def _digits(numbers: Integers, width: int) -> Integers:
    """Return one row of digits per number, the most significant first."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    digits: Integers = numbers[:, None] // powers % 10
    return digits
