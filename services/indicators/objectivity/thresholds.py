"""Settings of a detection: what is asked, of whom, and how false alarms are held down.

They are data, kept in full with every detection. A default with a paragraph behind it names it; the
others are "настройка Опоры, не норма документа": nobody has published the thresholds of ФИОКО's markers.

Source: methodology B4 ("Border borders and thresholds are settings").
"""

from decimal import Decimal
from typing import Any, Self

from pydantic import Field, model_validator

from services.indicators.algebra.discoveries import Control as ControlCode
from services.indicators.procedures.schemas import ProcedureKind
from services.kit.http import In
from services.kit.words import Word

__all__ = ["BorderPeak", "Control", "DetectionSettings", "JournalMarks", "OverEasy", "Pair",
           "ProcedureMismatch", "Repeated"]  # fmt: skip

_OWN = "настройка Опоры, не норма документа"


class Control(Word):
    """How false alarms over many schools are held down."""

    BENJAMINI_HOCHBERG = (
        ControlCode.BENJAMINI_HOCHBERG.value,
        "ожидаемая доля ложных среди признаков не больше уровня (Бенджамини — Хохберг)",
    )
    HOLM = ControlCode.HOLM.value, "вероятность хотя бы одного ложного не больше уровня (Холм)"


class _Detector(In):
    is_asked: bool = Field(default=True, description="Применять ли детектор", examples=[True])


class BorderPeak(_Detector):
    """O1."""

    window: int = Field(
        default=3,
        ge=3,
        le=5,
        description="Сколько баллов по каждую сторону от границы отметки сравнивается (3–5); у близких "
        "границ окно сужается до половины расстояния между ними",
        examples=[3],
    )


class JournalMarks(_Detector):
    """O2."""

    difference: int = Field(
        default=2,
        ge=1,
        le=3,
        description="Расхождение отметки за работу с журналом, которое считается большим, отметок",
        examples=[2],
    )
    left_out_percent: int = Field(
        default=10,
        ge=0,
        le=40,
        description="Сколько школ с наибольшими долями не участвует в оценке обычного разброса школ, % "
        f"({_OWN}): иначе немногие отклонения скрывали бы друг друга",
        examples=[10],
    )
    least_likeness: Decimal = Field(
        default=Decimal("0.03"),
        ge=0,
        lt=1,
        max_digits=6,
        decimal_places=5,
        description=f"Наименьшее сходство учеников одной школы (внутриклассовая корреляция; {_OWN})",
        examples=["0.03"],
    )


class Pair(In):
    """Two procedures that one cohort writes one after the other."""

    earlier_kind: ProcedureKind = Field(description="Вид ранней процедуры", examples=["vpr"])
    earlier_grade: int = Field(ge=1, le=12, description="Параллель ранней", examples=[8])
    later_kind: ProcedureKind = Field(description="Вид поздней процедуры", examples=["oge"])
    later_grade: int = Field(ge=1, le=12, description="Параллель поздней", examples=[9])

    @property
    def years(self) -> int:
        """How many years lie between the two for one cohort."""
        return self.later_grade - self.earlier_grade

    @model_validator(mode="after")
    def _one_cohort(self) -> Self:
        if self.years < 1:
            message = "Поздняя процедура должна быть в более старшей параллели того же набора"
            raise ValueError(message)
        return self


def _pairs() -> list[Pair]:
    return [
        Pair.model_validate(
            {"earlier_kind": a, "earlier_grade": b, "later_kind": c, "later_grade": d}
        )
        for a, b, c, d in (("vpr", 8, "oge", 9), ("vpr", 4, "vpr", 5))
    ]


class ProcedureMismatch(_Detector):
    """O3."""

    pairs: list[Pair] = Field(
        default_factory=_pairs,
        max_length=20,
        description="Пары процедур одного набора учеников; поздняя — года выявления",
        json_schema_extra={"default": [pair.model_dump(mode="json") for pair in _pairs()]},
        examples=[
            [{"earlier_kind": "vpr", "earlier_grade": 8, "later_kind": "oge", "later_grade": 9}]
        ],
    )
    z: Decimal = Field(
        default=Decimal(2),
        gt=0,
        le=10,
        max_digits=6,
        decimal_places=3,
        description="Остаток, который считается большим, в его собственных отклонениях: |z| больше этого",
        examples=["2"],
    )


class OverEasy(_Detector):
    """O4."""

    standard_errors: Decimal = Field(
        default=Decimal(2),
        gt=0,
        le=10,
        max_digits=6,
        decimal_places=3,
        description="На сколько стандартных ошибок средний балл школы выше регионального",
        examples=["2"],
    )
    spread_percentile: int = Field(
        default=5,
        ge=1,
        le=50,
        description="Разброс баллов школы ниже этого процентиля школ региона, %",
        examples=[5],
    )


class Repeated(_Detector):
    """O5."""

    years: int = Field(
        default=3, ge=2, le=5, description="За сколько лет смотреть, вместе с годом выявления, лет",
        examples=[3],
    )  # fmt: skip
    at_least: int = Field(
        default=2, ge=2, le=5, description="В скольких из этих лет есть признаки, лет", examples=[2]
    )

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.at_least > self.years:
            message = "at_least не может быть больше years"
            raise ValueError(message)
        return self


class DetectionSettings(In):
    """All settings; what is not sent keeps its default."""

    full_from: int = Field(
        default=50, ge=2, le=1000,
        description="С какого числа участников вывод полный, человек (ФИОКО 2026: от 50)",
        examples=[50],
    )  # fmt: skip
    limited_from: int = Field(
        default=20, ge=2, le=1000,
        description="С какого числа участников вывод возможен ограниченно, человек (ФИОКО 2026: от 20); "
        "меньше — детектор не применяется",
        examples=[20],
    )  # fmt: skip
    schools_from: int = Field(
        default=10, ge=4, le=1000,
        description=f"С какого числа школ есть с чем сравнивать, школ ({_OWN})",
        examples=[10],
    )  # fmt: skip
    control: Control = Field(
        default=Control.BENJAMINI_HOCHBERG,
        description=f"Контроль ложных срабатываний по всем школам ({_OWN})",
        examples=["benjamini_hochberg"],
    )
    level: Decimal = Field(
        default=Decimal("0.05"),
        gt=0,
        le=Decimal("0.2"),
        max_digits=6,
        decimal_places=5,
        description=f"Уровень контроля по каждому детектору и процедуре ({_OWN})",
        examples=["0.05"],
    )
    border_peak: BorderPeak = Field(
        default_factory=BorderPeak, description="Пик на границе отметки", examples=[{"window": 3}]
    )
    journal_marks: JournalMarks = Field(
        default_factory=JournalMarks,
        description="Расхождение с отметками журнала",
        examples=[{"difference": 2}],
    )
    procedure_mismatch: ProcedureMismatch = Field(
        default_factory=ProcedureMismatch,
        description="Расхождение двух процедур одного набора учеников",
        examples=[{"z": "2"}],
    )
    over_easy: OverEasy = Field(
        default_factory=OverEasy,
        description="Слишком высокий и ровный результат",
        examples=[{"standard_errors": "2"}],
    )
    repeated: Repeated = Field(
        default_factory=Repeated,
        description="Повторение признаков по годам",
        examples=[{"years": 3, "at_least": 2}],
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.limited_from > self.full_from:
            message = "limited_from не может быть больше full_from"
            raise ValueError(message)
        return self

    def canonical(self) -> dict[str, Any]:
        """Give the settings as they are kept and hashed: all of them, numbers as texts."""
        return self.model_dump(mode="json")
