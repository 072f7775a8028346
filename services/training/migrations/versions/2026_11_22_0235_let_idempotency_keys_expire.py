"""Let idempotency keys expire."""

# ruff: noqa: INP001  Alembic's own layout

from services.kit.migrations import keep_idempotency_keys, let_idempotency_keys_expire

revision = "bf6504128d5c"
down_revision = "4f8b3daec064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the worker forget the answers that nobody can ask for again."""
    let_idempotency_keys_expire()


def downgrade() -> None:
    """Keep every key for ever."""
    keep_idempotency_keys()
