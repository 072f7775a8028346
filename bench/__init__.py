"""Measurements: speed and memory as ratios taken in one run. Nothing here is asserted by a test."""
