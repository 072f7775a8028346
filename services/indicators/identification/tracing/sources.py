"""Below a number of the trace: the subjects with their scales, the imports and the rows of files."""

from collections.abc import Mapping

from services.indicators.identification.tables import RunEvidence, RunImport, RunProcedure
from services.indicators.identification.tracing.schemas import SourceOut, SubjectTraceOut
from services.indicators.suppression.queries import Told

__all__ = ["Details"]


class Details:
    """Subjects and sources of the evidence, by procedure."""

    def __init__(
        self,
        school_id: int,
        evidence: RunEvidence | None,
        imports: Mapping[int, RunImport],
        numbers: Told,
    ) -> None:
        self._school_id = school_id
        self._numbers = numbers
        self._imports = imports
        self._subjects: dict[int, dict[int, tuple[int, ...]]] = {}
        self._sources: dict[int, list[tuple[int, ...]]] = {}
        if evidence is None:
            return
        for procedure_id, subject, *counts in zip(
            *(getattr(evidence, name) or [] for name in _SUBJECT_COLUMNS), strict=True
        ):
            self._subjects.setdefault(procedure_id, {})[subject] = tuple(counts)
        for procedure_id, *place in zip(
            *(getattr(evidence, name) or [] for name in _SOURCE_COLUMNS), strict=True
        ):
            self._sources.setdefault(procedure_id, []).append(tuple(place))

    def subjects(self, procedure: RunProcedure) -> list[SubjectTraceOut]:
        """Tell the subjects of a procedure with the scales that they were counted by."""
        counted = self._subjects.get(procedure.procedure_id, {})
        traced = []
        for scale in procedure.scales:
            if scale["position"] not in counted:
                continue
            facts = {name: scale[name] for name in _SCALE_FIELDS}
            counts = dict(zip(_COUNTS, counted[scale["position"]], strict=True))
            shown = self._shown(procedure.procedure_id, scale["subject"], counts)
            traced.append(
                SubjectTraceOut(
                    **facts,
                    **{name: number if shown[name] else None for name, number in counts.items()},
                    suppressed=[name for name in counts if not shown[name]],
                )
            )
        return traced

    def _shown(self, procedure_id: int, subject: str, counts: Mapping[str, int]) -> dict[str, bool]:
        """Say which counts of a subject may be told."""
        shown = {
            measure: self._numbers.is_told(
                procedure_id,
                self._school_id,
                subject,
                n=counts["n"],
                measure=measure,
                part=counts[measure],
            )
            for measure in ("failed", "low", "mass")
        }
        return shown | {"n": shown["failed"], "absent": self._numbers.is_exact}

    def sources(self, procedure: RunProcedure) -> list[SourceOut]:
        """Tell the imports and rows that the numbers of a procedure come from."""
        return [
            self._source(*place) for place in sorted(self._sources.get(procedure.procedure_id, []))
        ]

    def _source(
        self, import_id: int, sheet_no: int, first_row: int, last_row: int, rows: int
    ) -> SourceOut:
        known = self._imports.get(import_id)
        places = {"first_row": first_row, "last_row": last_row, "rows": rows}
        is_exact = self._numbers.is_exact
        return SourceOut.model_validate(
            {
                **(places if is_exact else dict.fromkeys(places)),
                "suppressed": [] if is_exact else list(places),
                "import_id": import_id,
                "layout": known.layout if known else None,
                "committed_at": known.committed_at if known else None,
                "files": known.files if known else [],
                "sheet_no": sheet_no,
            }
        )


_SUBJECT_COLUMNS = (
    "subject_procedure_id", "subject", "subject_n", "subject_absent", "subject_low",
    "subject_failed", "subject_mass",
)  # fmt: skip
# The order of the columns after procedure and subject.
_COUNTS = ("n", "absent", "low", "failed", "mass")
_SOURCE_COLUMNS = (
    "source_procedure_id", "import_id", "sheet_no", "first_row", "last_row", "source_rows",
)  # fmt: skip
_SCALE_FIELDS = (
    "subject", "title", "is_mass", "minimum", "maximum", "top", "bmin", "bmid", "margin_share",
)  # fmt: skip
