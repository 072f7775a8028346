"""How deep JSON that is meant as a document of a methodology may be nested.

A draft and a patch are taken as they come, so nothing else bounds them: whoever walks or writes them
needs a level of its stack for each of theirs.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["DEEPEST_DOCUMENT", "is_shallow"]

DEEPEST_DOCUMENT = 40
"""Levels; a condition as deep as conditions may be ends at the eighteenth."""


def is_shallow(value: Any) -> bool:
    """Whether JSON is nested no deeper than any document is; asked without recursion."""
    level = [value]
    for _ in range(DEEPEST_DOCUMENT):
        level = [
            inner
            for outer in level
            if isinstance(outer, Mapping | list)
            for inner in (outer.values() if isinstance(outer, Mapping) else outer)
        ]
    return not level
