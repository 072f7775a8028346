"""What a sign rests on, by detector: the school's numbers beside those of the other schools.

Written when a detection is computed and shown as it is to whoever may see exact numbers. Numbers that
are not whole travel as texts, exact or with the digits that the arithmetic gave them.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from services.indicators.suppression.schemas import PUPILS
from services.kit.http import Out

__all__ = [
    "BorderOut",
    "BorderPeakEvidence",
    "Evidence",
    "JournalEvidence",
    "MeasuredOut",
    "MismatchEvidence",
    "OverEasyEvidence",
    "RepeatEvidence",
    "RepeatedSignOut",
    "ScoreOut",
]

_MARK: dict[str, Any] = {PUPILS: True}
_DERIVED: dict[str, Any] = {PUPILS: "derived"}


def _pupils(description: str, example: int) -> Any:
    return Field(description=f"{description}, человек", examples=[example], json_schema_extra=_MARK)


def _derived(description: str, example: Any) -> Any:
    return Field(description=description, examples=[example], json_schema_extra=_DERIVED)


class ScoreOut(Out):
    """One score of the histogram."""

    score: int = Field(description="Первичный балл", examples=[14])
    pupils: int = _pupils("Учеников школы с этим баллом", 9)
    others: int = _pupils("Учеников остальных школ с этим баллом", 812)


class BorderOut(Out):
    """One border of a mark."""

    border: int = Field(description="Первый балл отметки", examples=[14])
    first: int = Field(description="Первый балл окна", examples=[11])
    last: int = Field(description="Последний балл окна", examples=[16])
    below: int = _pupils("Учеников школы в окне ниже границы", 2)
    above: int = _pupils("Учеников школы в окне с границы", 14)
    others_below: int = _pupils("То же, остальные школы, ниже границы", 2140)
    others_above: int = _pupils("То же, остальные школы, с границы", 2320)
    expected_share: str = _derived(
        "Ожидаемая доля «с границы» в окне: распределение остальных школ, сдвинутое к среднему школы",
        "0.531200000000000000",
    )
    z: str | None = _derived(
        "(n на границе − n перед ней) / √(их суммы); null, если на обоих баллах никого",
        "2.529822128",
    )


class BorderPeakEvidence(Out):
    """O1: a peak at the borders of marks."""

    detector: Literal["border_peak"] = Field(description="Детектор", examples=["border_peak"])
    above: int = _pupils("Всего с границ и выше в окнах", 31)
    expected: str = _derived("Сколько ожидалось, человек", "19.480000000")
    ratio: str | None = _derived(
        "R школы: выше границ к ниже, точная дробь; null, если ниже никого", "31/6"
    )
    others_ratio: str = _derived("R остальных школ, точная дробь", "2320/2140")
    borders: list[BorderOut] = Field(description="По границам отметок", json_schema_extra=_DERIVED)
    histogram: list[ScoreOut] = Field(
        description="Распределение баллов вокруг границ", json_schema_extra=_DERIVED
    )


class JournalEvidence(Out):
    """O2: marks of the work beside marks of the journal."""

    detector: Literal["journal_marks"] = Field(description="Детектор", examples=["journal_marks"])
    compared: int = _pupils("Учеников с обеими отметками", 74)
    apart: int = _pupils("Из них расходятся сильно (на difference и больше)", 12)
    raised: int = _pupils("Из них «повысили»: за работу выше, чем в журнале", 40)
    lowered: int = _pupils("Из них «понизили»", 3)
    others_compared: int = _pupils("Остальные школы: с обеими отметками", 8120)
    others_apart: int = _pupils("Остальные школы: расходятся сильно", 160)
    others_raised: int = _pupils("Остальные школы: «повысили»", 1040)
    apart_likeness: str = _derived(
        "Сходство учеников одной школы по сильному расхождению (внутриклассовая корреляция)",
        "0.013400000",
    )
    raised_likeness: str = _derived("То же по «повысили»", "0.081200000")
    apart_p: str = _derived("Вероятность такой доли сильных расхождений", "0.000000100000000000")
    raised_p: str = _derived("Вероятность такой доли «повысили»", "0.000200000000000000")


class MeasuredOut(Out):
    """A procedure and how the school did in it."""

    procedure_id: int = Field(description="Процедура", examples=[3])
    title: str = Field(description="Название процедуры", examples=["ВПР, 8 класс"])
    year: int = Field(description="Год", examples=[2024])
    n: int = _pupils("Участников школы", 52)
    mean: str = _derived("Средний балл школы", "21.406250")


class MismatchEvidence(Out):
    """O3: two procedures of one cohort."""

    detector: Literal["procedure_mismatch"] = Field(
        description="Детектор", examples=["procedure_mismatch"]
    )
    earlier: MeasuredOut = Field(description="Ранняя процедура", json_schema_extra=_DERIVED)
    later: MeasuredOut = Field(description="Поздняя процедура", json_schema_extra=_DERIVED)
    schools: int = Field(description="Школ, по которым проведена линия", examples=[143])
    expected: str = _derived("Средний балл поздней, ожидаемый по ранней", "24.100000")
    residual: str = _derived("Отклонение от ожидаемого, баллов", "-6.300000")
    z: str = _derived("То же в собственных отклонениях", "-4.120000000")


class OverEasyEvidence(Out):
    """O4: results that are too high and too even."""

    detector: Literal["over_easy"] = Field(description="Детектор", examples=["over_easy"])
    mean: str = _derived("Средний балл школы", "17.200000")
    others_mean: str = _derived("Средний балл остальных учеников региона", "11.900000")
    standard_error: str = _derived("Стандартная ошибка среднего школы", "0.540000")
    spread: str = _derived("Разброс баллов школы (стандартное отклонение)", "1.100000")
    spread_limit: str = Field(
        description="Разброс на заданном процентиле школ региона", examples=["2.300000"]
    )
    maximum_share: str = _derived("Доля учеников с максимальным баллом, точная дробь", "11/60")
    mean_z: str = _derived("Удалённость среднего от середины школ", "3.400000000")
    spread_z: str = _derived("Удалённость разброса от ожидаемого при таком среднем", "-3.100000000")


class RepeatedSignOut(Out):
    """A sign that repeats."""

    year: int = Field(description="Год признака", examples=[2024])
    detector: str = Field(description="Детектор", examples=["border_peak"])
    procedure_id: int = Field(description="Процедура", examples=[3])
    subject: str | None = Field(description="Предмет", examples=["rus"])


class RepeatEvidence(Out):
    """O5: signs in several years."""

    detector: Literal["repeated"] = Field(description="Детектор", examples=["repeated"])
    years: list[int] = Field(description="Годы с признаками", examples=[[2023, 2025]])
    within: int = Field(description="За сколько лет посмотрели, лет", examples=[3])
    signs: list[RepeatedSignOut] = Field(description="Признаки этих лет")


Evidence = Annotated[
    BorderPeakEvidence | JournalEvidence | MismatchEvidence | OverEasyEvidence | RepeatEvidence,
    Field(discriminator="detector"),
]
