"""Russian names of the fields of a document, for comparing documents in words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["KEYS", "LABELS", "NAMES", "SENTENCES", "WORDS"]

Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """How things of a list are spoken of."""

    one: str
    many: str
    added: str
    removed: str


def _code(thing: Mapping[str, Any]) -> str:
    return str(thing["code"])


def _procedure(thing: Mapping[str, Any]) -> str:
    grades = thing.get("grades")
    return f"{thing['kind']} ({', '.join(map(str, grades)) if grades else 'все классы'})"


def _component(thing: Mapping[str, Any]) -> str:
    over = f" / {thing['over']}" if thing.get("over") else ""
    return f"{thing['attribute']}{over}" + (" (ln)" if thing.get("transform") == "ln" else "")


def _predictor(thing: Mapping[str, Any]) -> str:
    return str(thing.get("index") or thing.get("attribute"))


KEYS: dict[Place, Callable[[Mapping[str, Any]], str]] = {
    ("rules",): _code,
    ("flags",): _code,
    ("categories",): _code,
    ("indices",): _code,
    ("procedures",): _procedure,
    ("indices", "components"): _component,
    ("expectation", "on"): _predictor,
}
"""Lists of things that have names of their own."""

NAMES: dict[Place, Name] = {
    ("rules",): Name("правило", "правила", "добавлено правило", "убрано правило"),
    ("flags",): Name("признак", "признаки", "добавлен признак", "убран признак"),
    ("categories",): Name("категория", "категории", "добавлена категория", "убрана категория"),
    ("indices",): Name("индекс", "индексы", "добавлен индекс", "убран индекс"),
    ("procedures",): Name("процедуры", "процедуры", "добавлены процедуры", "убраны процедуры"),
    ("indices", "components"): Name(
        "компонент", "компоненты", "добавлен компонент", "убран компонент"
    ),
    ("expectation", "on"): Name(
        "ожидание по", "по чему ожидают", "ожидание теперь и по", "ожидание больше не по"
    ),
}

LABELS: dict[Place, str] = {
    ("code",): "код методики",
    ("title",): "название",
    ("source",): "источник",
    ("source", "document"): "документ",
    ("source", "paragraph"): "пункт",
    ("source", "quote"): "цитата",
    ("order",): "приказ",
    ("order", "number"): "номер",
    ("order", "date"): "дата",
    ("in_force_from",): "действует с",
    ("in_force_to",): "действует по",
    ("required_use",): "требуемое использование результатов",
    ("low_result", "based_on"): "чем измеряется низкий результат",
    ("low_result", "threshold"): "порог низкого результата",
    ("low_result", "operator"): "доля сравнивается с порогом",
    ("margin_share",): "доля от максимума в Bmin",
    ("procedures", "kind"): "вид",
    ("procedures", "grades"): "классы",
    ("procedures", "mass_subjects"): "массовые предметы",
    ("excluded_school_kinds",): "виды школ вне методики",
    ("rules", "code"): "код",
    ("rules", "title"): "название",
    ("rules", "years_back"): "на сколько лет назад смотрит",
    ("small_n",): "малые группы",
    ("small_n", "policy"): "как судить",
    ("small_n", "years"): "за сколько лет складывать",
    ("certainty",): "достоверность",
    ("certainty", "z"): "квантиль",
    ("certainty", "interval"): "интервал",
    ("certainty", "shrinkage"): "стягивание долей",
    ("flags", "code"): "код",
    ("flags", "title"): "название",
    ("flags", "taken_from"): "откуда берётся",
    ("categories", "code"): "код",
    ("categories", "title"): "название",
    ("categories", "has"): "признаки, которые есть",
    ("categories", "has_not"): "признаки, которых нет",
    ("indices", "code"): "код",
    ("indices", "title"): "название",
    ("indices", "method"): "способ расчёта",
    ("indices", "max_missing_weight"): "допустимая доля недостающих весов",
    ("indices", "centre"): "середина шкалы",
    ("indices", "step"): "шаг шкалы",
    ("indices", "result"): "результат школы",
    ("indices", "components", "attribute"): "показатель",
    ("indices", "components", "over"): "делитель",
    ("indices", "components", "title"): "название",
    ("indices", "components", "weight"): "вес",
    ("indices", "components", "adverse"): "неблагоприятная сторона",
    ("indices", "components", "transform"): "преобразование",
    ("indices", "components", "minimum"): "нижняя граница",
    ("indices", "components", "maximum"): "верхняя граница",
    ("indices", "components", "norm"): "норма",
    ("expectation",): "ожидаемый результат",
    ("expectation", "result"): "результат школы",
    ("expectation", "better"): "какой результат лучше",
    ("expectation", "adverse_by"): "неблагоприятные условия по индексу",
    ("expectation", "adverse_share"): "доля школ с неблагоприятными условиями",
    ("expectation", "residual_sds"): "остаток больше стольких стандартных отклонений",
    ("expectation", "years"): "в скольких годах подряд",
    ("expectation", "z"): "квантиль",
    ("context_year_back",): "профили берутся за год раньше списка на",
    ("exit",): "выход из списка",
}
"""What is not named here is told by its field; nothing is left out."""

SENTENCES: dict[Place, str] = {
    ("rules", "at_least"): "не менее {before} процедур в году → не менее {after}",
    ("small_n", "below"): "меньше {before} участников → меньше {after}",
}
"""Changes that read better whole."""

WORDS: dict[tuple[str, str], str] = {
    ("based_on", "minimum"): "ниже минимального балла (отметка «2»)",
    ("based_on", "bmin"): "ниже нижней границы Bmin",
    ("operator", ">="): "не меньше порога",
    ("operator", ">"): "больше порога",
    ("required_use", "identification"): "списки школ",
    ("required_use", "analysis"): "только анализ",
    ("policy", "flag"): "судить как все",
    ("policy", "no_flag"): "не давать признака",
    ("policy", "pool"): "складывать годы",
    ("taken_from", "rules"): "из правил",
    ("taken_from", "school"): "из отметки в карточке школы",
    ("taken_from", "conditions"): "из условия",
    ("interval", "wilson"): "Уилсона",
    ("interval", "exact"): "точный",
    ("shrinkage", "none"): "нет",
    ("shrinkage", "beta_binomial"): "бета-биномиальное",
    ("method", "weighted_z"): "взвешенные отклонения",
    ("method", "bounded_shares"): "ограниченные доли",
    ("method", "regression"): "регрессия",
    ("adverse", "high"): "большое значение",
    ("adverse", "low"): "малое значение",
    ("transform", "none"): "нет",
    ("transform", "ln"): "логарифм",
    ("better", "high"): "больший",
    ("better", "low"): "меньший",
}
