"""Create objectivity signs and keep journal marks."""

# ruff: noqa: INP001  Alembic's own layout

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.kit.migrations import secure, track
from services.kit.reach import Depth, Level

revision = "5c0e1b7a4d02"
down_revision = "5c0e1b7a4d01"
branch_labels = None
depends_on = None

# Checked imports wait in tables shaped like `result`; one that was checked before this migration is
# merged after it.
_STAGES = """
    DO $$
    DECLARE stage text;
    BEGIN
        FOR stage IN
            SELECT c.relname FROM pg_class c
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
              AND NOT c.relispartition AND c.relname ~ '^result_p[0-9]+_i[0-9]+$'
        LOOP
            EXECUTE format('ALTER TABLE %I ADD COLUMN journal_mark smallint', stage);
        END LOOP;
    END
    $$
"""
# Markers are for the region and, after publication, the municipality: never for a school or its
# curators (design 4).
_CLOSED = (Level.SCHOOL, Level.CURATOR)


def upgrade() -> None:
    """Make the tables of detections; give results a column for the mark of the journal."""
    op.add_column("result", sa.Column("journal_mark", sa.SmallInteger(), nullable=True))
    op.add_column("result_history", sa.Column("journal_mark", sa.SmallInteger(), nullable=True))
    op.execute(_STAGES)
    op.create_table(
        "objectivity_detection",
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="computing", nullable=False),
        sa.Column("is_published", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("settings_hash", sa.Text(), nullable=False),
        sa.Column("input_hash", sa.Text(), nullable=True),
        sa.Column("result_hash", sa.Text(), nullable=True),
        sa.Column("procedures", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("tests", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("refusal", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.Text(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("voided_by", sa.Text(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(state = 'voided') = (void_reason IS NOT NULL)",
            name=op.f("ck_objectivity_detection_void_reason"),
        ),
        sa.CheckConstraint(
            "is_published = (state = 'published')", name=op.f("ck_objectivity_detection_published")
        ),
        sa.CheckConstraint(
            "state IN ('computing', 'refused', 'computed', 'published', 'voided')",
            name=op.f("ck_objectivity_detection_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('computed', 'published') OR result_hash IS NOT NULL",
            name=op.f("ck_objectivity_detection_result_hash"),
        ),
        sa.CheckConstraint(
            "year BETWEEN 2000 AND 2100", name=op.f("ck_objectivity_detection_year")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objectivity_detection")),
    )
    op.create_index(
        "ix_objectivity_detection_region_id_year",
        "objectivity_detection",
        ["region_id", "year", "id"],
        unique=False,
    )
    op.create_table(
        "objectivity_school",
        sa.Column("detection_id", sa.BigInteger(), nullable=False),
        sa.Column("school_id", sa.BigInteger(), nullable=False),
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("municipality_id", sa.BigInteger(), nullable=False),
        sa.Column("is_published", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("municipality_name", sa.Text(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("limited", sa.Integer(), nullable=False),
        sa.Column("too_few", sa.Integer(), nullable=False),
        sa.Column("cells", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["detection_id"],
            ["objectivity_detection.id"],
            name=op.f("fk_objectivity_school_detection_id"),
        ),
        sa.PrimaryKeyConstraint("detection_id", "school_id", name=op.f("pk_objectivity_school")),
    )
    op.create_index(
        "ix_objectivity_school_detection_id_code",
        "objectivity_school",
        ["detection_id", "code", "school_id"],
        unique=False,
    )
    op.create_index(
        "ix_objectivity_school_municipality_id",
        "objectivity_school",
        ["municipality_id", "detection_id"],
        unique=False,
    )
    op.create_table(
        "objectivity_sign",
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("municipality_id", sa.BigInteger(), nullable=False),
        sa.Column("school_id", sa.BigInteger(), nullable=False),
        sa.Column("is_published", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("detection_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("detector", sa.Text(), nullable=False),
        sa.Column("procedure_id", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("n", sa.Integer(), nullable=True),
        sa.Column("sample", sa.Text(), nullable=False),
        sa.Column("p_value", sa.Numeric(precision=20, scale=18), nullable=True),
        sa.Column("p_adjusted", sa.Numeric(precision=20, scale=18), nullable=True),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("review", sa.Text(), server_default="open", nullable=False),
        sa.Column("review_reason", sa.Text(), nullable=True),
        sa.Column("review_document", sa.Text(), nullable=True),
        sa.Column("review_document_on", sa.Date(), nullable=True),
        sa.Column("reviewed_by", sa.Text(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_with_id", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(review = 'open') = (reviewed_by IS NULL) AND (review = 'open' OR (reviewed_at IS NOT NULL AND review_reason IS NOT NULL))",
            name=op.f("ck_objectivity_sign_reviewed"),
        ),
        sa.CheckConstraint(
            "detector IN ('border_peak', 'journal_marks', 'procedure_mismatch', 'over_easy', 'repeated')",
            name=op.f("ck_objectivity_sign_detector"),
        ),
        sa.CheckConstraint(
            "review IN ('open', 'confirmed', 'explained', 'withdrawn')",
            name=op.f("ck_objectivity_sign_review"),
        ),
        sa.CheckConstraint(
            "sample IN ('full', 'limited')", name=op.f("ck_objectivity_sign_sample")
        ),
        sa.CheckConstraint(
            "p_value BETWEEN 0 AND 1 AND p_adjusted BETWEEN p_value AND 1",
            name=op.f("ck_objectivity_sign_p"),
        ),
        sa.ForeignKeyConstraint(
            ["detection_id"],
            ["objectivity_detection.id"],
            name=op.f("fk_objectivity_sign_detection_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objectivity_sign")),
    )
    op.create_index(
        "ix_objectivity_sign_detection_id", "objectivity_sign", ["detection_id", "id"], unique=False
    )
    op.create_index(
        "ix_objectivity_sign_school_id", "objectivity_sign", ["school_id", "year"], unique=False
    )

    secure("objectivity_detection", Depth.REGION_OPEN, open_when="is_published", closed_to=_CLOSED)
    secure("objectivity_school", Depth.SCHOOL, open_when="is_published", closed_to=_CLOSED)
    secure("objectivity_sign", Depth.SCHOOL, open_when="is_published", closed_to=_CLOSED)
    # Signs leave through their own answers only, which ask for a scope of their own: not in the feed,
    # and the audit tells who did what about a sign, not the numbers it rests on.
    track(
        "objectivity_detection",
        kind="objectivity_detection",
        key=("id",),
        municipality=None,
        school=None,
        exclude=("tests", "counts", "procedures"),
        is_open=False,
        is_fed=False,
    )
    track(
        "objectivity_sign",
        kind="objectivity_sign",
        key=("id",),
        municipality=None,
        school=None,
        exclude=("evidence", "n", "p_value", "p_adjusted"),
        is_open=False,
        is_fed=False,
    )


def downgrade() -> None:
    """Forget detections and journal marks."""
    for table in ("objectivity_sign", "objectivity_school", "objectivity_detection"):
        op.drop_table(table)
    op.drop_column("result_history", "journal_mark")
    op.drop_column("result", "journal_mark")
