"""The intake child reads one piece ahead."""

import threading

import pytest

from services.indicators.results.intake.ahead import ahead


def test_items_come_in_order_and_the_end_is_seen():
    assert list(ahead(iter(range(1, 6)))) == [1, 2, 3, 4, 5]


def test_the_next_item_is_read_while_the_last_one_is_worked_on():
    read = threading.Event()

    def items():
        yield "first"
        read.set()
        yield "second"

    reading = ahead(items())
    assert next(reading) == "first"
    assert read.wait(10)


def test_what_reading_raises_comes_after_the_items_before_it():
    def items():
        yield "first"
        raise ValueError("broken")

    reading = ahead(items())
    assert next(reading) == "first"
    with pytest.raises(ValueError, match="broken"):
        next(reading)


def test_stopping_early_does_not_wait_for_bytes_that_never_come():
    stalled = threading.Event()

    def items():
        yield "first"
        stalled.wait(60)
        yield "second"

    reading = ahead(items())
    next(reading)
    stopped = threading.Thread(target=reading.close)
    stopped.start()
    stopped.join(5)
    has_stopped = not stopped.is_alive()
    stalled.set()

    assert has_stopped
