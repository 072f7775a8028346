"""What can be said of a row: the rule's code, its sentence, its remedy, what becomes of the row."""

from dataclasses import dataclass

from services.kit.words import Word


class Outcome(Word):
    """What becomes of a row a rule speaks of."""

    REJECTED = "rejected", "строка не записана, её нужно исправить"
    IGNORED = "ignored", "строка пропущена: нового в ней нет"
    NOTED = "noted", "строка записана с замечанием"


@dataclass(frozen=True)
class Rule:
    """One rule of the check; `number` is its stable place in typed batches."""

    number: int
    code: str
    outcome: Outcome
    message: str
    remedy: str


_R, _I, _N = Outcome.REJECTED, Outcome.IGNORED, Outcome.NOTED

RULES = (
    Rule(1, "row-shape", _R, "В строке не столько полей, сколько в заголовке",
         "Проверьте разделители и кавычки в строке"),
    Rule(2, "empty-row", _I, "Пустая строка", "Ничего делать не нужно"),
    Rule(3, "participant-missing", _R, "Не указан код участника", "Укажите код участника"),
    Rule(4, "school-missing", _R, "Не указан код ОО", "Укажите код ОО из реестра"),
    Rule(5, "school-shape", _R, "Значение не похоже на код ОО",
         "Код ОО — до 12 цифр или логин ВПР (edu…, sch…)"),
    Rule(6, "school-unknown", _R, "Код ОО не найден в реестре региона",
         "Исправьте код или добавьте школу в реестр и повторите проверку"),
    Rule(7, "subject-missing", _R, "Не указан предмет", "Укажите код или название предмета"),
    Rule(8, "subject-unknown", _R, "Предмета нет среди шкал процедуры",
         "Исправьте предмет или добавьте шкалу предмета в процедуру"),
    Rule(9, "grade-wrong", _R, "Параллель не та, для которой заведена процедура",
         "Загрузите строки в процедуру своей параллели"),
    Rule(10, "score-not-number", _R, "Балл не является числом", "Запишите балл числом"),
    Rule(11, "score-negative", _R, "Балл меньше нуля", "Исправьте балл"),
    Rule(12, "score-above-maximum", _R, "Балл выше максимального по шкале",
         "Исправьте балл или максимум шкалы процедуры"),
    Rule(13, "score-too-precise", _R, "Больше трёх знаков после запятой",
         "Округлите балл по правилам процедуры"),
    Rule(14, "score-missing", _R, "Нет балла, а статус «отсутствовал» или «аннулирован» не указан",
         "Внесите балл или укажите статус"),
    Rule(15, "integer-unreadable", _R, "Значение не является целым числом",
         "Запишите целое число или оставьте ячейку пустой"),
    Rule(16, "mark-wrong", _R, "Отметка не от 2 до 5", "Исправьте отметку"),
    Rule(17, "status-unknown", _R, "Неизвестный статус",
         "Оставьте пустым или укажите: отсутствовал, аннулирован"),
    Rule(18, "date-unreadable", _R, "Дата не читается", "Запишите дату как дд.мм.гггг"),
    Rule(19, "key-missing", _R, "Нет ключа связи с другой таблицей", "Выгрузите таблицу заново"),
    Rule(20, "link-missing", _R, "В других таблицах нет строки, на которую ссылается работа",
         "Выгрузите все таблицы РИС в один момент времени"),
    Rule(21, "duplicate-identical", _I, "Такая же строка уже была в файле",
         "Ничего делать не нужно"),
    Rule(22, "duplicate-conflicting", _R,
         "Для участника и предмета в файле есть строки с разным содержанием",
         "Оставьте одну строку или укажите версию результата"),
    Rule(23, "unchanged", _I, "Такой результат уже загружен", "Ничего делать не нужно"),
    Rule(24, "older-version", _I, "Есть более новая версия этого результата",
         "Ничего делать не нужно"),
    Rule(25, "older-attempt", _I, "Есть более поздняя попытка участника по предмету",
         "Ничего делать не нужно"),
    Rule(26, "same-version-conflict", _R,
         "Результат с этой версией уже загружен с другим содержанием",
         "Если это исправление, увеличьте версию результата"),
    Rule(27, "cancelled", _N, "Результат аннулирован: хранится, в показатели не входит",
         "Ничего делать не нужно"),
    Rule(28, "school-moved", _N, "Участник теперь в другой школе",
         "Проверьте, что переход верен"),
    Rule(29, "journal-mark-unreadable", _N,
         "Отметка по журналу не от 1 до 5: результат записан без неё",
         "Исправьте отметку по журналу, если по ней нужно сравнение"),
)  # fmt: skip
"""Every rule there is; the order is the order of the report."""

BY_CODE = {rule.code: rule for rule in RULES}
BY_NUMBER = {rule.number: rule for rule in RULES}
