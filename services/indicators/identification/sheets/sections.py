"""The sections of a decision sheet, each made of its part of the trace."""

from services.indicators.algebra.certainty import Certainty
from services.indicators.identification.sheets.blocks import (
    HIDDEN,
    NOTHING,
    Fact,
    Section,
    Table,
    day,
    exactly,
    hidden,
    percent,
    printed,
)
from services.indicators.identification.tracing.flag_schemas import (
    ComponentTraceOut,
    ConditionTraceOut,
    IndexTraceOut,
)
from services.indicators.identification.tracing.schemas import (
    IntervalOut,
    ProcedureTraceOut,
    ShareOut,
    SourceOut,
    TraceOut,
)

__all__ = [
    "categories",
    "changes",
    "flags",
    "head",
    "indices",
    "priors",
    "procedures",
    "recalculation",
    "rules",
    "signs",
    "sources",
    "subjects",
    "verdict",
    "verification",
]

_CLASSES = {certainty.code: certainty.title for certainty in Certainty}
_ANSWERS = {"yes": "да", "no": "нет", "unknown": "неизвестно", "hidden": "скрыто"}
_FROM = {
    "rules": "правила низких результатов",
    "school": "отметка в карточке школы",
    "conditions": "условия методики",
}
_STATES = {"no_data": "данных нет", "not_applicable": "неприменимо"}
_MISSING = {"not_applicable": "неприменимо", "not_submitted": "не подано"}
_RUN_STATES = {
    "draft": "черновик",
    "prepared": "подготовлен",
    "approved": "утверждён",
    "published": "опубликован",
    "voided": "отменён",
}
_SUPPORT = (
    "Признаки — основание для поддержки и проверки данных, а не оценка работы школы и не взыскание."
)


def head(trace: TraceOut) -> list[Fact]:
    """Tell which school, which list, by which order and methodology."""
    school, listing, methodology = trace.school, trace.listing, trace.methodology
    version = f"{methodology.code}, версия {methodology.number}"
    until = f" по {day(methodology.in_force_to)}" if methodology.in_force_to else ""
    facts = [
        ("Школа", school.name),
        ("Код школы", school.code),
        ("Муниципалитет", school.municipality_name),
        ("Список", _order(listing.order_number, listing.order_date, _RUN_STATES[listing.state])),
        ("Прогон", trace.run_id),
        ("Методика", f"{methodology.title} ({version})"),
        ("Приказ о методике", _order(methodology.order_number, methodology.order_date, NOTHING)),
        ("Действует", f"с {day(methodology.in_force_from)}{until}"),
        ("Источник правил", methodology.source),
    ]
    return [Fact(name, printed(value)) for name, value in facts]


def _order(number: str | None, on: object, otherwise: str) -> str:
    return f"приказ № {number} от {printed(on)}" if number else otherwise


def verdict(trace: TraceOut) -> Section:
    """Tell the answer in sentences, after the conclusion that stands above."""
    return Section(
        "Вывод словами", paragraphs=[*(printed(told) for told in trace.sentences[1:]), _SUPPORT]
    )


def flags(trace: TraceOut) -> Section:
    """Tell each flag, its conditions, and the category that fits."""
    rows = []
    for flag in trace.flags:
        rows.append([printed(flag.title), _FROM[flag.taken_from], _ANSWERS[flag.answer]])
        if flag.condition is not None:
            rows += _conditions(flag.condition, depth=1)
    fitting = [f"Категория школы: «{c.title}»." for c in trace.categories if c.is_chosen]
    return Section(
        "Признаки и категория",
        paragraphs=fitting or ["Ни одна категория не подходит: признаков нет."],
        table=Table(["Признак или условие", "Из чего следует", "Ответ"], rows),
    )


def _conditions(condition: ConditionTraceOut, *, depth: int) -> list[list[str]]:
    told = [f"{'· ' * depth}{printed(condition.text)}", "условие", _ANSWERS[condition.answer]]
    parts = [row for part in condition.conditions for row in _conditions(part, depth=depth + 1)]
    return [told, *parts]


def priors(trace: TraceOut) -> Section | None:
    """Tell what the shares are drawn towards, where the methodology shrinks them."""
    rows = [
        [
            printed(f"{told.title} ({told.grade} класс, {told.year} год)"),
            told.prior.share,
            exactly(told.prior.weight or "без конца"),
            exactly(told.prior.rho),
            printed(told.prior.schools),
            HIDDEN if "shrunken" in told.suppressed else told.shrunken or NOTHING,
        ]
        for told in trace.procedures
        if told.prior is not None
    ]
    if not rows:
        return None
    columns = ["Процедура", "P", "M", "Сходство rho", "По скольким школам", "Сглаженная доля"]
    return Section("Сглаживание долей", table=Table(columns, rows))


