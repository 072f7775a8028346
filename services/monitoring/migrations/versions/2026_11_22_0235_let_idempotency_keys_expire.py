"""Let idempotency keys expire."""

# ruff: noqa: INP001  Alembic's own layout

from services.kit.migrations import keep_idempotency_keys, let_idempotency_keys_expire

revision = "ae54f3017c4b"
down_revision = "3e7a2c9dbf53"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the worker forget the answers that nobody can ask for again."""
    let_idempotency_keys_expire()


def downgrade() -> None:
    """Keep every key for ever."""
    keep_idempotency_keys()
