"""What travels about courses."""

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from services.kit.http import In, Out

__all__ = ["CourseEdit", "CourseIn", "CourseOut"]


class CourseIn(In):
    """A new course."""

    year: int = Field(ge=2000, le=2100, description="Год окончания учебного года", examples=[2026])
    title: str = Field(
        min_length=1,
        max_length=300,
        description="Название программы",
        examples=["Подготовка тьюторов: русский язык"],
    )
    hours: int = Field(ge=1, le=2000, description="Объём, академических часов", examples=[36])
    places: int = Field(ge=1, le=10_000, description="Число мест, человек", examples=[35])
    starts_on: date = Field(description="Первый день занятий", examples=["2026-03-12"])
    ends_on: date = Field(description="Последний день занятий", examples=["2026-03-27"])

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.ends_on < self.starts_on:
            raise ValueError("Курс не может закончиться раньше, чем начнётся: проверьте ends_on")
        return self


class CourseEdit(In):
    """What may be changed in a course."""

    title: str | None = Field(
        default=None,
        min_length=1,
        max_length=300,
        description="Название программы",
        examples=["Смысловое чтение на уроках"],
    )
    hours: int | None = Field(
        default=None, ge=1, le=2000, description="Объём, академических часов", examples=[36]
    )
    places: int | None = Field(
        default=None, ge=1, le=10_000, description="Число мест, не меньше занятых", examples=[40]
    )
    starts_on: date | None = Field(
        default=None, description="Первый день занятий", examples=["2026-10-05"]
    )
    ends_on: date | None = Field(
        default=None, description="Последний день занятий", examples=["2026-10-30"]
    )


class CourseOut(Out):
    """A course."""

    id: int = Field(description="Номер курса", examples=[7])
    region_id: int = Field(description="Регион", examples=[1])
    year: int = Field(description="Год окончания учебного года", examples=[2026])
    title: str = Field(
        description="Название программы", examples=["Подготовка тьюторов: русский язык"]
    )
    hours: int = Field(description="Объём, академических часов", examples=[36])
    places: int = Field(description="Число мест, человек", examples=[35])
    taken_places: int = Field(description="Занято мест всеми школами, человек", examples=[12])
    starts_on: date = Field(description="Первый день занятий", examples=["2026-03-12"])
    ends_on: date = Field(description="Последний день занятий", examples=["2026-03-27"])
    version: int = Field(description="Версия для If-Match", examples=[1])
