"""The counting of attempts, under the name it had before it became a feature of its own."""

from gateway.attempts.operations import forget, seconds_to_wait

__all__ = ["forget", "seconds_to_wait"]
