"""What travels about scenarios: the change asked for, its effect, its schools, scenarios compared."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from services.indicators.identification.schemas import (
    CertaintyCode,
    FlagCode,
    RunSchoolState,
    Sha256,
)
from services.indicators.methodologies.document import MethodologyText
from services.indicators.methodologies.nesting import DEEPEST_DOCUMENT, is_shallow
from services.indicators.suppression.schemas import Counted, Pupils
from services.kit.http import In, Out
from services.kit.inputs import VISIBLE_TEXT
from services.kit.words import Meanings

__all__ = [
    "AgreementOut",
    "AnswerSideOut",
    "BorderlineOut",
    "ChangeCode",
    "ComparedSchoolOut",
    "ComparisonOut",
    "EffectOut",
    "GroupEffectOut",
    "LadderOut",
    "LadderStepOut",
    "MunicipalityEffectOut",
    "ReasonOut",
    "ScenarioIn",
    "ScenarioOut",
    "ScenarioRow",
    "ScenarioSchoolOut",
    "ScenarioVoidingIn",
    "SettingOut",
]

_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

ChangeCode = Annotated[
    Literal["none", "entered", "left", "changed"],
    Meanings(
        "ScenarioChange",
        {
            "none": "ответ тот же",
            "entered": "вошла в список",
            "left": "вышла из списка",
            "changed": "в списке или вне его по-прежнему, но ответ иной: категория, признаки, класс",
        },
    ),
]


class ScenarioIn(In):
    """Other settings for the frozen inputs of a run."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"title": "Порог 25 %", "changes": {"low_result": {"threshold": "1/4"}}}]
        }
    )

    title: str = Field(
        max_length=200, pattern=VISIBLE_TEXT, description="Название", examples=["Порог 25 %"]
    )
    changes: dict[str, Any] | None = Field(
        default=None,
        description="Правки документа методики прогона по RFC 7396 (JSON Merge Patch): названные "
        "поля заменяются, null убирает поле, списки заменяются целиком",
        examples=[{"low_result": {"threshold": "1/4"}}],
    )
    document: MethodologyText | None = Field(
        default=None,
        description="Документ методики целиком; указывается вместо changes",
        examples=[None],
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.changes is None) == (self.document is None):
            raise ValueError("Укажите либо changes, либо document")
        if self.changes is not None and not is_shallow(self.changes):
            raise ValueError(
                f"Правки вложены глубже {DEEPEST_DOCUMENT} уровней: такой части в документе нет"
            )
        return self


class ScenarioVoidingIn(In):
    """Why a scenario is set aside."""

    reason: str = Field(
        max_length=1000, pattern=VISIBLE_TEXT, description="Причина", examples=["Больше не нужен"]
    )


class SettingOut(Out):
    """A changed setting, and what it does by itself."""

    setting: str = Field(
        description="Настройка: указатель JSON в документе методики; правила, индексы и признаки — "
        "по своим кодам",
        examples=["/low_result/threshold"],
    )
    before: Any = Field(description="В методике прогона; null — не было", examples=["3/10"])
    after: Any = Field(description="В сценарии; null — нет", examples=["1/4"])
    text: str = Field(
        description="Правка словами", examples=["порог низкого результата: 30 % → 25 %"]
    )
    entered_alone: int | None = Field(
        description="Сколько школ вошло бы, если бы изменилась только эта настройка; null — одна она "
        "не может измениться: документ стал бы противоречивым",
        examples=[12],
    )
    left_alone: int | None = Field(
        description="Сколько школ вышло бы, если бы изменилась только эта настройка", examples=[0]
    )


class MunicipalityEffectOut(Out):
    """What the change does in a municipality."""

    municipality_id: int = Field(description="Муниципалитет", examples=[3])
    name: str = Field(description="Название", examples=["Велижский район"])
    schools: int = Field(description="Школ в прогоне", examples=[7])
    listed_before: int = Field(description="В списке прогона", examples=[2])
    listed_after: int = Field(description="В списке сценария", examples=[3])
    entered: int = Field(description="Вошли", examples=[1])
    left: int = Field(description="Вышли", examples=[0])


