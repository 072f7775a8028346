"""Create drafts of methodologies and printed splits, and keep what was found when a version was added."""

# ruff: noqa: INP001  Alembic's own layout

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.kit.migrations import secure, track
from services.kit.reach import Depth

revision = "5c0e1b7a4d06"
down_revision = "5c0e1b7a4d05"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "methodology_version",
        sa.Column(
            "findings",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
    )
    op.add_column(
        "methodology_version",
        sa.Column("origin", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    )
    op.add_column("methodology_version", sa.Column("replaces_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_methodology_version_replaces_id"),
        "methodology_version",
        "methodology_version",
        ["replaces_id"],
        ["id"],
    )
    op.create_unique_constraint(
        op.f("uq_methodology_version_replaces_id"), "methodology_version", ["replaces_id"]
    )
    op.create_table(
        "methodology_draft",
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("origin", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("adopted_id", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "jsonb_typeof(document) = 'object'", name=op.f("ck_methodology_draft_document")
        ),
        sa.ForeignKeyConstraint(
            ["adopted_id"],
            ["methodology_version.id"],
            name=op.f("fk_methodology_draft_adopted_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_methodology_draft")),
    )
    op.create_index(
        "ix_methodology_draft_region_id", "methodology_draft", ["region_id", "id"], unique=False
    )
    op.create_table(
        "printed_split",
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("printed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("is_consistent", sa.Boolean(), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sums", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("accepted_reason", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "is_consistent OR accepted_reason IS NOT NULL", name=op.f("ck_printed_split_accepted")
        ),
        sa.CheckConstraint("year BETWEEN 2000 AND 2100", name=op.f("ck_printed_split_year")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_printed_split")),
        sa.UniqueConstraint(
            "region_id", "content_hash", name=op.f("uq_printed_split_region_id_content_hash")
        ),
    )
    secure("methodology_draft", Depth.REGION)
    secure("printed_split", Depth.REGION_OPEN)
    # A draft is nobody's rule yet: the audit tells of it, the feed does not.
    track(
        "methodology_draft",
        kind="methodology_draft",
        key=("id",),
        municipality=None,
        school=None,
        is_open=False,
        is_fed=False,
    )
    track(
        "printed_split",
        kind="printed_split",
        key=("id",),
        municipality=None,
        school=None,
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("printed_split")
    op.drop_table("methodology_draft")
    op.drop_constraint(
        op.f("uq_methodology_version_replaces_id"), "methodology_version", type_="unique"
    )
    op.drop_constraint(
        op.f("fk_methodology_version_replaces_id"), "methodology_version", type_="foreignkey"
    )
    op.drop_column("methodology_version", "replaces_id")
    op.drop_column("methodology_version", "origin")
    op.drop_column("methodology_version", "findings")
