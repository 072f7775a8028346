"""Count requests over all processes of the gateway."""

# ruff: noqa: INP001  Alembic's own layout

import sqlalchemy as sa
from alembic import op

revision = "9d20c7b1e5a4"
down_revision = "fa899cd32907"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the levels of rate limits; unlogged, because losing them in a crash costs nothing."""
    op.create_table(
        "rate_level",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("level", sa.Double(), nullable=False),
        sa.Column("per_second", sa.Double(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_level")),
        prefixes=["UNLOGGED"],
    )
    op.create_index(op.f("ix_rate_level_at"), "rate_level", ["at"], unique=False)
    op.execute("ALTER TABLE rate_level ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE rate_level FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY rate_level_owner ON rate_level TO CURRENT_USER USING (true) WITH CHECK (true)"
    )
    op.execute(
        "CREATE POLICY rate_level_system ON rate_level TO opora_system"
        " USING (true) WITH CHECK (true)"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON rate_level TO opora_system")


def downgrade() -> None:
    """Forget the levels."""
    op.drop_table("rate_level")
