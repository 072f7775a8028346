"""Builders of the tests, one module for a service or a feature."""
