"""The shipped definitions of indices. Their weights, bounds and norms are settings of Opora."""

import json
from functools import cache
from importlib import resources

from services.indicators.context.documents import IndexText

__all__ = ["shipped_indices"]


@cache
def shipped_indices() -> dict[str, IndexText]:
    """Return the definitions by code, in the order of the file."""
    source = resources.files("services.indicators.data") / "context_indices.json"
    listed = [
        IndexText.model_validate(each) for each in json.loads(source.read_text(encoding="utf-8"))
    ]
    return {index.code: index for index in listed}
