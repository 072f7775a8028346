"""What travels about schools."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from services.kit.http import In, Out
from services.kit.inputs import VISIBLE_TEXT, Id
from services.kit.words import Word
from services.registry import identifiers
from services.registry.days import Day
from services.registry.schools.terms import SchoolKind, Stage, SuccessionKind

__all__ = [
    "BulkOut",
    "Closure",
    "LineageStep",
    "SchoolBulkIn",
    "SchoolFields",
    "SchoolIn",
    "SchoolOut",
    "SchoolPatch",
    "SchoolStateOut",
    "SizeBulkIn",
    "SizeBulkOut",
    "SizeIn",
    "SizeOut",
    "Sort",
    "Status",
    "SuccessionIn",
    "SuccessionOut",
]


Code = Annotated[
    str,
    Field(
        pattern=r"^[0-9A-Za-z-]{1,20}$",
        description="Код ОО в регионе (обычно 6 цифр, ведущие нули значимы)",
        examples=["670012"],
    ),
]
Name = Annotated[
    str,
    Field(
        max_length=500,
        pattern=VISIBLE_TEXT,
        description="Полное наименование",
        examples=["МБОУ «Средняя школа № 1» г. Велижа"],
    ),
]
ShortName = Annotated[
    str | None,
    Field(
        max_length=200,
        pattern=VISIBLE_TEXT,
        description="Краткое наименование",
        examples=["СШ № 1 Велиж"],
    ),
]
Inn = Annotated[
    str | None,
    Field(max_length=20, description="ИНН, 10 цифр с контрольной", examples=["7707083893"]),
    AfterValidator(lambda value: value and identifiers.inn(value)),
]
Ogrn = Annotated[
    str | None,
    Field(max_length=20, description="ОГРН, 13 цифр с контрольной", examples=["1042900006445"]),
    AfterValidator(lambda value: value and identifiers.ogrn(value)),
]
Oktmo = Annotated[
    str | None,
    Field(
        max_length=20,
        description="ОКТМО, 8 или 11 цифр; контрольное число проверяется и отбрасывается",
        examples=["66603101"],
    ),
    AfterValidator(lambda value: value and identifiers.oktmo(value)),
]
VprLogin = Annotated[
    str | None,
    Field(
        pattern=r"^(edu|sch)[0-9]{4,10}$",
        description="Логин школы в ФИС ОКО (ВПР)",
        examples=["edu670012"],
    ),
]
Kind = Annotated[SchoolKind, Field(description="Вид организации", examples=["sosh"])]
Stages = Annotated[
    list[Stage],
    Field(
        min_length=1,
        max_length=3,
        description="Уровни образования: noo (1-4), ooo (5-9), soo (10-11)",
        examples=[["noo", "ooo", "soo"]],
    ),
    AfterValidator(lambda stages: sorted(set(stages), key=list(Stage).index)),
]
Rural = Annotated[
    bool | None,
    Field(description="Сельская: true, городская: false; null: не известно", examples=[True]),
]
Small = Annotated[
    bool | None, Field(description="Малокомплектная; null: не известно", examples=[False])
]
Latitude = Annotated[
    Decimal | None,
    Field(
        ge=-90,
        le=90,
        max_digits=9,
        decimal_places=6,
        description="Широта, градусы (WGS 84)",
        examples=["55.605300"],
    ),
]
Longitude = Annotated[
    Decimal | None,
    Field(
        ge=-180,
        le=180,
        max_digits=9,
        decimal_places=6,
        description="Долгота, градусы (WGS 84)",
        examples=["31.186400"],
    ),
]
OpenedOn = Annotated[
    Day | None, Field(description="Дата открытия; null: не известна", examples=["1998-09-01"])
]
ClosedOn = Annotated[
    Day | None, Field(description="Дата закрытия; null: школа действует", examples=[None])
]
Adverse = Annotated[
    bool | None,
    Field(
        description="Функционирует в неблагоприятных социальных условиях (ФНСУ); null: не известно",
        examples=[True],
    ),
]
AdverseReason = Annotated[
    str | None,
    Field(
        max_length=1000,
        pattern=VISIBLE_TEXT,
        description="Почему условия неблагоприятные; обязательно при true",
        examples=["Удалённость, доля семей в трудной жизненной ситуации выше средней"],
    ),
]
AdverseSource = Annotated[
    str | None,
    Field(
        max_length=500,
        pattern=VISIBLE_TEXT,
        description="Откуда известно: документ, анкета",
        examples=["Приказ от 15.03.2025 № 210, приложение 2"],
    ),
]
ValidFrom = Annotated[
    Day | None,
    Field(
        description="С какого дня состояние верно; null: начало не известно, верно и для прошлого",
        examples=["2024-09-01"],
    ),
]
OrderNumber = Annotated[
    str | None,
    Field(max_length=100, pattern=VISIBLE_TEXT, description="Номер приказа", examples=["210-ОД"]),
]
OrderDate = Annotated[Day | None, Field(description="Дата приказа", examples=["2025-03-15"])]


class SchoolFields(In):
    """Attributes of a school that a caller writes, with the rules between them."""

    code: Code
    name: Name
    short_name: ShortName = None
    inn: Inn = None
    ogrn: Ogrn = None
    oktmo: Oktmo = None
    vpr_login: VprLogin = None
    kind: Kind
    stages: Stages
    is_rural: Rural = None
    is_small: Small = None
    latitude: Latitude = None
    longitude: Longitude = None
    opened_on: OpenedOn = None
    closed_on: ClosedOn = None
    adverse_conditions: Adverse = None
    adverse_reason: AdverseReason = None
    adverse_source: AdverseSource = None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.adverse_conditions and self.adverse_reason is None:
            message = "При adverse_conditions = true укажите adverse_reason: признак без причины не принимается"
            raise ValueError(message)
        if (self.latitude is None) != (self.longitude is None):
            message = "Широта и долгота указываются вместе"
            raise ValueError(message)
        if self.opened_on and self.closed_on and self.closed_on < self.opened_on:
            message = "Школа не может закрыться раньше, чем открылась"
            raise ValueError(message)
        return self


class SchoolIn(SchoolFields):
    """A new school."""

    municipality_id: Id = Field(
        description="Муниципалитет, которому подведомственна школа", examples=[3]
    )
    valid_from: ValidFrom = Field(
        default=None,
        description=(
            "С какого дня сведения верны. Не указано: со дня открытия; если и он не известен, "
            "сведения считаются верными и для прошлого"
        ),
    )


class SchoolBulkIn(In):
    """Up to 1000 schools written at once: all or nothing; an open school with the code is updated."""

    effective_on: Day | None = Field(
        default=None,
        description="С какого дня верны изменения уже известных школ; не указано: сегодня (UTC)",
        examples=["2025-09-01"],
    )
    schools: list[SchoolIn] = Field(
        min_length=1, max_length=1000, description="Школы; код внутри списка не повторяется"
    )


class SchoolPatch(In):
    """What changes about a school; fields that are absent stay as they are."""

    effective_on: Day | None = Field(
        default=None,
        description=(
            "С какого дня изменение верно; не указано: сегодня (UTC). Раньше начала действующего "
            "состояния нельзя"
        ),
        examples=["2025-09-01"],
    )
    is_correction: bool = Field(
        default=False,
        description="true: прежнее значение было ошибкой и заменяется с начала действующего состояния",
        examples=[False],
    )
    municipality_id: Id | None = Field(
        default=None,
        description="Новый муниципалитет; прежний перестаёт видеть школу",
        examples=[4],
    )
    code: Code | None = Field(default=None, description="Код ОО", examples=["670012"])
    name: Name | None = Field(
        default=None,
        description="Полное наименование",
        examples=["МБОУ «Средняя школа № 1» г. Велижа"],
    )
    short_name: ShortName = None
    inn: Inn = None
    ogrn: Ogrn = None
    oktmo: Oktmo = None
    vpr_login: VprLogin = None
    kind: Kind | None = Field(default=None, description="Вид организации")
    stages: Stages | None = Field(default=None, description="Уровни образования")
    is_rural: Rural = None
    is_small: Small = None
    latitude: Latitude = None
    longitude: Longitude = None
    opened_on: OpenedOn = None
    adverse_conditions: Adverse = None
    adverse_reason: AdverseReason = None
    adverse_source: AdverseSource = None

    @model_validator(mode="after")
    def _make_sense(self) -> Self:
        if self.is_correction and self.effective_on is not None:
            message = "Исправление действует с начала состояния: не указывайте effective_on"
            raise ValueError(message)
        for name in ("municipality_id", "code", "name", "kind", "stages"):
            if name in self.model_fields_set and getattr(self, name) is None:
                message = f"Поле {name} нельзя очистить: оно обязательно"
                raise ValueError(message)
        return self

    def changes(self) -> dict[str, Any]:
        """Return the columns the caller named, with their new values."""
        return self.model_dump(exclude_unset=True, exclude={"effective_on", "is_correction"})


class SchoolOut(Out):
    """A school as it is, or as it was on the date that was asked about."""

    id: int = Field(description="Номер школы в Опоре, один во всех сервисах", examples=[12])
    region_id: int = Field(description="Регион", examples=[1])
    municipality_id: int = Field(description="Муниципалитет (на дату запроса)", examples=[3])
    code: Code
    name: Name
    short_name: ShortName
    inn: Inn
    ogrn: Ogrn
    oktmo: Oktmo
    vpr_login: VprLogin
    kind: Kind
    stages: list[Stage] = Field(description="Уровни образования", examples=[["noo", "ooo"]])
    is_rural: Rural
    is_small: Small
    latitude: Latitude
    longitude: Longitude
    opened_on: OpenedOn
    closed_on: ClosedOn
    adverse_conditions: Adverse
    adverse_reason: AdverseReason
    adverse_source: AdverseSource
    valid_from: ValidFrom
    version: int = Field(description="Версия для If-Match", examples=[1])


class SchoolStateOut(SchoolOut):
    """One state of a school with its two times."""

    valid_to: Day | None = Field(
        description="До какого дня (не включая) состояние верно; null: действует", examples=[None]
    )
    recorded_at: datetime = Field(
        description="Когда Опора это узнала (UTC)", examples=["2026-11-21T10:00:00Z"]
    )
    superseded_at: datetime | None = Field(
        description="Когда запись заменена исправленной (UTC); null: не заменена", examples=[None]
    )


class BulkOut(Out):
    """What a bulk write did; created + updated + unchanged = number of schools sent."""

    created: int = Field(description="Создано", examples=[75])
    updated: int = Field(description="Изменено", examples=[0])
    unchanged: int = Field(description="Совпало с уже известным", examples=[0])
    schools: list["BulkRow"] = Field(description="По одной строке на школу, в порядке запроса")


class BulkRow(Out):
    """The id that a code of the bulk got."""

    code: Code
    id: int = Field(description="Номер школы в Опоре", examples=[12])
    outcome: str = Field(description="created, updated или unchanged", examples=["created"])


class Closure(In):
    """Closing of a school by an order."""

    closed_on: Day = Field(description="Первый день, когда школы нет", examples=["2026-09-01"])
    successor_id: Id | None = Field(
        default=None,
        description="Школа, к которой присоединена закрываемая; null: обучающиеся распределены",
        examples=[15],
    )
    order_number: OrderNumber = None
    order_date: OrderDate = None
    note: str | None = Field(
        default=None,
        max_length=1000,
        pattern=VISIBLE_TEXT,
        description="Пояснение",
        examples=["Реорганизация"],
    )


class SizeIn(In):
    """Size of a school in a school year."""

    year: int = Field(
        ge=1990,
        le=2100,
        description="Год окончания учебного года (2025 = 2024/2025)",
        examples=[2025],
    )
    pupils: int = Field(ge=0, le=20_000, description="Обучающихся, человек", examples=[143])
    classes: int | None = Field(
        default=None, ge=0, le=1_000, description="Классов; null: не известно", examples=[11]
    )
    source: str = Field(
        max_length=200,
        pattern=VISIBLE_TEXT,
        description="Источник сведений",
        examples=["ОО-1, сентябрь 2024"],
    )

    school_id: Id = Field(description="Школа", examples=[12])


class SizeBulkIn(In):
    """Sizes of up to 5000 schools and years: all or nothing."""

    sizes: list[SizeIn] = Field(
        min_length=1, max_length=5000, description="Размеры; школа и год не повторяются"
    )


class SizeBulkOut(Out):
    """What a bulk of sizes did."""

    created: int = Field(description="Добавлено", examples=[75])
    updated: int = Field(description="Заменено", examples=[0])
    unchanged: int = Field(description="Совпало с известным", examples=[0])


class SizeOut(SizeIn):
    """Stored size of a school in a year."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    version: int = Field(description="Версия", examples=[1])


