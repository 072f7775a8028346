"""The flags of the methodology at one school, each with its answer and what it follows from.

The flag itself is told as the run answered it (its bits); its conditions are answered again from the
frozen facts of the school, by the code that answered them for all schools at once (`flagging`).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np

from services.indicators.algebra.rules import Answers
from services.indicators.algebra.values import MISSING, State, Value
from services.indicators.identification.answering.evaluation import is_taught
from services.indicators.identification.answering.flagging import Known, answer
from services.indicators.identification.freezing.inputs import (
    AttributeColumn,
    FrozenCells,
    FrozenSign,
    Inputs,
    SchoolFacts,
)
from services.indicators.identification.tables import RunSchool
from services.indicators.identification.tracing.context import index_values, plain
from services.indicators.identification.tracing.facts import RunFacts
from services.indicators.identification.tracing.flag_schemas import (
    ConditionAnswer,
    ConditionTraceOut,
    FlagTraceOut,
)
from services.indicators.identification.tracing.reading import SchoolRows
from services.indicators.identification.tracing.wording import condition_text
from services.indicators.methodologies.conditions import (
    AllOf,
    AnyOf,
    AtLeastOf,
    AttributeCut,
    Condition,
    IndexCut,
    IndexShare,
    RuleHolds,
    SchoolMark,
    SignsCount,
)
from services.indicators.methodologies.flags import FlagText

__all__ = ["flags_of"]


def flags_of(facts: RunFacts, rows: SchoolRows, *, is_exact: bool) -> list[FlagTraceOut]:
    """Answer every flag of the methodology; unknown is not "no", and does not put on a list."""
    told = _Conditions(facts, rows, is_exact=is_exact)
    return [
        FlagTraceOut(
            code=flag.code,
            title=flag.title,
            taken_from=flag.taken_from,
            answer=_answer(flag, rows.answer),
            condition=None
            if flag.when is None
            else told.of(flag.when).model_copy(update={"answer": _answer(flag, rows.answer)}),
        )
        for flag in facts.methodology.flags
    ]


def _answer(flag: FlagText, row: RunSchool) -> ConditionAnswer:
    if row.flags & flag.flag:
        return "yes"
    return "unknown" if row.unknown_flags & flag.flag else "no"


class _Conditions:
    """The conditions of one school's flags, told with its numbers."""

    def __init__(self, facts: RunFacts, rows: SchoolRows, *, is_exact: bool) -> None:
        self._facts, self._rows, self._is_exact = facts, rows, is_exact
        self._known = _known(facts, rows)
        self._indices = {index.code: index for index in rows.indices}

    def of(self, condition: Condition) -> ConditionTraceOut:
        """Tell a condition with its parts."""
        match condition:
            case AnyOf():
                told = self._tree("any", condition.any, 1)
            case AllOf():
                told = self._tree("all", condition.all, len(condition.all))
            case AtLeastOf():
                told = self._tree("at_least", condition.of, condition.at_least)
            case IndexCut() | AttributeCut():
                told = self._cut(condition)
            case IndexShare():
                told = self._lowest(condition)
            case SignsCount():
                told = self._signs(condition)
            case RuleHolds():
                told = ConditionTraceOut(
                    kind="rule", text="", answer=self._answer(condition), code=condition.rule
                )
            case SchoolMark():
                told = ConditionTraceOut(
                    kind="school_mark", text="", answer=self._answer(condition)
                )
        return told.model_copy(update={"text": condition_text(told, self._titles())})

    def _titles(self) -> Mapping[str, str]:
        methodology = self._facts.methodology
        return {index.code: index.title for index in methodology.indices} | {
            rule.code: rule.title for rule in methodology.rules
        }

    def _answer(self, condition: Condition) -> ConditionAnswer:
        found = answer(condition, self._known)
        return "yes" if found.yes[0] else "no" if found.no[0] else "unknown"

    def _tree(self, kind: str, parts: Sequence[Condition], wanted: int) -> ConditionTraceOut:
        """Combine the answers of the parts; what rests on a hidden part is hidden, not unknown."""
        told = [self.of(part) for part in parts]
        answers = [part.answer for part in told]
        many = answers.count("yes")
        combined: ConditionAnswer = "unknown"
        if many >= wanted:
            combined = "yes"
        elif len(answers) - answers.count("no") < wanted:
            combined = "no"
        elif "hidden" in answers:
            combined = "hidden"
        return ConditionTraceOut.model_validate(
            {"kind": kind, "text": "", "answer": combined, "at_least": wanted, "conditions": told}
        )

    def _cut(self, condition: IndexCut | AttributeCut) -> ConditionTraceOut:
        is_index = isinstance(condition, IndexCut)
        code = condition.index if isinstance(condition, IndexCut) else condition.attribute
        value = self._known.indices[code][0] if is_index else self._attribute(code).value
        return ConditionTraceOut(
            kind="index" if is_index else "attribute",
            text="",
            answer=self._answer(condition),
            code=code,
            operator=condition.operator,
            threshold=condition.value,
            value=plain(value) if self._is_exact else None,
            state=None if is_index else self._attribute(code).state.value,
        )

    def _attribute(self, code: str) -> Value:
        return self._known.inputs.attributes[code].values[0]

    def _lowest(self, condition: IndexShare) -> ConditionTraceOut:
        """Compare with the border that the run kept: the other schools are not read again."""
        index = self._indices.get(condition.index)
        value = self._known.indices[condition.index][0]
        border = index.borders.get(condition.lowest_share) if index else None
        answered: ConditionAnswer = "unknown"
        if value is not None and border is not None:
            answered = "yes" if value <= Decimal(border) else "no"
        schools = index.n if index else 0
        return ConditionTraceOut(
            kind="lowest_share",
            text="",
            answer=answered,
            code=condition.index,
            operator="<=",
            threshold=condition.lowest_share,
            value=plain(value) if self._is_exact else None,
            schools=schools,
            place=condition.rank(schools),
            # The index of one school.
            border=plain(Decimal(border)) if border is not None and self._is_exact else None,
        )

    def _signs(self, condition: SignsCount) -> ConditionTraceOut:
        wanted = condition.signs
        if self._rows.signs is None:
            return ConditionTraceOut(
                kind="signs", text="", answer="hidden", at_least=wanted.at_least, years=wanted.years
            )
        since = self._facts.year - wanted.years
        counted = [
            sign
            for sign in self._rows.signs
            if since <= sign.year < self._facts.year
            and (wanted.detectors is None or sign.detector in wanted.detectors)
        ]
        return ConditionTraceOut(
            kind="signs",
            text="",
            answer=self._answer(condition),
            value=str(len(counted)),
            at_least=wanted.at_least,
            years=wanted.years,
            detectors=wanted.detectors,
            asked_years=list(self._rows.context.asked_years) if self._rows.context else [],
        )


