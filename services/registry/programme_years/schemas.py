"""What travels about programme years."""

from typing import Self

from pydantic import ConfigDict, Field, model_validator

from services.kit.http import In
from services.registry.days import Day

__all__ = ["ProgrammeYearIn", "ProgrammeYearOut", "ProgrammeYearPatch"]


class ProgrammeYearPatch(In):
    """What may change about a programme year."""

    opens_on: Day | None = Field(
        default=None,
        description="С какого дня школы включают вручную; null: без ограничения",
        examples=["2024-09-01"],
    )
    closes_on: Day | None = Field(
        default=None,
        description="Последний день включения вручную; null: без ограничения",
        examples=["2025-05-31"],
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opens_on and self.closes_on and self.closes_on < self.opens_on:
            message = "Окно включения закрывается раньше, чем открывается"
            raise ValueError(message)
        return self


class ProgrammeYearIn(ProgrammeYearPatch):
    """A new programme year of the caller's region."""

    year: int = Field(
        ge=2000,
        le=2100,
        description="Год окончания учебного года (2025 = 2024/2025)",
        examples=[2025],
    )


class ProgrammeYearOut(ProgrammeYearIn):
    """A programme year."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    id: int = Field(description="Номер записи", examples=[4])
    region_id: int = Field(description="Регион", examples=[1])
    version: int = Field(description="Версия для If-Match", examples=[1])
