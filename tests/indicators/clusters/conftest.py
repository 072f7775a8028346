"""The same desk as the runs have."""

from tests.indicators.identification.conftest import desk, idle_desk

__all__ = ["desk", "idle_desk"]
