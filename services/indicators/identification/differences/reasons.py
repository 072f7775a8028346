"""The reason of one difference as it travels: the causes found by trial, with the facts beneath them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.indicators.identification.differences.causes import Attribution
from services.indicators.identification.differences.details import CellChange, SchoolChanges
from services.indicators.identification.differences.schemas import (
    CauseOut,
    CellChangeOut,
    CellNumbersOut,
    DifferenceReasonOut,
    FactChangeOut,
    SettingChangeOut,
)
from services.indicators.identification.differences.wording import (
    cells_text,
    facts_text,
    sentence,
)

__all__ = ["Lineage", "Reader", "SchoolLineage", "not_reproduced", "only_one_run", "reason_of"]


@dataclass(frozen=True, slots=True)
class Reader:
    """What the reader may be told beside the answers."""

    sees_numbers: bool
    sees_signs: bool


@dataclass(frozen=True, slots=True)
class SchoolLineage:
    """By procedure, of the earlier and of the later run: imports; schools whose cells were taken in."""

    imports: tuple[dict[int, list[int]], dict[int, list[int]]] = field(
        default_factory=lambda: ({}, {})
    )
    joined: tuple[dict[int, set[str]], dict[int, set[str]]] = field(
        default_factory=lambda: ({}, {})
    )


class Lineage:
    """Where the numbers of schools come from, in two runs."""

    def __init__(self) -> None:
        self._schools: dict[int, SchoolLineage] = {}

    @classmethod
    def of_rows(
        cls, run_ids: Sequence[int], imports: Iterable[Any], joined: Iterable[Any]
    ) -> "Lineage":
        """Take the rows of both runs; the earlier run is named first."""
        made = cls()
        for row in imports:
            found = made.of(row.school_id).imports[run_ids.index(row.run_id)]
            for procedure, number in zip(
                row.source_procedure_id or (), row.import_id or (), strict=True
            ):
                found.setdefault(procedure, []).append(number)
        for row in joined:
            taken = made.of(row.school_id).joined[run_ids.index(row.run_id)]
            for procedure in row.procedure_id:
                name = row.predecessor_name or f"№ {row.predecessor_id}"
                taken.setdefault(procedure, set()).add(name)
        return made

    def of(self, school_id: int) -> SchoolLineage:
        """Give what is known of a school; nothing where there are no rows."""
        return self._schools.setdefault(school_id, SchoolLineage())


def reason_of(
    name: str,
    found: Attribution,
    changes: SchoolChanges,
    *,
    settings: Sequence[SettingChangeOut],
    years: tuple[int, int],
    lineage: SchoolLineage,
    reader: Reader,
) -> DifferenceReasonOut:
    """Tell the causes of one school's difference.

    Args:
        name: The school.
        found: The smallest sufficient sets of factors.
        changes: What of the school differs.
        settings: All settings in which the methodologies differ.
        years: The years of the two lists.
        lineage: Imports and joined schools of the school's cells.
        reader: What may be told.
    """
    single = found.cause.single
    factors = single or found.cause.sets[0]
    shown = [
        _Facts(found, changes, settings, years, lineage, reader).cause(
            factor, is_enough=bool(single)
        )
        for factor in factors
    ]
    return DifferenceReasonOut(
        sentence=sentence(name, found.change, shown, is_combination=not single),
        is_combination=not single,
        is_exhaustive=found.cause.is_exhaustive,
        causes=shown,
    )


def only_one_run(name: str, kind: str, *, is_new: bool) -> DifferenceReasonOut:
    """Tell that only one of the runs knows the school."""
    return _plain(
        name,
        kind,
        "network",
        "школы не было в прежнем прогоне"
        if is_new
        else "школы нет в этом прогоне: закрыта или присоединена",
    )


def not_reproduced(name: str, kind: str) -> DifferenceReasonOut:
    """Tell that no cause can be found: a run does not follow from its frozen inputs."""
    told = (
        "причина не установлена: ответ одного из прогонов не следует из его замороженных данных, "
        "проверьте прогоны (verification)"
    )
    return _plain(name, kind, "unexplained", told)


def _plain(name: str, kind: str, code: Any, told: str) -> DifferenceReasonOut:
    cause = CauseOut(
        code=code, text=told, is_enough=code == "network", settings=[], cells=[], facts=[]
    )
    return DifferenceReasonOut(
        sentence=sentence(name, kind, [cause], is_combination=False),
        is_combination=False,
        is_exhaustive=True,
        causes=[cause],
    )


@dataclass(frozen=True, slots=True)
class _Facts:
    """Everything a cause is told from."""

    found: Attribution
    changes: SchoolChanges
    settings: Sequence[SettingChangeOut]
    years: tuple[int, int]
    lineage: SchoolLineage
    reader: Reader

    def cause(self, factor: str, *, is_enough: bool) -> CauseOut:
        settings: list[SettingChangeOut] = []
        cells: list[CellChangeOut] = []
        facts: list[FactChangeOut] = []
        code: Any = factor
        match factor:
            case "data" | "scale":
                cells = self._cells(factor)
                told = self._year() + cells_text(cells, factor)
            case "rule":
                settings = self._settings()
                told = "изменилась методика: " + (
                    "; ".join(one.text for one in settings) or "учтены другие процедуры"
                )
            case "school":
                facts = [_fact(*change) for change in self.changes.card]
                told = facts_text(facts, factor)
            case "context":
                facts = [self._attribute(*change) for change in self.changes.attributes]
                told = facts_text(facts, factor)
            case _ if not self.reader.sees_signs:
                code, told = "hidden", "изменились данные, которые видят регион и муниципалитет"
            case _:
                old, new = self.changes.signs
                told = f"изменились признаки необъективности (было {old}, стало {new})"
        return CauseOut(
            code=code,
            text=told,
            is_enough=is_enough,
            settings=settings,
            cells=cells,
            facts=facts,
        )

    def _attribute(self, name: str, before: str | None, after: str | None) -> FactChangeOut:
        if not self.reader.sees_numbers:
            # A share with all its digits tells how few of how many pupils.
            hidden = ["before", "after"]
            return FactChangeOut(name=name, before=None, after=None, suppressed=hidden)
        return FactChangeOut(name=name, before=before, after=after)

    def _year(self) -> str:
        old, new = self.years
        return "" if old == new else f"список другого года ({old} → {new}), "

    def _named(self, factor: str) -> Collection[str] | None:
        """Give the parts of a factor that suffice; None where they were not asked for."""
        inner = self.found.inner.get(factor)
        return None if inner is None else inner.single or inner.sets[0]

    def _settings(self) -> list[SettingChangeOut]:
        named = self._named("rule")
        return [one for one in self.settings if named is None or one.setting in named]

    def _cells(self, factor: str) -> list[CellChangeOut]:
        named = self._named(factor)
        return [
            self._cell(change)
            for change in self.changes.cells
            if change.factor == factor
            and (named is None or str(change.procedure.procedure_id) in named)
        ]

    def _cell(self, change: CellChange) -> CellChangeOut:
        procedure = change.procedure
        number = procedure.procedure_id
        old, new = (sorted(set(side.get(number, ()))) for side in self.lineage.imports)
        before, after = (side.get(number, set()) for side in self.lineage.joined)
        correction = change.correction
        return CellChangeOut(
            procedure_id=number,
            kind=procedure.kind,
            grade=procedure.grade,
            year=procedure.year,
            title=procedure.title,
            before=self._numbers(change.before),
            after=self._numbers(change.after),
            has_other_scales=change.is_rescaled,
            import_ids_before=old if self.reader.sees_numbers else [],
            import_ids_after=new if self.reader.sees_numbers else [],
            appeal_id=correction and correction.appeal_id,
            order_number=correction and correction.order_number,
            predecessors=sorted(after - before),
        )

    def _numbers(self, told: tuple[int, int] | None) -> CellNumbersOut | None:
        if told is None:
            return None
        if not self.reader.sees_numbers:
            # The earlier and the later number of one cell differ by a few pupils (decision 0023).
            return CellNumbersOut(n=None, low=None, suppressed=["n", "low"])
        return CellNumbersOut(n=told[0], low=told[1])


def _fact(name: str, before: Any, after: Any) -> FactChangeOut:
    return FactChangeOut(name=name, before=_told(before), after=_told(after))


def _told(value: Any) -> str | None:
    if isinstance(value, bool):
        return "да" if value else "нет"
    if isinstance(value, tuple):
        return ", ".join(value)
    return value if value is None else str(value)
