"""Let idempotency keys expire."""

# ruff: noqa: INP001  Alembic's own layout

from services.kit.migrations import keep_idempotency_keys, let_idempotency_keys_expire

revision = "7b21c0de4f18"
down_revision = "5f0a6e13c8d7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the worker forget the answers that nobody can ask for again."""
    let_idempotency_keys_expire()


def downgrade() -> None:
    """Keep every key for ever."""
    keep_idempotency_keys()
