"""The desk of a region's runs, for scenarios too."""

from tests.indicators.identification.conftest import desk, idle_desk

__all__ = ["desk", "idle_desk"]
