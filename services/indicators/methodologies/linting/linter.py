"""The linter: a document and the region around it come in, findings go out."""

from collections.abc import Sequence
from typing import Any

from services.indicators.methodologies.consistency import contradictions
from services.indicators.methodologies.document import Methodology
from services.indicators.methodologies.findings import Finding, Severity
from services.indicators.methodologies.linting.conditions import doubtful_conditions
from services.indicators.methodologies.linting.region import unfit
from services.indicators.methodologies.linting.rules import doubtful_rules
from services.indicators.methodologies.linting.structure import read
from services.indicators.methodologies.linting.surroundings import Surroundings

__all__ = ["errors", "lint", "sound"]

_WEIGHT = list(Severity)


def lint(document: Any, around: Surroundings) -> list[Finding]:
    """List everything found in a JSON value, errors first, then in the order of the pointers.

    A malformed document is told only what is malformed: the rest could not be asked of it.
    """
    text, malformed = read(document)
    if text is None:
        return malformed
    found = [
        *contradictions(text),
        *doubtful_rules(text, around),
        *doubtful_conditions(text),
        *unfit(text, around),
    ]
    return sorted(found, key=lambda one: (_WEIGHT.index(one.severity), one.pointer, one.code))


def errors(findings: Sequence[Finding]) -> list[Finding]:
    """Keep what makes a document unfit to become a version."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def sound(document: Any) -> Methodology:
    """Read a document in which no errors were found."""
    return Methodology.model_validate(document)
