"""A date in a request: written as a date, nothing else."""

from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator

__all__ = ["Day"]


def _written(value: Any) -> Any:
    # Pydantic would take 0 for 1 January 1970; a school opened on that day would be a slip.
    if isinstance(value, int | float):
        message = "Ожидается дата вида ГГГГ-ММ-ДД"
        raise ValueError(message)  # noqa: TRY004  pydantic turns ValueError into its own error
    return value


Day = Annotated[date, BeforeValidator(_written)]
