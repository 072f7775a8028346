"""Follow reorganisations of schools: keep the events of the network that the registry tells."""

# ruff: noqa: INP001  Alembic's own layout

import sqlalchemy as sa
from alembic import op

from services.kit.migrations import secure
from services.kit.reach import Depth

revision = "5c0e1b7a4d07"
down_revision = "5c0e1b7a4d06"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the projection of the network's events.

    The follower of these events has a cursor of its own, so a service that has read the registry's
    feed for long still meets the events of earlier years.
    """
    op.create_table(
        "succession",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("municipality_id", sa.BigInteger(), nullable=False),
        sa.Column("school_id", sa.BigInteger(), nullable=False),
        sa.Column("predecessor_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=True),
        sa.Column("order_date", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_succession")),
    )
    op.create_index("ix_succession_region_id", "succession", ["region_id", "predecessor_id"])
    secure("succession", Depth.SCHOOL, writers=())


def downgrade() -> None:
    """Forget the events; the registry keeps them."""
    op.drop_table("succession")
