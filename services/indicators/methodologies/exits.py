"""The rule of leaving the list: years without low results, then years of watch.

Source: peers 36; no document gives the numbers, so both are settings of a region.
"""

from pydantic import Field

from services.indicators.methodologies.parts import Part

__all__ = ["ExitText"]


class ExitText(Part):
    """When a school leaves the list, and how long it is watched after that."""

    clear_years: int = Field(
        default=2,
        ge=1,
        le=5,
        description="Сколько лет подряд без низких результатов (настройка Опоры, не норма документа)",
        examples=[2],
    )
    watch_years: int = Field(
        default=1,
        ge=0,
        le=5,
        description="Сколько лет наблюдения после выхода (настройка Опоры, не норма документа)",
        examples=[1],
    )
