"""What travels about the precision of a run."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from services.indicators.identification.schemas import CertaintyCode, RunSchoolState
from services.indicators.suppression.schemas import DERIVED, Counted, Pupils
from services.kit.http import Out
from services.kit.words import Word

__all__ = ["Badge", "EndsOut", "PriorOut", "ProcedurePrecisionOut", "SchoolPrecisionOut"]


class Badge(Word):
    """How far the judgement of a school can be relied on."""

    RELIABLE = "reliable", "надёжно"
    BORDERLINE = "borderline", "пограничный"
    FEW_DATA = "few_data", "мало данных"


class EndsOut(Out):
    """The ends of an interval of a share."""

    lower: Decimal = Field(description="Нижняя граница доли", examples=["0.193260"])
    upper: Decimal = Field(description="Верхняя граница доли", examples=["0.680489"])


class PriorOut(Out):
    """What the schools of a procedure have in common, by which the share of one is drawn to theirs."""

    share: str = Field(
        description="Доля по всем участникам региона, точно", examples=["7315/31022"]
    )
    rho: str = Field(
        description="Внутришкольная корреляция, точно", examples=["16369949/100000000"]
    )
    weight: str | None = Field(
        description="Вес M в участниках, точно; null — без конца: школы различаются не больше, чем "
        "случайно, и доля каждой стягивается к общей целиком",
        examples=["255437727/50000000"],
    )
    schools: int = Field(description="По скольким школам оценено", examples=[2410])


class ProcedurePrecisionOut(Counted):
    """How precise the number of a school in a procedure is."""

    procedure_id: int = Field(description="Процедура", examples=[4])
    kind: str = Field(description="Вид", examples=["oge"])
    grade: int = Field(description="Класс", examples=[9])
    year: int = Field(description="Год", examples=[2024])
    title: str = Field(description="Название", examples=["ОГЭ 2024"])
    is_pooled: bool = Field(
        description="Сложено с прошлыми годами: участников в году мало", examples=[False]
    )
    certainty: CertaintyCode = Field(description="Класс", examples=["possible"])
    low: Pupils = Field(description="Низких результатов (людей)", examples=[5])
    n: Pupils = Field(description="Участников (людей)", examples=[12])
    share: Annotated[Decimal | None, Field(json_schema_extra=DERIVED)] = Field(
        description="Доля, округлена до 6 знаков", examples=["0.416667"]
    )
    wilson: Annotated[EndsOut | None, Field(json_schema_extra=DERIVED)] = Field(
        description="Интервал Уилсона"
    )
    exact: Annotated[EndsOut | None, Field(json_schema_extra=DERIVED)] = Field(
        description="Точный интервал Клоппера — Пирсона"
    )
    shrunken_share: Annotated[Decimal | None, Field(json_schema_extra=DERIVED)] = Field(
        description="Доля, стянутая к общей (бета-биномиальная модель); null — скрыта или не оценивается",
        examples=["0.353214"],
    )
    probability: Annotated[Decimal | None, Field(json_schema_extra=DERIVED)] = Field(
        description="Вероятность, что истинная доля школы не ниже порога, при данных остальных школ; "
        "null — скрыта или не оценивается",
        examples=["0.642318055"],
    )
    pupils_to_threshold: Annotated[int | None, Field(json_schema_extra=DERIVED)] = Field(
        description="Сколько учеников (человек) до порога: больше нуля — на столько меньше низких результатов, и "
        "результат процедуры уже не низкий; меньше нуля — на столько больше, и он низкий",
        examples=[2],
    )
    detectable: Annotated[Decimal | None, Field(json_schema_extra=DERIVED)] = Field(
        description="Наименьшее изменение доли, различимое при стольких участниках, процентные пункты: "
        "alpha 5 %, мощность 80 % (настройка Опоры, не норма документа)",
        examples=["55.7900"],
    )
    prior: Annotated[PriorOut | None, Field(json_schema_extra=DERIVED)] = Field(
        description="К чему стягивается доля; null — не оценено, прогон сделан до того, как это хранилось, "
        "или скрыто: нужно право indices:exact"
    )


class SchoolPrecisionOut(Out):
    """How far the judgement of a run on a school can be relied on."""

    school_id: int = Field(description="Школа", examples=[12])
    municipality_id: int = Field(description="Муниципалитет на момент прогона", examples=[3])
    code: str = Field(description="Код школы", examples=["670101"])
    name: str = Field(description="Название", examples=["МБОУ Велижская СШ № 1"])
    municipality_name: str = Field(description="Муниципалитет", examples=["Велижский район"])
    state: RunSchoolState = Field(description="Состояние в прогоне", examples=["assessed"])
    certainty: CertaintyCode = Field(
        description="Класс признака «низкие результаты»", examples=["possible"]
    )
    badge: Badge = Field(
        description="reliable — класс «устойчиво» или «нет», и один ученик его не меняет; borderline — "
        "класс «возможно» или «не исключено», или вывод меняет один ученик; few_data — данных мало",
        examples=["borderline"],
    )
    is_borderline: bool | None = Field(
        description="Один ученик с низким результатом больше или меньше меняет, выполнено ли правило; "
        "null — числа скрыты",
        examples=[True],
    )
    procedures: list[ProcedurePrecisionOut] = Field(
        description="Процедуры с участниками, по году, виду и классу"
    )