class GroupEffectOut(Out):
    """What the change does to schools of one sort."""

    by: Annotated[
        Literal["kind", "locality", "size"],
        Meanings(
            "SchoolGrouping",
            {
                "kind": "вид школы, как он заморожен в прогоне",
                "locality": "сельская или городская, по карточке школы сегодня",
                "size": "малокомплектная или нет, по карточке школы сегодня",
            },
        ),
    ] = Field(description="Признак деления", examples=["locality"])
    value: str | None = Field(
        description="Значение: код вида; rural, urban; small, other; null — неизвестно",
        examples=["rural"],
    )
    schools: int = Field(description="Школ в прогоне", examples=[209])
    listed_before: int = Field(description="В списке прогона", examples=[40])
    listed_after: int = Field(description="В списке сценария", examples=[52])
    entered: int = Field(description="Вошли", examples=[14])
    left: int = Field(description="Вышли", examples=[2])


class BorderlineOut(Out):
    """How many schools stand near the border of low results under the scenario."""

    lost_by_one: int = Field(
        description="Школ, у которых признак исчез бы, будь в одной процедуре одним низким "
        "результатом меньше",
        examples=[9],
    )
    gained_by_one: int = Field(
        description="Школ, у которых признак появился бы, будь в одной процедуре одним низким "
        "результатом больше",
        examples=[17],
    )
    within_interval: int = Field(
        description="Школ с классом «возможно» или «не исключено»: порог внутри интервала",
        examples=[40],
    )


class PupilsOut(Counted):
    """How many pupils the listed schools and those that enter or leave have, as far as known.

    Per school: for each grade the largest number of participants of one procedure of the newest year
    that the rules look at; a pupil is counted once, pupils of other grades not at all.
    """

    listed_before: Pupils = Field(description="В школах списка прогона", examples=[2100])
    listed_after: Pupils = Field(description="В школах списка сценария", examples=[2480])
    entered: Pupils = Field(description="В вошедших школах", examples=[420])
    left: Pupils = Field(description="В вышедших школах", examples=[40])
    schools_unknown: int = Field(
        description="Школ, вошедших или в списке, у которых участников последнего года нет: их "
        "ученики не посчитаны",
        examples=[3],
    )


class AgreementOut(Out):
    """How far the scenario's list agrees with another list, over the schools that both could name."""

    compared_with: Annotated[
        Literal["run", "published", "scenario"],
        Meanings(
            "ComparedList",
            {
                "run": "список самого прогона",
                "published": "опубликованный список прошлого года",
                "scenario": "список другого сценария",
            },
        ),
    ] = Field(description="С каким списком", examples=["published"])
    id: int = Field(description="Номер прогона или сценария", examples=[4])
    year: int = Field(description="Год того списка", examples=[2024])
    n: int = Field(description="Школ, известных обоим", examples=[360])
    both: int = Field(description="В обоих списках", examples=[61])
    here_only: int = Field(description="Только в этом", examples=[14])
    there_only: int = Field(description="Только в том", examples=[9])
    kappa: str | None = Field(
        description="Каппа Коэна, точно; null — не определена: списки не могли не совпасть",
        examples=["1213/1500"],
    )
    kappa_rounded: Decimal | None = Field(
        description="Каппа, до тысячных от половины вверх", examples=["0.809"]
    )
    jaccard: str | None = Field(
        description="Мера Жаккара: в обоих списках среди названных хоть одним; null — оба пусты",
        examples=["61/84"],
    )
    jaccard_rounded: Decimal | None = Field(
        description="Мера Жаккара, до тысячных от половины вверх", examples=["0.726"]
    )


