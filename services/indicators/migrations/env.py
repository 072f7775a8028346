"""Alembic's environment of the indicators service."""

from services.indicators.base import Base
from services.kit.migrations import run_env

run_env(Base.metadata)
