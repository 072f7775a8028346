"""Reading the next item in a thread while the last one is worked on.

Parsing lets go of the interpreter and hashing does not, so the two share the machine's cores.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["ahead"]

_Item = TypeVar("_Item")


def ahead(items: Iterator[_Item]) -> Iterator[_Item]:
    """Give the items in order, always one ahead; what reading raises is raised in its turn."""
    pool = ThreadPoolExecutor(max_workers=1)
    try:
        following = pool.submit(next, items, None)
        while (item := following.result()) is not None:
            following = pool.submit(next, items, None)
            yield item
    finally:
        # Whoever has stopped early must not wait for bytes that may never come.
        pool.shutdown(wait=False, cancel_futures=True)
