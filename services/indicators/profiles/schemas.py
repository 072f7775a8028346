"""What travels about attributes and profiles."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field, StringConstraints

from services.indicators.profiles.cells import Kind
from services.indicators.suppression.schemas import DERIVED, Counted
from services.kit.http import In, Out
from services.kit.inputs import VISIBLE_TEXT, Id
from services.kit.words import Word

__all__ = [
    "AdoptionIn",
    "AdoptionOut",
    "AttributeIn",
    "AttributeOut",
    "AttributePatch",
    "AttributeStatisticsOut",
    "BulkProfilesIn",
    "BulkProfilesOut",
    "CatalogueAttribute",
    "CatalogueOut",
    "CellIn",
    "CellOut",
    "CellState",
    "CorrelationOut",
    "Group",
    "ProfileIn",
    "ProfileOut",
    "ProfilePut",
    "ProfileRow",
    "StatisticsOut",
    "Year",
]

Year = Annotated[
    int,
    Field(
        ge=2000,
        le=2100,
        description="Учебный год по году его окончания (2025 — 2024/2025)",
        examples=[2025],
    ),
]
_Code = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$"),
    Field(description="Код признака", examples=["both_parents_higher"]),
]
_Title = Annotated[
    str,
    StringConstraints(pattern=VISIBLE_TEXT, max_length=300),
    Field(description="Название", examples=["Доля обучающихся из неполных семей"]),
]
_Unit = Annotated[
    str,
    StringConstraints(pattern=VISIBLE_TEXT, max_length=40),
    Field(description="Единица измерения", examples=["доля"]),
]
_Source = Annotated[str, StringConstraints(pattern=VISIBLE_TEXT, max_length=300)]
_AboutPupils = Annotated[
    bool,
    Field(
        description="Единица счёта — человек из обучающихся или их семей: малые числа скрываются от "
        "тех, кто не видит точных чисел",
        examples=[True],
    ),
]


class Group(Word):
    """What an attribute is about."""

    CONTINGENT = "contingent", "контингент и семьи"
    STAFF = "staff", "кадры"
    RESOURCES = "resources", "оснащение"
    RESULTS = "results", "результаты"
    OTHER = "other", "прочее"


class CellState(Word):
    """How much is known of a cell. A true zero is a value."""

    VALUE = "value", "есть число, в том числе ноль"
    NOT_APPLICABLE = "not_applicable", "к школе не относится (н/п)"
    NOT_SUBMITTED = "not_submitted", "сведений нет; это не ноль и не «нет»"


class CatalogueAttribute(Out):
    """An attribute as it is shipped."""

    code: str = Field(description="Код признака", examples=["both_parents_higher"])
    title: str = Field(
        description="Название",
        examples=["Доля детей, у которых оба родителя с высшим образованием"],
    )
    kind: Kind = Field(description="Чем отвечают", examples=["share"])
    unit: str = Field(description="Единица измерения", examples=["доля"])
    group: Group = Field(description="О чём", examples=["contingent"])
    source: str = Field(
        description="Откуда признак", examples=["Смоленск 2018, таблица 1, показатель 21"]
    )
    is_about_pupils: _AboutPupils


class CatalogueOut(Out):
    """The shipped catalogue."""

    items: list[CatalogueAttribute] = Field(description="Признаки")


class AdoptionIn(In):
    """Which attributes of the catalogue the region takes."""

    codes: list[_Code] | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Коды; null — весь каталог. Взятые раньше остаются как есть",
        examples=[["both_parents_higher", "incomplete_families"]],
    )


class AdoptionOut(Out):
    """What the region has taken."""

    added: list[str] = Field(description="Добавленные коды", examples=[["both_parents_higher"]])
    known: list[str] = Field(description="Коды, которые уже были", examples=[[]])


class AttributeIn(In):
    """An attribute of the region's own."""

    code: _Code
    title: _Title
    kind: Kind = Field(description="Чем отвечают; потом не меняется", examples=["share"])
    unit: _Unit
    group: Group = Field(description="О чём", examples=["contingent"])
    source: _Source = Field(
        description="Откуда признак", examples=["Приказ министерства от 01.09.2025 № 5"]
    )
    is_about_pupils: _AboutPupils


class AttributePatch(In):
    """What may change: the wording, and whether it is still asked. Code and kind do not."""

    title: _Title | None = Field(
        default=None, description="Название", examples=["Доля обучающихся из неполных семей"]
    )
    unit: _Unit | None = Field(default=None, description="Единица измерения", examples=["доля"])
    source: _Source | None = Field(
        default=None, description="Откуда признак", examples=["Приказ от 01.09.2025 № 5"]
    )
    is_retired: bool | None = Field(
        default=None,
        description="true: больше не спрашивается; записанное остаётся",
        examples=[True],
    )


class AttributeOut(CatalogueAttribute):
    """An attribute of the region."""

    id: int = Field(description="Номер признака", examples=[7])
    is_retired: bool = Field(description="Больше не спрашивается", examples=[False])
    version: int = Field(description="Версия для If-Match", examples=[1])


class CellIn(In):
    """A cell of a profile as it is sent."""

    attribute: _Code
    state: CellState = Field(
        default=CellState.VALUE,
        description="Состояние; not_submitted убирает записанное",
        examples=["value"],
    )
    value: Decimal | None = Field(
        default=None,
        allow_inf_nan=False,
        max_digits=24,
        decimal_places=9,
        description="Число точной десятичной записью, в единицах признака; доля — от 0 до 1; "
        "да — 1, нет — 0",
        examples=["0.25"],
    )
    numerator: int | None = Field(
        default=None, ge=0, le=10**9, description="Числитель доли", examples=[None]
    )
    denominator: int | None = Field(
        default=None, ge=0, le=10**9, description="Знаменатель доли", examples=[None]
    )
    source: _Source = Field(
        description="Документ, откуда взято", examples=["Социальный паспорт школы, 2025"]
    )


