"""What travels about clusters."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from services.kit.http import Out
from services.kit.words import Word

__all__ = [
    "ClusterExcludedOut",
    "ClusterMemberOut",
    "ClusterMunicipalityOut",
    "ClusterOut",
    "ClusterRangeOut",
    "ClusterReasonOut",
    "ClusterValueOut",
    "ClustersOut",
    "Dimension",
]


class Dimension(Word):
    """By what schools are grouped."""

    SETTLEMENT = "settlement", "территория: село или город"
    MUNICIPALITY_KIND = "municipality_kind", "вид муниципалитета"
    RISK_PROFILE = "risk_profile", "рисковый профиль: признаки школы в прогоне"
    COMPLETENESS = "completeness", "комплектность: размер школы"


class ClusterValueOut(Out):
    """What all schools of a cluster share in a dimension."""

    dimension: Dimension = Field(description="Измерение", examples=["settlement"])
    value: str = Field(description="Код значения", examples=["rural"])
    title: str = Field(description="Значение", examples=["село"])


class ClusterRangeOut(Out):
    """How a measure varies within a cluster."""

    code: str = Field(description="Код показателя: pupils или код индекса", examples=["pupils"])
    title: str = Field(description="Показатель", examples=["Обучающихся"])
    known: int = Field(description="У скольких школ известен", examples=[12])
    least: Decimal = Field(description="Наименьшее", examples=["31"])
    middle: Decimal = Field(
        description="Медиана (из двух средних меньшее: число какой-то из школ)", examples=["64"]
    )
    greatest: Decimal = Field(description="Наибольшее", examples=["98"])


class ClusterMemberOut(Out):
    """A school of a cluster."""

    school_id: int = Field(description="Школа", examples=[12])
    code: str = Field(description="Код школы", examples=["670101"])
    name: str = Field(description="Название", examples=["МБОУ Велижская СШ № 1"])
    category: str | None = Field(
        description="Код категории в прогоне; null — не в списке", examples=["nro"]
    )


class ClusterMunicipalityOut(Out):
    """Schools of a cluster in a municipality."""

    municipality_id: int = Field(description="Муниципалитет", examples=[3])
    name: str = Field(description="Название", examples=["Велижский район"])
    schools: list[ClusterMemberOut] = Field(description="Школы по порядку кодов")


class ClusterOut(Out):
    """A cluster, explained by what its schools share."""

    code: str = Field(
        description="Код кластера: значения по порядку измерений; others — прочие",
        examples=["rural.low_results.small"],
    )
    title: str = Field(
        description="Чем школы похожи", examples=["село; низкие результаты; от 40 до 100 учеников"]
    )
    schools: int = Field(description="Сколько школ", examples=[12])
    shared: list[ClusterValueOut] = Field(
        description="Общие значения; у прочих пусто: это группы, слишком малые для отдельного кластера"
    )
    medoid: ClusterMemberOut | None = Field(
        description="Самая типичная школа: сумма расстояний до остальных (по местам в порядке каждого "
        "показателя) наименьшая; null — показателей нет, нет двух школ со всеми показателями или нет права "
        "indices:exact"
    )
    ranges: list[ClusterRangeOut] = Field(
        description="Границы показателей; только тем, у кого есть право indices:exact"
    )
    municipalities: list[ClusterMunicipalityOut] = Field(
        description="Школы по муниципалитетам в алфавитном порядке"
    )
    sentences: list[str] = Field(
        description="Объяснение по-русски", examples=[["12 школ в 5 муниципалитетах."]]
    )


class ClusterReasonOut(Out):
    """Why a school is in no cluster."""

    code: str = Field(description="Код причины", examples=["completeness_unknown"])
    title: str = Field(description="Причина", examples=["не известно число учеников"])


class ClusterExcludedOut(Out):
    """A school that is in no cluster."""

    school_id: int = Field(description="Школа", examples=[14])
    code: str = Field(description="Код школы", examples=["670103"])
    name: str = Field(description="Название", examples=["МБОУ Велижская СШ № 3"])
    municipality_name: str = Field(description="Муниципалитет", examples=["Велижский район"])
    reasons: list[ClusterReasonOut] = Field(description="Чего о ней не известно")


class ClustersOut(Out):
    """The clusters of a run."""

    run_id: int = Field(description="Прогон", examples=[5])
    year: int = Field(description="Год списка", examples=[2025])
    context_year: int = Field(description="Год профилей школ", examples=[2024])
    dimensions: list[Dimension] = Field(
        description="Измерения по порядку",
        examples=[["settlement", "risk_profile", "completeness"]],
    )
    at_least: int = Field(description="Наименьший кластер, школ", examples=[3])
    clusters: list[ClusterOut] = Field(
        description="Кластеры: от большего к меньшему, прочие последними"
    )
    excluded: list[ClusterExcludedOut] = Field(
        description="Школы вне кластеров: ничего не досчитывается, если сведений нет"
    )
    notes: list[Annotated[str, Field(examples=["Признаки и индексы заморожены в прогоне."])]] = (
        Field(description="О чём помнить читателю")
    )