class EffectOut(Out):
    """What the change does to the list."""

    schools: int = Field(description="Школ в прогоне", examples=[360])
    listed_before: int = Field(description="В списке прогона", examples=[75])
    listed_after: int = Field(description="В списке сценария", examples=[87])
    entered: int = Field(description="Вошли", examples=[14])
    left: int = Field(description="Вышли", examples=[2])
    changed: int = Field(description="Изменился ответ, но не место в списке", examples=[5])
    by_category_before: dict[str, int] = Field(
        description="Список прогона по кодам категорий", examples=[{"nro": 38, "fnsu": 30}]
    )
    by_category_after: dict[str, int] = Field(
        description="Список сценария по кодам категорий", examples=[{"nro": 50, "fnsu": 28}]
    )
    municipalities: list[MunicipalityEffectOut] = Field(
        description="По муниципалитетам, по алфавиту; все муниципалитеты прогона"
    )
    groups: list[GroupEffectOut] = Field(
        description="По виду школы, по местности, по малокомплектности"
    )
    borderline: BorderlineOut = Field(description="Пограничные школы")
    pupils: PupilsOut = Field(description="Сколько учеников затронуто (человек)")
    agreement: list[AgreementOut] = Field(
        description="Согласие со списком прогона и, если он есть, с опубликованным списком прошлого "
        "года"
    )
    last_year: str | None = Field(
        description="Почему нет сравнения с прошлым годом; null — оно есть",
        examples=["Опубликованного списка за 2024 год нет"],
    )


class ScenarioRow(Out):
    """A scenario in the list."""

    id: int = Field(description="Номер сценария", examples=[2])
    run_id: int = Field(description="Прогон, чьи замороженные данные взяты", examples=[7])
    title: str = Field(description="Название", examples=["Порог 25 %"])
    document_hash: Sha256 = Field(description="SHA-256 документа сценария")
    answers_hash: Sha256 = Field(
        description="SHA-256 ответов по всем школам: одинаков при тех же данных и том же документе"
    )
    created_by: str = Field(description="Кто составил", examples=["user:12"])
    created_at: datetime = Field(description="Когда (UTC)", examples=["2026-11-22T10:00:00Z"])
    voided_by: str | None = Field(description="Кто отменил", examples=[None])
    voided_at: datetime | None = Field(description="Когда отменён (UTC)", examples=[None])
    void_reason: str | None = Field(description="Почему отменён", examples=[None])
    version: int = Field(description="Версия записи (ETag)", examples=[1])


class ScenarioOut(ScenarioRow):
    """A scenario with what differs and what that does."""

    settings: list[SettingOut] = Field(description="Чем документ отличается от методики прогона")
    document: dict[str, Any] = Field(
        description="Документ методики, как он посчитан",
        examples=[{"code": "smolensk-nro-fnsu", "low_result": {"threshold": "1/4"}}],
    )
    effect: EffectOut = Field(description="Что меняется")


class AnswerSideOut(Out):
    """What a run or a scenario says of a school."""

    state: RunSchoolState = Field(description="Состояние", examples=["assessed"])
    flags: list[FlagCode] = Field(description="Независимые признаки", examples=[["low_results"]])
    category: str | None = Field(description="Категория; null — не в списке", examples=["nro"])
    certainty: CertaintyCode = Field(
        description="Класс признака «низкие результаты»", examples=["possible"]
    )


class ReasonOut(Out):
    """Which of the changed settings made the answer differ."""

    sentence: str = Field(
        description="Одним предложением",
        examples=["Вошла в список: порог низкого результата: 30 % → 25 %"],
    )
    settings: list[str] = Field(
        description="Настройки, каждой из которых достаточно; при is_combination — те, которых "
        "достаточно только вместе",
        examples=[["/low_result/threshold"]],
    )
    is_combination: bool = Field(description="Только сочетание правок", examples=[False])


