"""What a cell of a profile may hold: a value (a true zero is one), not applicable, not submitted.

Source: methodology B10, decision 10 (a school without grade 11 is not applicable, never 0); design 6.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

__all__ = ["MISSING", "State", "Value"]


class State(StrEnum):
    """How much is known of a cell. A true zero is a VALUE of 0, not a state of its own."""

    VALUE = "value"
    """There is a number, possibly zero."""
    NOT_APPLICABLE = "not_applicable"
    """The question does not concern the school."""
    NOT_SUBMITTED = "not_submitted"
    """Nobody has said anything; this is not zero and not "no"."""


@dataclass(frozen=True, slots=True)
class Value:
    """A cell: its state, and its number where there is one."""

    state: State
    value: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse a number that contradicts the state.

        Raises:
            ValueError: A value without a number, or a number without being a value.
        """
        if (self.state is State.VALUE) != (self.value is not None):
            raise ValueError("A number belongs to the state VALUE and to no other")


MISSING = Value(State.NOT_SUBMITTED)
"""What is known where nothing was ever written."""
