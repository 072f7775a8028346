"""Alembic's entry; the kit configures everything."""

from services.kit.migrations import run_env
from services.training import app  # noqa: F401  every table has to be imported
from services.training.base import Base

run_env(Base.metadata)
