"""Where Alembic begins for the gateway's database."""  # noqa: INP001  Alembic's own layout

import gateway.app  # noqa: F401  every feature's tables are known once the application is
from gateway.base import Base
from services.kit.migrations import run_env

run_env(Base.metadata)