def categories(trace: TraceOut) -> Section:
    """Tell the categories with the flags that each asks for."""
    titles = {flag.code: flag.title for flag in trace.flags}

    def named(codes: list[str]) -> str:
        return ", ".join(printed(titles.get(code, code)) for code in codes) or NOTHING

    rows = [
        [printed(c.title), named(c.has), named(c.has_not), printed(c.is_chosen)]
        for c in trace.categories
    ]
    columns = ["Категория", "Признаки, которые есть", "Признаки, которых нет", "Школа в ней"]
    return Section("Категории методики", table=Table(columns, rows))


def indices(trace: TraceOut) -> list[Section]:
    """Tell each index with its components."""
    return [_index(index) for index in trace.indices]


def _index(index: IndexTraceOut) -> Section:
    value = HIDDEN if index.is_hidden else exactly(index.value or NOTHING)
    told = (
        f"Значение у школы: {value}. Профили {index.year} года; индекс посчитан у {index.schools} школ. "
        f"Середина шкалы {exactly(index.centre)}, шаг {exactly(index.step)}. Не хватает доли весов: "
        f"{exactly(index.missing_weight or NOTHING)}; разрешено не больше "
        f"{exactly(index.max_missing_weight)}."
    )
    rows = [_component(component, is_hidden=index.is_hidden) for component in index.components]
    columns = [
        "Компонент", "Значение", "Источник", "Неблагоприятно", "Школ", "Среднее", "Отклонение",
        "Наименьшее", "Наибольшее", "Норма", "Балл", "Вес", "Вес · балл",
    ]  # fmt: skip
    return Section(f"Индекс: {printed(index.title)}", paragraphs=[told], table=Table(columns, rows))


def _component(told: ComponentTraceOut, *, is_hidden: bool) -> list[str]:
    def own(text: str | None) -> str:
        if is_hidden:
            return HIDDEN
        return _MISSING.get(told.state, NOTHING) if text is None else exactly(text)

    ratio = f" / {told.over}" if told.over else ""
    name = f"{told.title} ({told.attribute}{ratio})"
    value = own(told.value)
    if told.over_value is not None:
        value += f" / {own(told.over_value)}"
    if told.transform == "ln":
        value = f"ln({value})"
    return [
        printed(name),
        value,
        printed(told.source),
        "большое" if told.adverse == "high" else "малое",
        printed(told.schools),
        *(
            HIDDEN if is_hidden else exactly(text or NOTHING)
            for text in (told.mean, told.sd, told.minimum, told.maximum)
        ),
        exactly(told.norm or NOTHING),
        own(told.points),
        exactly(told.weight),
        own(told.contribution),
    ]


def signs(trace: TraceOut) -> Section | None:
    """Tell the signs that were taken into account, to those who may see them."""
    if not trace.signs:
        return None
    rows = [
        [printed(s.year), printed(s.detector), printed(s.procedure), printed(s.subject)]
        for s in trace.signs
    ]
    return Section(
        "Признаки необъективности, требующие проверки",
        paragraphs=[
            (
                "Признак — повод проверить, а не вывод о школе: завышенные отметки скрывают школу, которой "
                "нужна помощь."
            )
        ],
        table=Table(["Год", "Вид признака", "Процедура", "Предмет"], rows),
    )


def changes(trace: TraceOut) -> Section | None:
    """Tell corrections by appeals, and reorganisations with the numbers that came with them."""
    names = {p.procedure_id: f"{p.title} ({p.year} год)" for p in trace.procedures}
    rows = [
        [
            f"апелляция № {told.appeal_id}"
            + (f", {printed(told.order_number)}" if told.order_number else ""),
            printed(names.get(told.procedure_id)),
            _pair(told.counted_low, told.counted_n, is_hidden=bool(told.suppressed)),
            _pair(told.low, told.n, is_hidden=bool(told.suppressed)),
        ]
        for told in trace.corrections
    ]
    rows += [
        [
            f"присоединена {printed(event.name)} {day(event.happened_on)}",
            printed(names.get(cell.procedure_id)),
            "прибавлено",
            _pair(cell.low, cell.n, is_hidden=bool(cell.suppressed)),
        ]
        for event in trace.reorganisations
        for cell in event.cells
    ]
    if not rows:
        return None
    columns = ["Основание", "Процедура", "Было: низких из участников", "Стало или прибавлено"]
    return Section("Исправления и присоединения", table=Table(columns, rows))


def _pair(low: int | None, n: int | None, *, is_hidden: bool) -> str:
    return HIDDEN if is_hidden else f"{low} из {n}"


def rules(trace: TraceOut) -> Section:
    """Tell how many low procedures each rule asks for in each year, and how many there are."""
    rows = [
        [
            printed(rule.title) if not place else "",
            printed(year.year),
            printed(year.at_least),
            printed(year.with_data),
            printed(year.certain),
            printed(year.possible),
            printed(year.not_excluded),
            ("выполнено" if rule.holds else "не выполнено") if not place else "",
            _CLASSES[rule.certainty] if not place else "",
        ]
        for rule in trace.rules
        for place, year in enumerate(rule.years)
    ]
    columns = [
        "Правило", "Год", "Нужно процедур", "С данными", "Низких устойчиво",
        "Устойчиво или возможно", "По меньшей мере не исключено", "Ответ", "Класс",
    ]  # fmt: skip
    return Section("Правила низких результатов", table=Table(columns, rows))


