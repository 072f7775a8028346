"""How to redo an answer with paper and a calculator: the steps in words, with the school's numbers.

Source: methodology A4 (1) (rules), B5 (Wilson's interval, classes, pooling), B10 (1, 8).
"""

from collections.abc import Sequence
from fractions import Fraction

from services.indicators.algebra.shares import round_half_up
from services.indicators.identification.tracing.narration import comma, procedure_name
from services.indicators.identification.tracing.schemas import (
    MethodologyTraceOut,
    ProcedureTraceOut,
    TraceOut,
)

__all__ = ["recalculation"]

_LOW = {
    "minimum": "балл ниже минимального хотя бы по одному массовому предмету",
    "bmin": "балл ниже границы Bmin хотя бы по одному массовому предмету; Bmin = минимум + доля "
    "максимума · максимум (числа — в таблице предметов)",
}

_RULES = (
    "Класс правила: в каждом году правила расположите классы процедур по убыванию "
    "(устойчиво, возможно, не исключено, мало данных, нет) и возьмите стоящий на месте, номер "
    "которого равен требуемому числу процедур; если процедур с данными меньше — «нет». Класс "
    "правила — худший из его годов, класс школы — лучший из правил."
)
_FLAGS = (
    "Признак «низкие результаты» есть, если класс школы «возможно» или «устойчиво». Остальные "
    "признаки — из отметки в карточке школы или из условий, указанных ниже; неизвестное "
    "признаком не считается."
)
_CATEGORY = (
    "Категория — единственная, у которой есть все требуемые признаки школы и нет ни одного из "
    "исключённых. Школа без признаков в список не входит."
)

_SCALE = (
    "Индекс = середина шкалы + шаг · сумма (вес · балл) / сумма весов тех компонентов, у которых есть "
    "балл; если не хватает большей доли весов, чем разрешено, индекса нет."
)
_INDICES = {
    "weighted_z": "Балл компонента: (значение − среднее) / стандартное отклонение; знак меняется, если "
    "неблагоприятно малое значение. " + _SCALE,
    "bounded_shares": "Балл компонента: (значение − нижняя граница) / (верхняя − нижняя), не меньше "
    "нуля и не больше единицы; из единицы вычитается, если неблагоприятно большое значение; с нормой — "
    "доля её выполнения. " + _SCALE,
    "regression": "Индекс — результат, который предсказывает линейная регрессия по компонентам.",
}


def recalculation(trace: TraceOut) -> list[str]:
    """Tell the steps, from the counted people to the category."""
    methodology, procedures = trace.methodology, trace.procedures
    return [
        _share(methodology, procedures),
        _threshold(methodology, procedures),
        _interval(methodology),
        _classes(methodology),
        _small_groups(methodology),
        *_shrinkage(methodology),
        _RULES,
        _FLAGS,
        *_indices(trace),
        _CATEGORY,
    ]


def _example(procedures: Sequence[ProcedureTraceOut]) -> ProcedureTraceOut | None:
    """Take the first procedure whose numbers may be told and are not zero of zero."""
    return next((p for p in procedures if p.judged is not None and p.judged.denominator), None)


def _share(methodology: MethodologyTraceOut, procedures: Sequence[ProcedureTraceOut]) -> str:
    told = (
        "Для каждой процедуры разделите число участников с низким результатом "
        f"({_LOW[methodology.based_on]}) на число участников"
    )
    example = _example(procedures)
    if example is None or example.judged is None or example.judged.percent is None:
        return told + "."
    judged = example.judged
    return (
        f"{told}. {procedure_name(example)}: {judged.numerator} / {judged.denominator} = "
        f"{comma(example.judged.percent)} %."
    )


def _threshold(methodology: MethodologyTraceOut, procedures: Sequence[ProcedureTraceOut]) -> str:
    limit = Fraction(methodology.threshold)
    sign = "не меньше" if methodology.operator == ">=" else "больше"
    told = (
        f"Сравните долю с порогом {limit.numerator}/{limit.denominator} "
        f"({comma(round_half_up(limit * 100, 2))} %): результат процедуры низкий, если доля {sign} "
        "порога. Сравнивайте целые числа, а не округлённые проценты: участников с низким "
        f"результатом, умноженных на {limit.denominator}, и участников, умноженных на "
        f"{limit.numerator}"
    )
    example = _example(procedures)
    if example is None or example.judged is None:
        return told + "."
    low, n = example.judged.numerator or 0, example.judged.denominator or 0
    return (
        f"{told}: {low} · {limit.denominator} = {low * limit.denominator}, "
        f"{n} · {limit.numerator} = {n * limit.numerator}."
    )


def _interval(methodology: MethodologyTraceOut) -> str:
    if methodology.interval == "exact":
        return (
            "Точный интервал (Клоппера–Пирсона): нижняя граница — доля, при которой вероятность "
            f"получить столько низких результатов или больше равна {methodology.tail}; верхняя — при "
            f"которой вероятность получить столько или меньше равна {methodology.tail}. Граница не "
            "меньше порога, если такая вероятность при доле, равной порогу, не больше этого числа "
            "(для верхней — не меньше)."
        )
    return (
        f"Интервал Уилсона: p — доля, n — участники, z = {comma(methodology.z)}. Середина "
        "c = (p + z²/(2n)) / (1 + z²/n), половина ширины "
        "h = z · √(p · (1 − p)/n + z²/(4n²)) / (1 + z²/n); границы c − h и c + h."
    )


def _classes(methodology: MethodologyTraceOut) -> str:
    reaches = "не меньше порога" if methodology.operator == ">=" else "больше порога"
    return (
        f"Класс процедуры: «устойчиво» — и нижняя граница {reaches}; «возможно» — сама доля {reaches}; "
        f"«не исключено» — только верхняя граница {reaches}; иначе «нет». Наименьшие числа участников "
        "с низким результатом, с которых начинается каждый класс, указаны у процедуры."
    )


def _shrinkage(methodology: MethodologyTraceOut) -> list[str]:
    if methodology.shrinkage == "none":
        return []
    return [
        (
            "Сглаженная доля: (k + M · P) / (n + M), где k и n — низкие результаты и участники, P и M — "
            "общие для школ процедуры (указаны у процедуры; если M нет — сама P). Для «возможно» и "
            "«устойчиво» порога должна достигать и она."
        )
    ]


def _indices(trace: TraceOut) -> list[str]:
    methods = {index.method for index in trace.indices}
    return [_INDICES[method] for method in _INDICES if method in methods]


def _small_groups(methodology: MethodologyTraceOut) -> str:
    few = f"Если участников меньше {methodology.small_below}"
    if methodology.small_policy == "flag":
        return "Малые группы участников судятся как остальные."
    if methodology.small_policy == "no_flag":
        return f"{few}, класс — «мало данных» (или «нет», если и верхняя граница ниже порога)."
    return (
        f"{few}, сложите числа той же процедуры за {methodology.small_years} года подряд, считая "
        "назад; если и в сумме меньше, класс — «мало данных» (или «нет», если и верхняя граница "
        "ниже порога)."
    )
