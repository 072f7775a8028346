"""Runs the registry's migrations."""

from services.kit.migrations import run_env
from services.registry.app import SERVICE

run_env(SERVICE.base.metadata)
