"""Let signing keys be rotated and revoked."""

# ruff: noqa: INP001  Alembic's own layout

import sqlalchemy as sa
from alembic import op

revision = "5f0a6e13c8d7"
down_revision = "62dbb7617415"
branch_labels = None
depends_on = None

_TIMES = ("due_at", "activated_at", "revoked_at")


def upgrade() -> None:
    """Add the state and the times; the release before goes on with its three states."""
    for name in _TIMES:
        op.add_column("signing_key", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint(op.f("ck_signing_key_state"), "signing_key")
    op.create_check_constraint(
        op.f("ck_signing_key_state"),
        "signing_key",
        "state IN ('next', 'current', 'retired', 'revoked')",
    )


def downgrade() -> None:
    """Go back to three states; what was revoked stays unpublished as long retired."""
    op.execute(
        "UPDATE signing_key SET state = 'retired', retired_at = '-infinity' WHERE state = 'revoked'"
    )
    op.drop_constraint(op.f("ck_signing_key_state"), "signing_key")
    op.create_check_constraint(
        op.f("ck_signing_key_state"), "signing_key", "state IN ('next', 'current', 'retired')"
    )
    for name in _TIMES:
        op.drop_column("signing_key", name)