def procedures(trace: TraceOut) -> Section:
    """Tell the counted numbers of every procedure, the threshold, the interval and the class."""
    columns = [
        "Процедура", "Участников", "Из них низких", "Доля", "Судится", "Порог",
        "Интервал", "Не исключено с", "Возможно с", "Устойчиво с", "Класс",
    ]  # fmt: skip
    return Section(
        "Процедуры", table=Table(columns, [_procedure(told) for told in trace.procedures])
    )


def _procedure(told: ProcedureTraceOut) -> list[str]:
    name = printed(f"{told.title} ({told.grade} класс, {told.year} год)")
    if told.low is None or told.judged is None or told.threshold is None:
        return [name, _STATES.get(told.state, NOTHING), *[NOTHING] * 9]
    limits, suppressed = told.threshold, told.threshold.suppressed
    sign = "≥" if limits.operator == ">=" else ">"
    years = f" ({', '.join(map(str, told.pooled_years))})" if told.pooled_years else ""
    return [
        name,
        hidden(told.low.denominator, "denominator", told.low.suppressed),
        hidden(told.low.numerator, "numerator", told.low.suppressed),
        _percent(told.low),
        _share(told.judged) + years,
        f"{sign} {exactly(limits.share)}",
        _interval(told.interval, hidden_=bool(told.suppressed)),
        hidden(limits.not_excluded_from, "not_excluded_from", suppressed),
        hidden(limits.possible_from, "possible_from", suppressed),
        hidden(limits.certain_from, "certain_from", suppressed),
        _CLASSES[told.certainty or "none"],
    ]


def _percent(share: ShareOut) -> str:
    return HIDDEN if "percent" in share.suppressed else percent(share.percent)


def _share(share: ShareOut) -> str:
    if share.suppressed:
        return HIDDEN
    return f"{share.numerator} из {share.denominator}"


def _interval(interval: IntervalOut | None, *, hidden_: bool) -> str:
    if interval is None:
        return HIDDEN if hidden_ else NOTHING
    return f"{printed(interval.lower)} – {printed(interval.upper)}"


def subjects(trace: TraceOut) -> Section | None:
    """Tell the subjects with the scales that they were counted by."""
    rows = [
        [
            printed(f"{procedure.title}: {subject.title}"),
            printed(subject.is_mass),
            *(
                hidden(getattr(subject, name), name, subject.suppressed)
                for name in ("n", "absent", "failed", "low", "mass")
            ),
            *(
                exactly(getattr(subject, name))
                for name in ("minimum", "maximum", "margin_share", "bmin", "bmid", "top")
            ),
        ]
        for procedure in trace.procedures
        for subject in procedure.subjects
    ]
    if not rows:
        return None
    columns = [
        "Процедура и предмет", "Массовый", "Участников", "Отсутствовали", "Ниже минимума",
        "Ниже Bmin", "Не ниже Bmid", "Минимум", "Максимум", "Доля максимума", "Bmin", "Bmid", "Btop",
    ]  # fmt: skip
    return Section("Предметы и шкалы", table=Table(columns, rows))


def sources(trace: TraceOut) -> Section | None:
    """Tell the imports, files and rows that the numbers come from."""
    rows = [
        [
            printed(f"{procedure.title} ({procedure.year} год)"),
            f"импорт {source.import_id}, {printed(source.layout)}",
            printed(source.committed_at),
            printed(source.sheet_no),
            _rows(source),
            hidden(source.rows, "rows", source.suppressed),
            "; ".join(f"{printed(f.table)}: {printed(f.sha256)}" for f in source.files) or NOTHING,
        ]
        for procedure in trace.procedures
        for source in procedure.sources
    ]
    if not rows:
        return None
    columns = ["Процедура", "Импорт", "Загружен", "Лист", "Строки", "Строк", "SHA-256 файла"]
    return Section("Откуда числа", table=Table(columns, rows))


def _rows(source: SourceOut) -> str:
    if "first_row" in source.suppressed:
        return HIDDEN
    return f"{printed(source.first_row)} – {printed(source.last_row)}"


def recalculation(trace: TraceOut) -> Section:
    """Tell how to redo the answer with paper and a calculator."""
    return Section("Как пересчитать", steps=[printed(step) for step in trace.recalculation])


def verification(trace: TraceOut) -> Section:
    """Tell the hashes by which inputs, list and methodology are verified."""
    rows = [
        ["Исходные данные прогона", trace.listing.input_hash],
        ["Список", printed(trace.listing.list_hash)],
        ["Документ методики", trace.methodology.document_hash],
    ]
    return Section("Проверка (SHA-256)", table=Table(["Что", "Хеш"], rows))
