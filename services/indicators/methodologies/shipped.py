"""The methodologies that ship with Opora, one JSON document each."""

from functools import cache
from importlib import resources

from services.indicators.methodologies.document import Methodology


@cache
def shipped_methodologies() -> dict[str, Methodology]:
    """Read the shipped documents, by their codes, in the order of the codes."""
    folder = resources.files("services.indicators.data") / "methodologies"
    documents = [
        Methodology.model_validate_json(entry.read_bytes())
        for entry in folder.iterdir()
        if entry.name.endswith(".json")
    ]
    return {document.code: document for document in sorted(documents, key=lambda d: d.code)}
