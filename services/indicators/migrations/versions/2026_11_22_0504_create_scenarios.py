"""Create scenarios: what-ifs of a run, with their answers for every school."""

# ruff: noqa: INP001  Alembic's own layout

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.kit.migrations import secure, track
from services.kit.reach import Depth

revision = "5c0e1b7a4d04"
down_revision = "5c0e1b7a4d03"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "scenario",
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("document_hash", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("effect", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("answers_hash", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("voided_by", sa.Text(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(voided_at IS NULL) = (void_reason IS NULL)", name=op.f("ck_scenario_void_reason")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["identification_run.id"], name=op.f("fk_scenario_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scenario")),
    )
    op.create_index(op.f("ix_scenario_run_id"), "scenario", ["run_id"])
    op.create_index("ix_scenario_region_id", "scenario", ["region_id", "run_id", "id"])
    op.create_table(
        "scenario_school",
        sa.Column("scenario_id", sa.BigInteger(), nullable=False),
        sa.Column("school_id", sa.BigInteger(), nullable=False),
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("municipality_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("flags", sa.SmallInteger(), nullable=False),
        sa.Column("unknown_flags", sa.SmallInteger(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("certainty", sa.SmallInteger(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("causes", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("is_combination", sa.Boolean(), nullable=False),
        sa.Column("is_lost_by_one", sa.Boolean(), nullable=False),
        sa.Column("is_gained_by_one", sa.Boolean(), nullable=False),
        sa.Column("participants", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "change IN ('none', 'entered', 'left', 'changed')",
            name=op.f("ck_scenario_school_change"),
        ),
        sa.CheckConstraint("certainty BETWEEN 0 AND 4", name=op.f("ck_scenario_school_certainty")),
        sa.CheckConstraint(
            "(flags = 0) = (category IS NULL)", name=op.f("ck_scenario_school_category")
        ),
        sa.PrimaryKeyConstraint("scenario_id", "school_id", name=op.f("pk_scenario_school")),
    )
    op.create_index(
        "ix_scenario_school_scenario_id_code",
        "scenario_school",
        ["scenario_id", "code", "school_id"],
    )
    op.create_index("ix_scenario_school_region_id", "scenario_school", ["region_id", "scenario_id"])
    secure("scenario", Depth.REGION)
    secure("scenario_school", Depth.REGION)
    # The region's own thoughts: its feed tells the scenario, nobody below learns of it. The answers
    # never change after they are computed and are read through it.
    track(
        "scenario", kind="scenario", key=("id",), municipality=None, school=None, is_open=False,
        exclude=("document", "effect"),
    )  # fmt: skip


def downgrade() -> None:
    """Take back."""
    op.drop_table("scenario_school")
    op.drop_table("scenario")
