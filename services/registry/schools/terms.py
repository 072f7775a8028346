"""Closed lists of words about schools, in the API and in the database alike."""

from enum import StrEnum

__all__ = ["SchoolKind", "Stage", "SuccessionKind"]


class SchoolKind(StrEnum):
    """Kind of a general education organisation. Source: methodology A12, A14."""

    PRIMARY = "nosh"  # начальная
    BASIC = "oosh"  # основная
    SECONDARY = "sosh"  # средняя
    GYMNASIUM = "gymnasium"
    LYCEUM = "lyceum"
    ADVANCED = "advanced"  # с углублённым изучением предметов
    EVENING = "evening"  # вечерняя (сменная)
    CORRECTIONAL = "correctional"  # для обучающихся с ОВЗ
    BOARDING = "boarding"  # школа-интернат
    CADET = "cadet"
    OTHER = "other"


class Stage(StrEnum):
    """Stage of general education that a school teaches."""

    PRIMARY = "noo"  # начальное общее, 1-4
    BASIC = "ooo"  # основное общее, 5-9
    SECONDARY = "soo"  # среднее общее, 10-11


class SuccessionKind(StrEnum):
    """What happened in the network of schools."""

    MERGE = "merge"  # the predecessor was merged into the school
    SPLIT = "split"  # the school was split off from the predecessor
    RENAME = "rename"
    TRANSFER = "transfer"  # to another municipality or founder
    CLOSURE = "closure"
