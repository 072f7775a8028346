"""Create appeals, their sandboxes and the corrections of cells that follow from them."""

# ruff: noqa: INP001  Alembic's own layout

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.kit.migrations import secure, track
from services.kit.reach import Depth, Level

revision = "5c0e1b7a4d05"
down_revision = "5c0e1b7a4d04"
branch_labels = None
depends_on = None

_APPELLANTS = (Level.REGION, Level.MUNICIPALITY, Level.SCHOOL)
# Numbers of pupils and texts of a dispute do not travel: the feed tells that there is an appeal, in
# which state; its content is read where numbers of small groups are hidden from those who may not
# see them. Of the decision's authors the audit tells that they changed, not who they are.
_CLOSED_COLUMNS = "contested,claimed,counts_hash,evidence,reason,late_reason"
_ARGUMENTS = (
    f"'appeal', 'id', 'id', 'region_id', 'municipality_id', 'school_id', '{_CLOSED_COLUMNS}', 't'"
)
_TRACKED = f"""
    CREATE TRIGGER track_appeal AFTER INSERT OR UPDATE ON appeal FOR EACH ROW
        WHEN (NEW.kind <> 'sign')
        EXECUTE FUNCTION opora_track({_ARGUMENTS}, 'commission,corrected', 't');
    CREATE TRIGGER track_appeal_sign AFTER INSERT OR UPDATE ON appeal FOR EACH ROW
        WHEN (NEW.kind = 'sign')
        EXECUTE FUNCTION opora_track({_ARGUMENTS}, 'commission,corrected', 'f');
    CREATE TRIGGER track_appeal_deleted AFTER DELETE ON appeal FOR EACH ROW
        EXECUTE FUNCTION opora_track({_ARGUMENTS}, 'commission,corrected', 'f')
"""


def upgrade() -> None:
    """Make the three tables."""
    op.create_table(
        "appeal",
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("municipality_id", sa.BigInteger(), nullable=False),
        sa.Column("school_id", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cell", sa.Text(), nullable=False),
        sa.Column("procedure_id", sa.BigInteger(), nullable=True),
        sa.Column("attribute", sa.Text(), nullable=True),
        sa.Column("sign_id", sa.BigInteger(), nullable=True),
        sa.Column("contested", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("claimed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("counts_hash", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), server_default="filed", nullable=False),
        sa.Column("filed_by", sa.Text(), nullable=False),
        sa.Column("filed_as", sa.Text(), nullable=False),
        sa.Column(
            "filed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("late_reason", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("review_started_by", sa.Text(), nullable=True),
        sa.Column("review_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawal_reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("commission", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("protocol_number", sa.Text(), nullable=True),
        sa.Column("protocol_date", sa.Date(), nullable=True),
        sa.Column("order_number", sa.Text(), nullable=True),
        sa.Column("corrected", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "kind IN ('result', 'attribute', 'mark', 'sign')", name=op.f("ck_appeal_kind")
        ),
        sa.CheckConstraint(
            "state IN ('filed', 'under_review', 'accepted', 'rejected', 'withdrawn')",
            name=op.f("ck_appeal_state"),
        ),
        sa.CheckConstraint(
            "(state IN ('accepted', 'rejected')) = (decided_by IS NOT NULL)"
            " AND (decided_by IS NULL OR (decided_at IS NOT NULL AND decision_reason IS NOT NULL"
            " AND protocol_number IS NOT NULL AND protocol_date IS NOT NULL))",
            name=op.f("ck_appeal_decision"),
        ),
        sa.CheckConstraint("decided_by <> filed_by", name=op.f("ck_appeal_second_person")),
        sa.CheckConstraint(
            "(state = 'accepted') = (corrected IS NOT NULL)", name=op.f("ck_appeal_corrected")
        ),
        sa.CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_by IS NOT NULL)"
            " AND (withdrawn_by IS NULL OR (withdrawn_at IS NOT NULL"
            " AND withdrawal_reason IS NOT NULL))",
            name=op.f("ck_appeal_withdrawal"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["identification_run.id"], name=op.f("fk_appeal_run_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal")),
    )
    op.create_index(
        "uq_appeal_cell",
        "appeal",
        ["run_id", "school_id", "cell"],
        unique=True,
        postgresql_where=sa.text("state <> 'withdrawn'"),
    )
    op.create_index("ix_appeal_region_id", "appeal", ["region_id", "id"])
    op.create_index("ix_appeal_municipality_id", "appeal", ["municipality_id", "id"])
    op.create_index("ix_appeal_school_id", "appeal", ["school_id", "id"])
    op.create_table(
        "appeal_sandbox",
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("appeal_id", sa.BigInteger(), nullable=False),
        sa.Column("corrected", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("outcome", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("computed_by", sa.Text(), nullable=False),
        sa.Column(
            "computed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeal.id"], name=op.f("fk_appeal_sandbox_appeal_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal_sandbox")),
    )
    op.create_index("ix_appeal_sandbox_appeal_id", "appeal_sandbox", ["appeal_id", "id"])
    op.create_index("ix_appeal_sandbox_region_id", "appeal_sandbox", ["region_id"])
    op.create_table(
        "cell_correction",
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("municipality_id", sa.BigInteger(), nullable=False),
        sa.Column("school_id", sa.BigInteger(), nullable=False),
        sa.Column("procedure_id", sa.BigInteger(), nullable=False),
        sa.Column("appeal_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("low", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("counts_hash", sa.Text(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "n >= 0 AND low BETWEEN 0 AND n AND failed BETWEEN 0 AND n",
            name=op.f("ck_cell_correction_numbers"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cell_correction")),
    )
    op.create_index("ix_cell_correction_appeal_id", "cell_correction", ["appeal_id"], unique=True)
    op.create_index(
        "ix_cell_correction_procedure_id", "cell_correction", ["procedure_id", "school_id"]
    )
    op.create_index("ix_cell_correction_school_id", "cell_correction", ["school_id"])

    secure("appeal", Depth.SCHOOL, writers=_APPELLANTS)
    # Signs of biased results are for the region and the municipality (design 4): what contests one
    # would tell the school of it.
    for level in (Level.SCHOOL, Level.CURATOR):
        op.execute(
            f"CREATE POLICY appeal_sign_{level} ON appeal AS RESTRICTIVE TO opora_{level}"
            " USING (kind <> 'sign') WITH CHECK (kind <> 'sign')"
        )
    secure("appeal_sandbox", Depth.REGION)
    secure("cell_correction", Depth.SCHOOL)
    for trigger in _TRACKED.split(";"):
        op.execute(trigger)
    # Outcomes tell of other schools; numbers of small groups stay out of the feed.
    track(
        "appeal_sandbox", kind="appeal_sandbox", key=("id",), municipality=None, school=None,
        exclude=("corrected", "outcome"), is_open=False, is_fed=False,
    )  # fmt: skip
    track("cell_correction", kind="cell_correction", key=("id",), is_fed=False)


def downgrade() -> None:
    """Take them back."""
    op.drop_table("cell_correction")
    op.drop_table("appeal_sandbox")
    op.drop_table("appeal")
