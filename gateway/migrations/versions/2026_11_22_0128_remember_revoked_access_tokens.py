"""Remember revoked access tokens."""

# ruff: noqa: INP001  Alembic's own layout

import sqlalchemy as sa
from alembic import op

revision = "c41d7be90a35"
down_revision = "9d20c7b1e5a4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and lock it."""
    op.create_table(
        "revocation",
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("issued_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "transaction",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text)::bigint"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(session_id, subject) = 1 AND (subject IS NULL) = (issued_before IS NULL)",
            name=op.f("ck_revocation_of_session_or_subject"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revocation")),
    )
    op.create_index(op.f("ix_revocation_transaction"), "revocation", ["transaction"], unique=False)
    op.execute("ALTER TABLE revocation ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE revocation FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY revocation_owner ON revocation TO CURRENT_USER USING (true) WITH CHECK (true)"
    )
    op.execute(
        "CREATE POLICY revocation_system ON revocation TO opora_system USING (true) WITH CHECK (true)"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON revocation TO opora_system")


def downgrade() -> None:
    """Forget them; whoever was revoked comes back for as long as its token lives."""
    op.drop_table("revocation")
