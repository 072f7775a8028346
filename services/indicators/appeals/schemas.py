"""What travels about appeals: the contested cell, the claim with its evidence, the decision."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.indicators.identification.schemas import CertaintyCode, RunSchoolState
from services.indicators.methodologies.parts import FlagCode
from services.indicators.suppression.schemas import Counted, Pupils
from services.kit.http import In, Out
from services.kit.inputs import VISIBLE_TEXT, Id
from services.kit.words import Meanings

__all__ = [
    "AppealIn",
    "AppealKind",
    "AppealOut",
    "AppealState",
    "AppealWithdrawalIn",
    "Cell",
    "DecisionIn",
    "EvidenceOut",
    "SandboxIn",
    "SandboxOut",
    "SandboxOutcome",
    "SandboxSchoolOut",
]

_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_MOST_PUPILS = 100_000

AppealKind = Annotated[
    Literal["result", "attribute", "mark", "sign"],
    Meanings(
        "AppealKind",
        {
            "result": "результат: участники процедуры в школе и низкие результаты среди них",
            "attribute": "показатель профиля школы",
            "mark": "отметка о неблагоприятных социальных условиях в карточке школы",
            "sign": "признак необъективности результатов",
        },
    ),
]
AppealState = Annotated[
    Literal["filed", "under_review", "accepted", "rejected", "withdrawn"],
    Meanings(
        "AppealState",
        {
            "filed": "подана",
            "under_review": "рассматривается",
            "accepted": "удовлетворена",
            "rejected": "отклонена",
            "withdrawn": "отозвана",
        },
    ),
]
ValueState = Annotated[
    Literal["value", "not_applicable", "not_submitted"],
    Meanings(
        "AppealValueState",
        {
            "value": "есть число, в том числе настоящий ноль",
            "not_applicable": "неприменимо к школе",
            "not_submitted": "сведений не подано",
        },
    ),
]


class ResultCell(In):
    """A contested result, as the people of one school in one procedure."""

    kind: Literal["result"] = Field(description="Результат процедуры", examples=["result"])
    procedure_id: Id = Field(description="Процедура", examples=[4])
    n: int = Field(ge=0, le=_MOST_PUPILS, description="Участников (человек)", examples=[24])
    low: int = Field(
        ge=0,
        le=_MOST_PUPILS,
        description="Из них ниже границы Bmin хотя бы по одному массовому предмету (человек)",
        examples=[5],
    )
    failed: int = Field(
        ge=0,
        le=_MOST_PUPILS,
        description="Из них ниже минимального балла хотя бы по одному массовому предмету (человек)",
        examples=[4],
    )

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.low > self.n or self.failed > self.low:
            raise ValueError("Должно быть failed ≤ low ≤ n: минимум не выше границы Bmin")
        return self


class AttributeCell(In):
    """A contested attribute of the profile."""

    kind: Literal["attribute"] = Field(description="Показатель профиля", examples=["attribute"])
    attribute: str = Field(
        pattern=r"^[a-z][a-z0-9_-]{0,39}$",
        description="Код показателя, который использует методика прогона",
        examples=["teachers_highest_category"],
    )
    state: ValueState = Field(description="Что известно", examples=["value"])
    value: Decimal | None = Field(
        default=None,
        max_digits=21,
        decimal_places=9,
        description="Значение в единицах показателя; только при state = value",
        examples=["0.62"],
    )

    @model_validator(mode="after")
    def _is_told_once(self) -> Self:
        if (self.state == "value") != (self.value is not None):
            raise ValueError("Значение указывают при state = value и только тогда")
        return self


class MarkCell(In):
    """The contested mark of adverse conditions."""

    kind: Literal["mark"] = Field(description="Отметка в карточке школы", examples=["mark"])
    adverse_conditions: bool | None = Field(
        description="Работает ли школа в неблагоприятных условиях; null — неизвестно",
        examples=[False],
    )


class SignCell(In):
    """A contested sign of biased results."""

    kind: Literal["sign"] = Field(description="Признак необъективности", examples=["sign"])
    sign_id: Id = Field(description="Номер признака", examples=[17])


Cell = Annotated[
    ResultCell | AttributeCell | MarkCell | SignCell,
    Field(discriminator="kind", description="Клетка и то, какой она должна быть"),
]


class FileIn(In):
    """A file of evidence: what names it beyond doubt. Its contents stay with whoever has them."""

    name: str = Field(
        max_length=200, pattern=VISIBLE_TEXT, description="Имя", examples=["protokol.pdf"]
    )
    size_bytes: int = Field(ge=1, le=2**40, description="Размер, байт", examples=[182_044])
    sha256: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="SHA-256 содержимого", examples=[_HASH]
    )


class EvidenceIn(In):
    """A document that supports the claim."""

    title: str = Field(
        max_length=300,
        pattern=VISIBLE_TEXT,
        description="Что это",
        examples=["Протокол перепроверки работ по математике"],
    )
    document_number: str | None = Field(
        default=None, max_length=100, pattern=VISIBLE_TEXT, description="Номер", examples=["17"]
    )
    document_date: dt.date | None = Field(
        default=None, description="Дата документа", examples=["2025-10-03"]
    )
    import_id: Id | None = Field(
        default=None, description="Импорт с исправленными строками, если он есть", examples=[None]
    )
    file: FileIn | None = Field(
        default=None,
        description="Файл: Опора хранит имя, размер и SHA-256, а сам файл остаётся у заявителя",
    )


class AppealIn(In):
    """An appeal about one cell of one school."""

    run_id: Id = Field(description="Опубликованный прогон", examples=[7])
    school_id: Id = Field(description="Школа", examples=[12])
    claimed: Cell
    reason: str = Field(
        max_length=4000,
        pattern=r"\S",
        description="Почему клетка неверна",
        examples=["Две работы проверены по чужому варианту"],
    )
    evidence: list[EvidenceIn] = Field(
        min_length=1, max_length=20, description="Документы, не меньше одного"
    )
    late_reason: str | None = Field(
        default=None,
        max_length=1000,
        pattern=VISIBLE_TEXT,
        description="Почему апелляция принимается после срока; указывает регион, в срок не нужна",
        examples=[None],
    )


class AppealWithdrawalIn(In):
    """Why an appeal is withdrawn."""

    reason: str = Field(
        max_length=1000,
        pattern=VISIBLE_TEXT,
        description="Причина",
        examples=["Ошибка найдена у нас"],
    )


class SandboxIn(In):
    """Which value to try in the contested cell."""

    corrected: Cell | None = Field(
        default=None, description="Значение клетки; null — заявленное в апелляции"
    )


class DecisionIn(In):
    """A decision of the commission."""

    outcome: Annotated[
        Literal["accepted", "rejected"],
        Meanings("AppealOutcome", {"accepted": "удовлетворить", "rejected": "отклонить"}),
    ] = Field(description="Решение", examples=["accepted"])
    reason: str = Field(
        max_length=4000,
        pattern=r"\S",
        description="Основание решения",
        examples=["Перепроверка подтвердила ошибку в двух работах"],
    )
    protocol_number: str = Field(
        max_length=100, pattern=VISIBLE_TEXT, description="Номер протокола", examples=["3"]
    )
    protocol_date: dt.date = Field(description="Дата протокола", examples=["2025-10-20"])
    commission: list[Annotated[str, Field(max_length=200, pattern=VISIBLE_TEXT)]] = Field(
        min_length=1,
        max_length=30,
        description="Кто решал: должности, без имён",
        examples=[["заместитель министра", "директор РЦОКО"]],
    )
    order_number: str | None = Field(
        default=None,
        max_length=100,
        pattern=VISIBLE_TEXT,
        description="Номер приказа",
        examples=["31-ОД"],
    )
    corrected: Cell | None = Field(
        default=None,
        description="Какой клетка признана; null — такой, как заявлено. Только при accepted",
    )

    @model_validator(mode="after")
    def _corrects_only_what_is_accepted(self) -> Self:
        if self.outcome == "rejected" and self.corrected is not None:
            raise ValueError("Исправленная клетка указывается только при accepted")
        return self


class ResultCellOut(Counted):
    """A result: people of a school in a procedure."""

    kind: Literal["result"] = Field(description="Результат процедуры", examples=["result"])
    procedure_id: int = Field(description="Процедура", examples=[4])
    n: Pupils = Field(description="Участников (человек)", examples=[24])
    low: Pupils = Field(description="Ниже границы Bmin (человек)", examples=[9])
    failed: Pupils = Field(description="Ниже минимального балла (человек)", examples=[7])


class AttributeCellOut(Out):
    """An attribute of the profile."""

    kind: Literal["attribute"] = Field(description="Показатель профиля", examples=["attribute"])
    attribute: str = Field(description="Код", examples=["teachers_highest_category"])
    state: ValueState | None = Field(
        description="Что известно; null — скрыто: нет права видеть точные числа", examples=["value"]
    )
    value: Decimal | None = Field(description="Значение в единицах показателя", examples=["0.62"])


class MarkCellOut(Out):
    """The mark of adverse conditions."""

    kind: Literal["mark"] = Field(description="Отметка в карточке", examples=["mark"])
    adverse_conditions: bool | None = Field(description="null — неизвестно", examples=[True])


class SignCellOut(Out):
    """A sign of biased results."""

    kind: Literal["sign"] = Field(description="Признак", examples=["sign"])
    sign_id: int = Field(description="Номер признака", examples=[17])
    counts: bool = Field(description="Учитывается ли признак", examples=[True])


CellOut = Annotated[
    ResultCellOut | AttributeCellOut | MarkCellOut | SignCellOut, Field(discriminator="kind")
]


class FileOut(Out):
    """A file of evidence."""

    name: str = Field(description="Имя", examples=["protokol.pdf"])
    size_bytes: int = Field(description="Размер, байт", examples=[182_044])
    sha256: str = Field(description="SHA-256 содержимого", examples=[_HASH])


class EvidenceOut(Out):
    """A document that supports the claim."""

    title: str = Field(description="Что это", examples=["Протокол перепроверки"])
    document_number: str | None = Field(description="Номер", examples=["17"])
    document_date: dt.date | None = Field(description="Дата", examples=["2025-10-03"])
    import_id: int | None = Field(description="Импорт с исправленными строками", examples=[None])
    file: FileOut | None = Field(description="Файл, который хранится у заявителя")


class AppealOut(Out):
    """An appeal with its clock and its decision."""

    id: int = Field(description="Номер апелляции", examples=[3])
    run_id: int = Field(description="Обжалуемый прогон", examples=[7])
    year: int = Field(description="Год списка", examples=[2025])
    school_id: int = Field(description="Школа", examples=[12])
    municipality_id: int = Field(description="Муниципалитет", examples=[3])
    kind: AppealKind = Field(description="Что обжалуется", examples=["result"])
    contested: CellOut = Field(description="Клетка, как она в прогоне")
    claimed: CellOut = Field(description="Какой она, по заявлению, должна быть")
    corrected: CellOut | None = Field(description="Какой признана решением; null — не признана")
    reason: str = Field(description="Доводы", examples=["Две работы проверены по чужому варианту"])
    evidence: list[EvidenceOut] = Field(description="Документы")
    state: AppealState = Field(description="Состояние", examples=["filed"])
    filed_by: str = Field(description="Кто подал", examples=["user:41"])
    filed_as: str = Field(
        description="От чьего имени: school, municipality, region", examples=["school"]
    )
    filed_at: dt.datetime = Field(description="Когда (UTC)", examples=["2025-10-05T09:00:00Z"])
    late_reason: str | None = Field(
        description="Почему принята после срока; null — подана в срок", examples=[None]
    )
    due_at: dt.datetime = Field(
        description="До какого момента следует решить (UTC)", examples=["2025-11-04T09:00:00Z"]
    )
    is_overdue: bool = Field(description="Срок решения прошёл, а решения нет", examples=[False])
    review_started_by: str | None = Field(description="Кто взял в работу", examples=["user:2"])
    review_started_at: dt.datetime | None = Field(description="Когда (UTC)", examples=[None])
    withdrawn_by: str | None = Field(description="Кто отозвал", examples=[None])
    withdrawn_at: dt.datetime | None = Field(description="Когда отозвана (UTC)", examples=[None])
    withdrawal_reason: str | None = Field(description="Почему отозвана", examples=[None])
    decided_by: str | None = Field(description="Кто внёс решение", examples=["user:2"])
    decided_at: dt.datetime | None = Field(description="Когда (UTC)", examples=[None])
    decision_reason: str | None = Field(description="Основание решения", examples=[None])
    commission: list[str] | None = Field(
        description="Кто решал: должности", examples=[["заместитель министра"]]
    )
    protocol_number: str | None = Field(description="Номер протокола", examples=["3"])
    protocol_date: dt.date | None = Field(description="Дата протокола", examples=["2025-10-20"])
    order_number: str | None = Field(description="Номер приказа", examples=[None])
    carried_out_run_id: int | None = Field(
        description="Первый опубликованный прогон того же года, посчитанный после решения: в нём "
        "решение исполнено; null — такого ещё нет",
        examples=[9],
    )
    next_step: str | None = Field(
        description="Что нужно, чтобы решение подействовало; null — ничего",
        examples=["Поправка ляжет на данные следующего прогона"],
    )
    version: int = Field(description="Версия записи (ETag)", examples=[2])


class SandboxSideOut(Out):
    """What the run says of a school, or would say."""

    state: RunSchoolState = Field(description="Состояние", examples=["assessed"])
    flags: list[FlagCode] = Field(description="Признаки", examples=[["low_results"]])
    unknown_flags: list[FlagCode] = Field(
        description="Признаки, на которые данные не отвечают", examples=[[]]
    )
    category: str | None = Field(description="Категория; null — не в списке", examples=["nro"])
    certainty: CertaintyCode = Field(
        description="Класс признака «низкие результаты»", examples=["possible"]
    )


class SandboxSchoolOut(Out):
    """A school with what the run says of it, and what it would say."""

    school_id: int = Field(description="Школа", examples=[12])
    code: str = Field(description="Код школы", examples=["670101"])
    name: str = Field(description="Название", examples=["МБОУ Велижская СШ № 1"])
    before: SandboxSideOut = Field(description="В прогоне")
    after: SandboxSideOut = Field(description="С исправленной клеткой")


class SandboxOutcome(Out):
    """What the corrected cell changes in the run, everything else frozen."""

    school: SandboxSchoolOut = Field(description="Школа, чья клетка исправлена")
    change: Annotated[
        Literal["none", "entered", "left", "changed"],
        Meanings(
            "SandboxChange",
            {
                "none": "ответ тот же",
                "entered": "школа вошла бы в список",
                "left": "школа вышла бы из списка",
                "changed": "место в списке то же, ответ иной",
            },
        ),
    ] = Field(description="Что меняется для школы", examples=["left"])
    others: list[SandboxSchoolOut] = Field(
        description="Другие школы, чей ответ меняется: так бывает, когда признак зависит от места "
        "школы среди остальных"
    )
    sentence: str = Field(
        description="Одним предложением",
        examples=["С исправленной клеткой школа выходит из списка; ответы других школ те же"],
    )


class SandboxOut(Out):
    """A sandbox of an appeal, kept as it was computed."""

    id: int = Field(description="Номер", examples=[1])
    appeal_id: int = Field(description="Апелляция", examples=[3])
    corrected: CellOut = Field(description="Какое значение пробовали")
    outcome: SandboxOutcome = Field(description="Что меняется")
    computed_by: str = Field(description="Кто", examples=["user:2"])
    computed_at: dt.datetime = Field(description="Когда (UTC)", examples=["2025-10-12T08:30:00Z"])