class CellOut(Counted):
    """A cell of a profile.

    Callers without `indices:exact` see of what counts pupils: a share as whole percents when both the
    numerator and the rest are zero or not small, a number when it is not small; counts themselves never.
    """

    attribute: str = Field(description="Код признака", examples=["both_parents_higher"])
    state: CellState = Field(description="Состояние", examples=["value"])
    value: str | None = Field(
        json_schema_extra=DERIVED,
        description="Точная десятичная запись в единицах признака; доля — от 0 до 1, округлена до 12 "
        "знаков, если есть числитель; null — числа нет или оно скрыто",
        examples=["0.25"],
    )
    numerator: int | None = Field(
        json_schema_extra=DERIVED, description="Числитель доли; null — не указан", examples=[3]
    )
    denominator: int | None = Field(
        json_schema_extra=DERIVED, description="Знаменатель доли; null — не указан", examples=[12]
    )
    source: str | None = Field(
        description="Документ, откуда взято", examples=["Социальный паспорт школы, 2025"]
    )
    import_id: int | None = Field(
        description="Импорт профилей; null — записано по одному", examples=[3]
    )
    row_no: int | None = Field(description="Строка файла импорта", examples=[12])


class ProfileIn(In):
    """A profile that is not there yet."""

    school_id: Id = Field(description="Номер школы", examples=[15])
    year: Year
    cells: list[CellIn] = Field(
        max_length=500, description="Ячейки; о неназванных признаках сведений нет"
    )


class ProfilePut(In):
    """All cells of a profile anew."""

    cells: list[CellIn] = Field(
        max_length=500, description="Все ячейки; о неназванных признаках сведений больше нет"
    )


class BulkProfilesIn(In):
    """Profiles of many schools of one year."""

    year: Year
    profiles: list["BulkProfile"] = Field(
        min_length=1, max_length=1000, description="Профили, каждая школа один раз"
    )


class BulkProfile(In):
    """Some cells of one school: the others stay as they are."""

    school_id: Id = Field(description="Номер школы", examples=[15])
    cells: list[CellIn] = Field(min_length=1, max_length=500, description="Изменяемые ячейки")


class BulkProfilesOut(Out):
    """What became of them."""

    created: int = Field(description="Профилей создано", examples=[10])
    updated: int = Field(description="Профилей изменено", examples=[2])
    unchanged: int = Field(description="Профилей без изменений", examples=[0])


class ProfileRow(Out):
    """A profile in a list: how full it is."""

    id: int = Field(description="Номер профиля", examples=[40])
    school_id: int = Field(description="Номер школы", examples=[15])
    municipality_id: int = Field(description="Номер муниципалитета", examples=[2])
    year: int = Field(description="Учебный год по году его окончания", examples=[2025])
    filled: int = Field(description="Ячеек с числом", examples=[20])
    not_applicable: int = Field(description="Ячеек «не применимо»", examples=[1])
    version: int = Field(description="Версия для If-Match", examples=[1])
    updated_at: datetime = Field(description="Изменён (UTC)", examples=["2026-11-21T10:00:00Z"])


class ProfileOut(ProfileRow):
    """A profile with its cells."""

    cells: list[CellOut] = Field(
        description="Ячейки по действующим и записанным признакам, по порядку их кодов"
    )


class AttributeStatisticsOut(Out):
    """What the schools in sight say of an attribute."""

    attribute: str = Field(description="Код признака", examples=["both_parents_higher"])
    n: int = Field(description="Школ с числом", examples=[340])
    not_applicable: int = Field(description="Школ, к которым не относится", examples=[5])
    not_submitted: int = Field(description="Школ без сведений", examples=[15])
    mean: str | None = Field(description="Среднее по школам; null — чисел нет", examples=["0.31"])
    sd: str | None = Field(
        description="Стандартное отклонение, делённое на n−1; null — меньше двух чисел",
        examples=["0.12"],
    )
    sd_population: str | None = Field(
        description="Стандартное отклонение, делённое на n", examples=["0.119"]
    )
    minimum: str | None = Field(description="Наименьшее", examples=["0"])
    maximum: str | None = Field(description="Наибольшее", examples=["0.8"])


class StatisticsOut(Out):
    """Descriptive statistics of a year."""

    year: int = Field(description="Учебный год по году его окончания", examples=[2025])
    schools: int = Field(description="Школ, действовавших в этом году", examples=[360])
    items: list[AttributeStatisticsOut] = Field(description="По признакам, в порядке запроса")


class CorrelationOut(Out):
    """How two attributes go together over the schools that have both."""

    year: int = Field(description="Учебный год по году его окончания", examples=[2025])
    x: str = Field(description="Код первого признака", examples=["calworks"])
    y: str = Field(description="Код второго признака", examples=["lunch"])
    n: int = Field(description="Школ, у которых есть оба числа", examples=[420])
    correlation: str | None = Field(
        description="Корреляция Пирсона; null — один из признаков у всех одинаков",
        examples=["0.739421773"],
    )
    intercept: str | None = Field(
        description="Свободный член регрессии y на x; null — не определён", examples=["21.5"]
    )
    slope: str | None = Field(description="Наклон регрессии y на x", examples=["1.75"])
    r_squared: str | None = Field(
        description="Доля объяснённой дисперсии R²", examples=["0.546744563"]
    )
