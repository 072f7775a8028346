"""Let idempotency keys expire."""

# ruff: noqa: INP001  Alembic's own layout

from services.kit.migrations import keep_idempotency_keys, let_idempotency_keys_expire

revision = "9d43e2f06b3a"
down_revision = "2d6f1b8cae42"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the worker forget the answers that nobody can ask for again."""
    let_idempotency_keys_expire()


def downgrade() -> None:
    """Keep every key for ever."""
    keep_idempotency_keys()
