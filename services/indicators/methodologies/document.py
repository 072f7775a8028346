"""A methodology: a document whose parts are well-formed and do not contradict each other.

The texts of the errors are read by the person who writes a methodology, hence in Russian.
"""

from typing import Self

from pydantic import model_validator

from services.indicators.methodologies.consistency import contradictions
from services.indicators.methodologies.text import MethodologyText, PermittedUse

__all__ = ["Methodology", "MethodologyText", "PermittedUse"]


class Methodology(MethodologyText):
    """One version of a methodology, complete and consistent."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if found := contradictions(self):
            raise ValueError("; ".join(one.text for one in found))
        return self
