"""What travels about procedures and scales."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from services.kit.http import In, Out
from services.kit.words import Word

__all__ = [
    "PermittedUse",
    "ProcedureDetailOut",
    "ProcedureIn",
    "ProcedureKind",
    "ProcedureOut",
    "ProcedurePatch",
    "PublishedScaleOut",
    "PublishedScales",
    "ScaleIn",
    "ScaleOut",
    "ScalePatch",
]


class ProcedureKind(Word):
    """Kinds of assessment procedures."""

    VPR = "vpr", "всероссийские проверочные работы"
    OGE = "oge", "основной государственный экзамен (ГИА-9)"
    EGE = "ege", "единый государственный экзамен (ГИА-11)"
    GVE = "gve", "государственный выпускной экзамен"
    RDR = "rdr", "региональная диагностическая работа"
    OTHER = "other", "другая процедура"


class Use(Word):
    """What results may be used for."""

    ANALYSIS = "analysis", "анализ"
    IDENTIFICATION = "identification", "выявление школ: списки по результатам можно публиковать"


class ScoreKind(Word):
    """Which of the scores a file may carry the scale is about."""

    PRIMARY = "primary", "первичный балл"
    TEST100 = "test100", "тестовый балл по стобалльной шкале"
    MARK = "mark", "отметка от 2 до 5"


class PermittedUse(In):
    """One permission, with its time and its basis."""

    use: Use = Field(description="Для чего можно использовать результаты", examples=["analysis"])
    since: date | None = Field(
        default=None,
        alias="from",
        description="С какого дня; null — всегда",
        examples=["2024-09-01"],
    )
    until: date | None = Field(
        default=None,
        alias="to",
        description="По какой день включительно; null — бессрочно",
        examples=["2027-08-31"],
    )
    basis: str = Field(
        min_length=3, max_length=500, description="Основание", examples=["Приказ от 01.09.2024 № 5"]
    )


Points = Annotated[Decimal, Field(ge=0, le=99_999, max_digits=8, decimal_places=3)]
Label = Annotated[str, Field(min_length=1, max_length=100)]
_BORDERS = "Первые баллы отметок 3, 4, 5; пусто, если отметок нет"


class ScaleIn(In):
    """A scale as it is set."""

    subject: str = Field(
        pattern=r"^[a-z][a-z0-9-]{0,19}$", description="Код предмета", examples=["rus"]
    )
    title: str = Field(
        min_length=1, max_length=100, description="Название предмета", examples=["Русский язык"]
    )
    aliases: list[Label] = Field(
        default_factory=list,
        max_length=20,
        description="Как предмет назван в файлах: код РИС, полное название",
        examples=[["1", "русский язык"]],
    )
    minimum: Points = Field(description="Минимальный балл по спецификации", examples=["15"])
    maximum: Points = Field(description="Максимальный балл", examples=["33"])
    top: Points = Field(description="Балл высоких результатов (Btop)", examples=["29"])
    mark_borders: list[int] = Field(
        default_factory=list, max_length=3, description=_BORDERS, examples=[[15, 23, 29]]
    )
    is_mass: bool = Field(description="Предмет сдаётся в массовых масштабах", examples=[True])
    score_kind: ScoreKind = Field(
        default=ScoreKind.PRIMARY, description="Какой балл: первичный, тестовый (100) или отметка"
    )
    margin_share: Decimal = Field(
        default=Decimal("0.05"),
        ge=0,
        lt=1,
        max_digits=6,
        decimal_places=5,
        description="Доля максимума, которая прибавляется к минимуму (Bmin)",
        examples=["0.05"],
    )

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> Self:
        if not self.minimum <= self.top <= self.maximum:
            raise ValueError("Должно быть: минимум ≤ балл высоких результатов ≤ максимум")
        if list(self.mark_borders) != sorted(set(self.mark_borders)):
            raise ValueError("Границы отметок должны возрастать")
        return self


class ScalePatch(In):
    """Fields of a scale to change; what is not named stays."""

    title: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="Название",
        examples=["Русский язык"],
    )
    aliases: list[Label] | None = Field(
        default=None,
        max_length=20,
        description="Как предмет назван в файлах",
        examples=[["русский"]],
    )
    minimum: Points | None = Field(default=None, description="Минимальный балл", examples=["15"])
    maximum: Points | None = Field(default=None, description="Максимальный балл", examples=["33"])
    top: Points | None = Field(
        default=None, description="Балл высоких результатов (Btop)", examples=["33"]
    )
    mark_borders: list[int] | None = Field(
        default=None, max_length=3, description=_BORDERS, examples=[[15, 23, 29]]
    )
    is_mass: bool | None = Field(
        default=None, description="Сдаётся в массовых масштабах", examples=[True]
    )
    margin_share: Decimal | None = Field(
        default=None,
        ge=0,
        lt=1,
        max_digits=6,
        decimal_places=5,
        description="Доля максимума",
        examples=["0.05"],
    )


class ScaleOut(Out):
    """A scale with its exact bounds."""

    id: int = Field(description="Номер шкалы", examples=[11])
    procedure_id: int = Field(description="Процедура", examples=[5])
    subject: str = Field(description="Код предмета", examples=["rus"])
    title: str = Field(description="Название предмета", examples=["Русский язык"])
    aliases: list[str] = Field(description="Как предмет назван в файлах", examples=[["1"]])
    position: int = Field(description="Бит предмета в масках участников", examples=[0])
    minimum: Decimal = Field(description="Минимальный балл", examples=["15.000"])
    maximum: Decimal = Field(description="Максимальный балл", examples=["33.000"])
    top: Decimal = Field(description="Балл высоких результатов", examples=["29.000"])
    mark_borders: list[int] = Field(description=_BORDERS, examples=[[15, 23, 29]])
    is_mass: bool = Field(description="Сдаётся в массовых масштабах", examples=[True])
    score_kind: ScoreKind = Field(description="Какой балл", examples=["primary"])
    margin_share: Decimal = Field(description="Доля максимума", examples=["0.05000"])
    bmin: str = Field(description="Нижняя граница Bmin, точная дробь, баллы", examples=["333/20"])
    bmid: str = Field(description="Середина Bmid, точная дробь, баллы", examples=["913/40"])
    low_below_milli: int = Field(
        description="Низкий результат строго ниже, тысячные балла", examples=[16650]
    )
    mass_from_milli: int = Field(
        description="Массовый результат не ниже, тысячные балла", examples=[22825]
    )
    version: int = Field(description="Версия для If-Match", examples=[1])


class ProcedureIn(In):
    """A procedure with its scales: published ones, or given here."""

    # Published scales and own ones exclude each other, so the fields' examples make no whole.
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"kind": "oge", "grade": 9, "year": 2025, "published": True}]
        }
    )

    kind: ProcedureKind = Field(description="Вид процедуры", examples=["oge"])
    grade: int = Field(ge=1, le=12, description="Параллель", examples=[9])
    year: int = Field(ge=2000, le=2100, description="Год окончания учебного года", examples=[2024])
    title: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Название; по умолчанию по виду",
        examples=["ОГЭ, 9 класс, 2025"],
    )
    published: bool = Field(
        default=False,
        description="Взять опубликованные шкалы этого вида, параллели и года",
        examples=[True],
    )
    scales: list[ScaleIn] = Field(
        default_factory=list, max_length=63, description="Собственные шкалы; с published не нужны"
    )
    permitted_uses: list[PermittedUse] | None = Field(
        default=None,
        max_length=20,
        description="Для чего можно использовать результаты. По умолчанию анализ, а кроме ВПР и "
        "выявление школ: использование ВПР для оценки школ ограничено, основание называет регион",
    )

    @model_validator(mode="after")
    def _scales_are_given_once(self) -> Self:
        if self.published == bool(self.scales):
            raise ValueError("Укажите либо published=true, либо scales")
        subjects = [scale.subject for scale in self.scales]
        if len(subjects) != len(set(subjects)):
            raise ValueError("Предмет указан в шкалах дважды")
        return self


class ProcedurePatch(In):
    """Fields of a procedure to change."""

    title: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Название",
        examples=["ОГЭ, 9 класс, 2025"],
    )
    state: Annotated[str, Field(pattern="^(open|closed)$")] | None = Field(
        default=None, description="open принимает результаты, closed нет", examples=["closed"]
    )
    permitted_uses: list[PermittedUse] | None = Field(
        default=None, max_length=20, description="Разрешённое использование, весь список"
    )


class ProcedureOut(Out):
    """A procedure."""

    id: int = Field(description="Номер процедуры", examples=[5])
    kind: ProcedureKind = Field(description="Вид процедуры", examples=["oge"])
    grade: int = Field(description="Параллель", examples=[9])
    year: int = Field(description="Год окончания учебного года", examples=[2024])
    title: str = Field(description="Название", examples=["ОГЭ, 9 класс, 2024"])
    state: str = Field(description="open или closed", examples=["open"])
    permitted_uses: list[PermittedUse] = Field(description="Разрешённое использование")
    rollup_revision: int = Field(description="Номер состояния сводных данных", examples=[3])
    version: int = Field(description="Версия для If-Match", examples=[1])


class ProcedureDetailOut(ProcedureOut):
    """A procedure with its scales."""

    scales: list[ScaleOut] = Field(description="Шкалы по порядку битов")


class PublishedScaleOut(Out):
    """A published scale as it is shipped."""

    kind: ProcedureKind = Field(description="Вид процедуры", examples=["oge"])
    grade: int = Field(description="Параллель", examples=[9])
    year_from: int = Field(description="С какого года действует", examples=[2022])
    year_to: int = Field(description="По какой год действует", examples=[2024])
    subject: str = Field(description="Код предмета", examples=["rus"])
    title: str = Field(description="Название предмета", examples=["Русский язык"])
    aliases: list[str] = Field(description="Как предмет назван в файлах", examples=[["1"]])
    minimum: int = Field(description="Минимальный балл", examples=[15])
    maximum: int = Field(description="Максимальный балл", examples=[33])
    top: int = Field(description="Балл высоких результатов", examples=[29])
    mark_borders: list[int] = Field(description=_BORDERS, examples=[[15, 23, 29]])
    is_mass: bool = Field(description="Сдаётся в массовых масштабах", examples=[True])
    score_kind: ScoreKind = Field(description="Какой балл", examples=["primary"])
    certainty: str = Field(
        description="Надёжность источника: high, medium, low", examples=["medium"]
    )
    source: str = Field(
        description="Источник", examples=["Приказ Рособрнадзора от 18.02.2025 № 247"]
    )


class PublishedScales(Out):
    """All published scales that match."""

    items: list[PublishedScaleOut] = Field(description="Шкалы")
