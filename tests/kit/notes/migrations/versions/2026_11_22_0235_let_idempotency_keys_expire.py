"""Let idempotency keys expire."""

from services.kit.migrations import keep_idempotency_keys, let_idempotency_keys_expire

revision = "a3"
down_revision = "a2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    let_idempotency_keys_expire()


def downgrade() -> None:
    keep_idempotency_keys()
