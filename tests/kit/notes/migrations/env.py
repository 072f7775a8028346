from services.kit.migrations import run_env
from tests.kit.notes import app  # noqa: F401  the tables
from tests.kit.notes.base import Base

run_env(Base.metadata)
