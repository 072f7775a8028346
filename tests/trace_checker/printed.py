"""The decision sheet as a person holds it: headings, paragraphs and tables, on a page or in a document.

Nothing of the service is imported; the core decision (low results, class, category) is made again from
the words and numbers on the paper alone.
"""

import io
import re
from dataclasses import dataclass, field
from fractions import Fraction
from html.parser import HTMLParser

import docx

from tests.trace_checker.recompute import CLASSES, Settings, class_of, class_of_rule

RUSSIAN = {
    "нет": "none",
    "мало данных": "too_few",
    "не исключено": "not_excluded",
    "возможно": "possible",
    "устойчиво": "certain",
}


@dataclass
class Part:
    """What stands under one heading."""

    texts: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def table(self) -> list[dict[str, str]]:
        head, *rows = self.rows
        return [dict(zip(head, row, strict=True)) for row in rows]


class _Page(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.parts: dict[str, Part] = {"": Part()}
        self._heading, self._open = "", []
        self.feed(page)

    def handle_starttag(self, tag, attrs):  # noqa: ARG002  the parser calls it so
        if tag not in {"meta", "br"}:
            self._open.append((tag, []))
        if tag == "tr":
            self.parts[self._heading].rows.append([])

    def handle_data(self, data):
        if self._open:
            self._open[-1][1].append(data)

    def handle_endtag(self, tag):
        name, pieces = self._open.pop()
        assert name == tag, f"{name} closed by {tag}"
        text = "".join(pieces).strip()
        part = self.parts[self._heading]
        if tag in {"td", "th"}:
            part.rows[-1].append(text)
        elif tag == "h2":
            self._heading = text
            self.parts[text] = Part()
        elif tag in {"p", "li", "h1"}:
            part.texts.append(text)


def parts_of_page(page: str) -> dict[str, Part]:
    return _Page(page).parts


def parts_of_document(content: bytes) -> dict[str, Part]:
    parts, heading = {"": Part()}, ""
    for block in docx.Document(io.BytesIO(content)).iter_inner_content():
        if hasattr(block, "rows"):
            parts[heading].rows += [[cell.text for cell in row.cells] for row in block.rows]
        elif block.style.name == "Heading 2":
            heading = block.text
            parts[heading] = Part()
        elif block.text.strip():
            parts[heading].texts.append(block.text)
    return parts


@dataclass(frozen=True)
class Decision:
    certainty: str
    flags: list[str]
    category: str | None


def decide(parts: dict[str, Part]) -> Decision:
    """Make the core decision again from what is printed."""
    steps = "\n".join(parts["Как пересчитать"].texts)
    priors = {
        row["Процедура"]: (Fraction(row["P"]), weight_of(row["M"]))
        for row in (parts["Сглаживание долей"].table() if "Сглаживание долей" in parts else ())
    }
    found: dict[int, list[str]] = {}
    for row in parts["Процедуры"].table():
        if row["Судится"] == "—":
            continue
        year = int(re.search(r"(\d{4}) год\)$", row["Процедура"])[1])
        low, n = (int(number) for number in re.findall(r"\d+", row["Судится"])[:2])
        settings = settings_of(steps, row["Порог"])
        too_few = settings.policy != "flag" and n < settings.below
        prior = priors.get(row["Процедура"])
        found.setdefault(year, []).append(class_of(low, n, settings, too_few=too_few, prior=prior))
    certainty = max(
        (class_of_rule(years, found)[0] for years in rules_of(parts)), key=CLASSES.index
    )
    # An excluded school is not judged; the sheet says so in its first words.
    if "не распространяется" in " ".join(parts["Вывод словами"].texts):
        certainty = "none"
    flags = []
    for row in parts["Признаки и категория"].table():
        source, answer = row["Из чего следует"], row["Ответ"]
        if source == "правила низких результатов":
            answer = "да" if certainty in {"possible", "certain"} else "нет"
        if source != "условие" and answer == "да":
            flags.append(row["Признак или условие"])
    return Decision(certainty, flags, category_of(flags, parts["Категории методики"].table()))


def settings_of(steps: str, limit: str) -> Settings:
    below = re.search(r"Если участников меньше (\d+)", steps)
    z = re.search(r"z = (\d+(?:,\d+)?)", steps)
    tail = re.search(r"больше равна (\d+/\d+)", steps)
    sign, share = limit.split()
    return Settings(
        Fraction(share.replace(",", ".")),
        sign == ">",
        Fraction(z[1].replace(",", ".")) if z else Fraction(0),
        int(below[1]) if below else 0,
        "no_flag" if below else "flag",
        None,
        "exact" if tail else "wilson",
        Fraction(tail[1]) if tail else None,
    )


def weight_of(text: str) -> Fraction | None:
    return None if text == "без конца" else Fraction(text.replace(",", "."))


def rules_of(parts: dict[str, Part]) -> list[list[tuple[int, int]]]:
    rules: list[list[tuple[int, int]]] = []
    for row in parts["Правила низких результатов"].table():
        if row["Правило"]:
            rules.append([])
        rules[-1].append((int(row["Год"]), int(row["Нужно процедур"])))
    return rules


def category_of(flags: list[str], categories: list[dict[str, str]]) -> str | None:
    def named(text: str) -> set[str]:
        return set() if text == "—" else set(text.split(", "))

    fitting = [
        row["Категория"]
        for row in categories
        if named(row["Признаки, которые есть"]) <= set(flags)
        and not named(row["Признаки, которых нет"]) & set(flags)
    ]
    return fitting[0] if flags and len(fitting) == 1 else None