class ScenarioSchoolOut(Counted):
    """The answer of a scenario for a school, beside the run's."""

    school_id: int = Field(description="Школа", examples=[12])
    municipality_id: int = Field(description="Муниципалитет на момент прогона", examples=[3])
    code: str = Field(description="Код школы", examples=["670101"])
    name: str = Field(description="Название", examples=["МБОУ Велижская СШ № 1"])
    municipality_name: str = Field(description="Муниципалитет", examples=["Велижский район"])
    change: ChangeCode = Field(
        description="none — ответ тот же; entered — вошла в список; left — вышла; changed — иное",
        examples=["entered"],
    )
    before: AnswerSideOut = Field(description="В прогоне")
    after: AnswerSideOut = Field(description="В сценарии")
    reason: ReasonOut | None = Field(description="Какая правка это сделала; null — ответ тот же")
    is_lost_by_one: bool = Field(
        description="Признак исчез бы, будь одним низким результатом меньше", examples=[True]
    )
    is_gained_by_one: bool = Field(
        description="Признак появился бы, будь одним низким результатом больше", examples=[False]
    )
    is_within_interval: bool = Field(
        description="Порог внутри интервала: класс «возможно» или «не исключено»", examples=[True]
    )
    participants: Pupils = Field(
        description="Участников последнего учтённого года (см. pupils); 0 — нет ни одного",
        examples=[24],
    )


class ComparedSchoolOut(Out):
    """A school that one of two scenarios lists and the other does not, or in another category."""

    school_id: int = Field(description="Школа", examples=[12])
    code: str = Field(description="Код школы", examples=["670101"])
    name: str = Field(description="Название", examples=["МБОУ Велижская СШ № 1"])
    municipality_name: str = Field(description="Муниципалитет", examples=["Велижский район"])
    here: str | None = Field(
        description="Категория в этом сценарии; null — не в списке", examples=["nro"]
    )
    there: str | None = Field(
        description="Категория в другом сценарии; null — не в списке", examples=[None]
    )


class ComparisonOut(Out):
    """Two scenarios of one run side by side."""

    scenario_id: int = Field(description="Этот сценарий", examples=[2])
    other_scenario_id: int = Field(description="Другой сценарий", examples=[3])
    settings: list[str] = Field(
        description="Чем документы отличаются: от другого к этому, словами",
        examples=[["порог низкого результата: 20 % → 25 %"]],
    )
    agreement: AgreementOut = Field(description="Согласие списков")
    schools: list[ComparedSchoolOut] = Field(
        description="Школы, о которых сценарии говорят разное, по порядку кодов"
    )


class LadderStepOut(Out):
    """The list at one value of the setting."""

    value: str = Field(description="Значение, как в документе методики", examples=["1/4"])
    listed: int | None = Field(
        description="Школ в списке; null — значение невозможно, причина в problem", examples=[87]
    )
    entered: int | None = Field(description="Вошли против прогона", examples=[14])
    left: int | None = Field(description="Вышли против прогона", examples=[2])
    by_category: dict[str, int] = Field(
        description="Список по кодам категорий", examples=[{"nro": 50, "fnsu": 28}]
    )
    kappa_rounded: Decimal | None = Field(
        description="Каппа Коэна со списком прогона, до тысячных; null — не определена",
        examples=["0.912"],
    )
    problem: str | None = Field(
        description="Почему значение невозможно", examples=["Доля должна быть больше 0 и меньше 1"]
    )


class LadderOut(Out):
    """The list as one setting moves, everything else as in the run."""

    run_id: int = Field(description="Прогон", examples=[7])
    setting: str = Field(description="Настройка", examples=["/low_result/threshold"])
    value: str = Field(description="Её значение в методике прогона", examples=["3/10"])
    listed: int = Field(description="Школ в списке прогона", examples=[75])
    steps: list[LadderStepOut] = Field(description="По значениям, в порядке запроса")