def _known(facts: RunFacts, rows: SchoolRows) -> Known:
    """Lay the frozen facts of one school out as if it were the only one."""
    row, context = rows.answer, rows.context
    nothing: tuple[Value, str | None] = (MISSING, None)
    values = dict.fromkeys(facts.methodology.attributes(), nothing)
    if context is not None:
        told = zip(context.attribute, context.state, context.value, context.source, strict=True)
        for code, state, value, source in told:
            values[code] = Value(State(state), value), source
    grades = {p.grade for p in facts.procedures}
    is_excluded = row.kind in facts.methodology.excluded_school_kinds
    empty = np.zeros(0, dtype=np.int64)
    indices = {index.code: None for index in facts.methodology.indices} | index_values(rows)
    return Known(
        inputs=Inputs(
            year=facts.year,
            procedures=(),
            schools=(
                SchoolFacts(
                    school_id=row.school_id,
                    municipality_id=row.municipality_id,
                    code=row.code,
                    name=row.name,
                    municipality_name=row.municipality_name,
                    kind=row.kind,
                    stages=None if row.stages is None else tuple(row.stages),
                    adverse_conditions=row.adverse_conditions,
                    adverse_reason=row.adverse_reason,
                    adverse_source=row.adverse_source,
                ),
            ),
            cells=FrozenCells(empty, empty, empty, empty, empty),
            attributes={
                code: AttributeColumn((value,), (source,))
                for code, (value, source) in values.items()
            },
            signs=tuple(
                FrozenSign(s.sign_id, 0, s.year, s.detector, s.procedure_id, s.procedure, s.subject)
                for s in rows.signs or ()
            ),
            asked_years=(frozenset(context.asked_years) if context else frozenset(),),
            corrections=(),
        ),
        indices={code: [value] for code, value in indices.items()},
        rules={rule.code: place for place, rule in enumerate(facts.methodology.rules)},
        answers=Answers(
            certainty=np.array([[c] for c in row.rule_certainties], dtype=np.int64),
            answerable=np.array([[known] for known in row.rules_answerable], dtype=np.bool_),
        ),
        is_concerned=np.array(
            [not is_excluded and any(is_taught(grade, row.stages) for grade in grades)]
        ),
    )
