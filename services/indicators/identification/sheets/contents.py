"""What stands in a decision sheet, whatever it is printed on: sections of paragraphs, steps and tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.indicators.identification.sheets import sections
from services.indicators.identification.sheets.blocks import Fact, Section
from services.indicators.identification.tracing.schemas import TraceOut

__all__ = ["Sheet", "sheet_of"]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A decision sheet: facts at the head, sections, lines to sign."""

    title: str
    conclusion: str
    facts: Sequence[Fact]
    sections: Sequence[Section]
    signatures: Sequence[str]


SIGNATURES = (
    "Ответственный за выявление (должность, подпись, дата)",
    "Руководитель школы ознакомлен (подпись, дата)",
)


def sheet_of(trace: TraceOut) -> Sheet:
    """Lay a trace out as a decision sheet: the conclusion first, then what it follows from."""
    return Sheet(
        title=f"Лист решения: список школ на {trace.year} год",
        conclusion=trace.sentences[0],
        facts=sections.head(trace),
        sections=[
            section
            for section in (
                sections.verdict(trace),
                sections.flags(trace),
                sections.categories(trace),
                sections.rules(trace),
                sections.procedures(trace),
                sections.priors(trace),
                *sections.indices(trace),
                sections.signs(trace),
                sections.changes(trace),
                sections.subjects(trace),
                sections.sources(trace),
                sections.recalculation(trace),
                sections.verification(trace),
            )
            if section is not None
        ],
        signatures=SIGNATURES,
    )
