"""Closed lists of words about schools, in the API and in the database alike."""

from services.kit.words import Word

__all__ = ["SchoolKind", "Stage", "SuccessionKind"]


class SchoolKind(Word):
    """Kind of a general education organisation. Source: methodology A12, A14."""

    PRIMARY = "nosh", "начальная школа"
    BASIC = "oosh", "основная школа"
    SECONDARY = "sosh", "средняя школа"
    GYMNASIUM = "gymnasium", "гимназия"
    LYCEUM = "lyceum", "лицей"
    ADVANCED = "advanced", "школа с углублённым изучением отдельных предметов"
    EVENING = "evening", "вечерняя (сменная) школа"
    CORRECTIONAL = "correctional", "школа для обучающихся с ОВЗ"
    BOARDING = "boarding", "школа-интернат"
    CADET = "cadet", "кадетская школа"
    OTHER = "other", "другая организация"


class Stage(Word):
    """Stage of general education that a school teaches."""

    PRIMARY = "noo", "начальное общее образование, 1–4 классы"
    BASIC = "ooo", "основное общее образование, 5–9 классы"
    SECONDARY = "soo", "среднее общее образование, 10–11 классы"


class SuccessionKind(Word):
    """What happened in the network of schools."""

    MERGE = "merge", "предшественник присоединён к школе"
    SPLIT = "split", "школа выделена из предшественника"
    RENAME = "rename", "школа переименована"
    TRANSFER = "transfer", "школа передана другому муниципалитету или учредителю"
    CLOSURE = "closure", "школа закрыта"
