"""Whether this process has been asked to end: an answer that only waits for news is given at once then."""

__all__ = ["begin_draining", "is_draining"]

_asked = False


def begin_draining() -> None:
    """Remember that the process was asked to end; for good."""
    global _asked  # noqa: PLW0603 - one process, one end
    _asked = True


def is_draining() -> bool:
    """Return whether the process was asked to end."""
    return _asked
