"""What a run says as a whole: the hashes of its inputs and of its list, and its counts."""

from collections import Counter
from typing import Any, NamedTuple

from services.indicators.algebra.certainty import Certainty
from services.indicators.identification.answering.evaluation import Findings
from services.indicators.identification.freezing.hashing import input_hash
from services.indicators.identification.freezing.inputs import Inputs
from services.indicators.identification.listing import list_hash
from services.indicators.methodologies.document import Methodology

__all__ = ["Hashes", "counts_of", "hashes_of"]


class Hashes(NamedTuple):
    """SHA-256 of everything the answers follow from, and of the list."""

    inputs: str
    list: str


def hashes_of(
    inputs: Inputs, findings: Findings, methodology: Methodology, methodology_hash: str
) -> Hashes:
    """Name inputs and list by their content, the same in any database."""
    header = {"year": inputs.year, "methodology": methodology_hash}
    of_inputs = input_hash(inputs, header=header, based_on=methodology.low_result.based_on)
    listed = (
        (school.municipality_name, school.code, school.name, category, flags, certainty)
        for school, category, flags, certainty in zip(
            inputs.schools,
            findings.category,
            findings.flags.tolist(),
            findings.certainty.tolist(),
            strict=True,
        )
    )
    return Hashes(of_inputs, list_hash(listed, header=header | {"inputs": of_inputs}))


def counts_of(findings: Findings, methodology: Methodology) -> dict[str, Any]:
    """Count schools by state, category and class, and those of which a flag is not known."""
    categories = Counter(category for category in findings.category if category is not None)
    classes = Counter(
        certainty
        for certainty, state in zip(findings.certainty.tolist(), findings.state, strict=True)
        if state == "assessed"
    )
    return {
        "schools": len(findings.state),
        "listed": sum(categories.values()),
        "categories": {c.code: categories.get(c.code, 0) for c in methodology.categories},
        "flags": {
            flag.code: int((findings.flags & int(flag.flag) != 0).sum())
            for flag in methodology.flags
        },
        "unknown_flags": {
            flag.code: int((findings.unknown & int(flag.flag) != 0).sum())
            for flag in methodology.flags
        },
        "states": dict(sorted(Counter(findings.state).items())),
        "certainty": {c.code: classes.get(c, 0) for c in Certainty},
    }
