"""Printed percents; the oracle goes through every count and formats it by Decimal."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.indicators.algebra.printed import (
    Printing,
    counts_printed_as,
    printing_of,
    read_percent,
)


def shown(count: int, total: int, places: int, rounding: str) -> Decimal:
    unit = Decimal(1).scaleb(-places)
    return (Decimal(count) * 100 / Decimal(total)).quantize(unit, rounding=rounding)


@pytest.mark.parametrize(
    ("count", "text", "how"),
    [
        (13, "20,6 %", Printing.ROUNDED),
        (9, "14,3%", Printing.ROUNDED),
        (4, "6,35", Printing.ROUNDED),
        (23, "42,8 %", None),
        (27, "42,8 %", Printing.TRUNCATED),
        (27, "42,9 %", Printing.ROUNDED),
        (3, "4,7 %", Printing.TRUNCATED),
        (63, "100 %", Printing.EXACT),
        (0, "0", Printing.EXACT),
    ],
)
def test_vologdas_percents_are_rounded_or_truncated_or_wrong(count, text, how):
    assert printing_of(count, 63, read_percent(text)) is how


def test_the_wrong_percent_of_vologda_implies_27():
    assert counts_printed_as(read_percent("42,8 %"), 63) == [27]
    assert counts_printed_as(read_percent("36,5 %"), 63) == [23]
    assert counts_printed_as(read_percent("42,7 %"), 63) == []


def test_a_percent_keeps_its_digits_and_its_sign():
    assert (read_percent("6,35").places, read_percent("6,35").has_sign) == (2, False)
    assert (read_percent("7\N{NO-BREAK SPACE}%").places, read_percent("7 %").has_sign) == (0, True)


@pytest.mark.parametrize("text", ["", "%", "семь", "-1 %", "1,2,3", "1e2", "6,", ",5"])
def test_what_is_no_percent_is_refused(text):
    with pytest.raises(ValueError, match="не процент"):
        read_percent(text)


@given(total=st.integers(1, 300), hundredths=st.integers(0, 100_00), places=st.integers(0, 2))
def test_the_implied_counts_are_those_that_print_so(total, hundredths, places):
    value = (Decimal(hundredths) / 100).quantize(Decimal(1).scaleb(-places))
    expected = [
        count
        for count in range(total + 1)
        if value in {shown(count, total, places, way) for way in (ROUND_HALF_UP, ROUND_DOWN)}
    ]

    assert counts_printed_as(read_percent(str(value)), total) == expected