class SuccessionIn(In):
    """An event in the network of schools."""

    kind: SuccessionKind = Field(description="Что произошло", examples=["merge"])
    school_id: Id = Field(
        description="Школа-преемник; для переименования, передачи и закрытия: сама школа",
        examples=[15],
    )
    predecessor_id: Id | None = Field(
        default=None,
        description="Предшественник; обязателен для merge и split, у остальных его нет",
        examples=[12],
    )
    happened_on: Day = Field(description="Дата события", examples=["2026-09-01"])
    order_number: OrderNumber = None
    order_date: OrderDate = None
    note: str | None = Field(
        default=None,
        max_length=1000,
        pattern=VISIBLE_TEXT,
        description="Пояснение",
        examples=["Реорганизация"],
    )

    @model_validator(mode="after")
    def _predecessor_fits(self) -> Self:
        joins = self.kind in {SuccessionKind.MERGE, SuccessionKind.SPLIT}
        if joins and self.predecessor_id is None:
            message = "Для merge и split укажите predecessor_id"
            raise ValueError(message)
        if not joins and self.predecessor_id is not None:
            message = "predecessor_id указывается только для merge и split"
            raise ValueError(message)
        if self.predecessor_id == self.school_id:
            message = "Школа не может быть своим предшественником"
            raise ValueError(message)
        return self


class SuccessionOut(SuccessionIn):
    """A stored event in the network of schools."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    id: int = Field(description="Номер события", examples=[7])


class LineageStep(Out):
    """A merge or a split on the way to or from a school."""

    id: int = Field(description="Номер события", examples=[7])
    kind: SuccessionKind = Field(description="Что произошло", examples=["merge"])
    school_id: int = Field(description="Преемник", examples=[15])
    predecessor_id: int = Field(description="Предшественник", examples=[12])
    happened_on: Day = Field(description="Дата события", examples=["2026-09-01"])
    side: Literal["predecessors", "successors"] = Field(
        description="В какую сторону от школы лежит событие: predecessors — к предшественникам, successors — к преемникам",
        examples=["predecessors"],
    )
    steps: int = Field(description="На сколько событий удалено от школы", examples=[1])


class Status(Word):
    """Which schools a list holds."""

    OPEN = "open", "действующие"
    CLOSED = "closed", "закрытые"
    ALL = "all", "все"


class Sort(Word):
    """Order of a list of schools."""

    CODE = "code", "по коду ОО"
    NAME = "name", "по наименованию"
