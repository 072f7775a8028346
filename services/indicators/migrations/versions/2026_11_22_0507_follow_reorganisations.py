"""Follow reorganisations of schools, and freeze in each run which results were passed on."""

# ruff: noqa: INP001  Alembic's own layout

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.kit.migrations import secure
from services.kit.reach import Depth

revision = "5c0e1b7a4d07"
down_revision = "5c0e1b7a4d06"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the projection of the network's events and the frozen parts of a run.

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
    op.create_table(
        "run_reorganisation",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("municipality_id", sa.BigInteger(), nullable=False),
        sa.Column("school_id", sa.BigInteger(), nullable=False),
        sa.Column("is_published", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("predecessor_id", sa.BigInteger(), nullable=False),
        sa.Column("predecessor_code", sa.Text(), nullable=True),
        sa.Column("predecessor_name", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=True),
        sa.Column("order_date", sa.Date(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("procedure_id", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("n", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("low", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("failed", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.CheckConstraint("kind IN ('merge', 'split')", name=op.f("ck_run_reorganisation_kind")),
        sa.CheckConstraint(
            "outcome IN ('passed', 'split', 'still_open', 'several_successors')",
            name=op.f("ck_run_reorganisation_outcome"),
        ),
        sa.CheckConstraint(
            "outcome = 'passed' OR cardinality(procedure_id) = 0",
            name=op.f("ck_run_reorganisation_cells"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["identification_run.id"], name=op.f("fk_run_reorganisation_run_id")
        ),
        sa.PrimaryKeyConstraint("run_id", "event_id", name=op.f("pk_run_reorganisation")),
    )
    op.create_index("ix_run_reorganisation_school_id", "run_reorganisation", ["school_id"])
    op.create_index(
        "ix_run_reorganisation_municipality_id", "run_reorganisation", ["municipality_id"]
    )
    secure("run_reorganisation", Depth.SCHOOL, open_when="is_published")
    # What the schools of the procedure have in common, where the methodology shrinks shares.
    op.add_column("run_procedure", sa.Column("prior", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    """Forget the events and what followed from them; the registry keeps the events."""
    op.drop_column("run_procedure", "prior")
    op.drop_table("run_reorganisation")
    op.drop_table("succession")
