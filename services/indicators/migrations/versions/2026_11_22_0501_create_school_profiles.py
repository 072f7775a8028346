"""Create school profiles, their imports, indices over them and calculations."""

# ruff: noqa: INP001  Alembic's own layout

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.kit.migrations import secure, track
from services.kit.reach import Depth

revision = "5c0e1b7a4d01"
down_revision = "9d43e2f06b3a"
branch_labels = None
depends_on = None

_NOW = sa.text("now()")


def upgrade() -> None:
    """Apply."""
    _profiles()
    _imports()
    _calculations()
    secure("profile_attribute", Depth.REGION_OPEN)
    secure("school_profile", Depth.SCHOOL)
    secure("profile_import", Depth.REGION)
    secure("profile_import_row", Depth.REGION)
    secure("context_index", Depth.REGION_OPEN)
    secure("context_calculation", Depth.REGION)
    secure("context_school", Depth.REGION)
    track(
        "profile_attribute",
        kind="profile_attribute",
        key=("code",),
        municipality=None,
        school=None,
    )
    # The feed would give small numbers of pupils to those who may not see them.
    track("school_profile", kind="school_profile", key=("school_id", "year"), is_fed=False)
    track(
        "profile_import",
        kind="profile_import",
        key=("id",),
        municipality=None,
        school=None,
        is_open=False,
    )
    track(
        "context_index",
        kind="context_index",
        key=("code", "number"),
        municipality=None,
        school=None,
    )
    track(
        "context_calculation",
        kind="context_calculation",
        key=("id",),
        municipality=None,
        school=None,
        exclude=("summary",),
        is_open=False,
    )


def _profiles() -> None:
    op.create_table(
        "profile_attribute",
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("is_about_pupils", sa.Boolean(), nullable=False),
        sa.Column("is_retired", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "kind IN ('share', 'count', 'number', 'boolean')",
            name=op.f("ck_profile_attribute_kind"),
        ),
        sa.CheckConstraint(
            "\"group\" IN ('contingent', 'staff', 'resources', 'results', 'other')",
            name=op.f("ck_profile_attribute_group"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile_attribute")),
        sa.UniqueConstraint("region_id", "code", name=op.f("uq_profile_attribute_region_id_code")),
    )
    op.create_table(
        "school_profile",
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("municipality_id", sa.BigInteger(), nullable=False),
        sa.Column("school_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("filled", sa.Integer(), nullable=False),
        sa.Column("not_applicable", sa.Integer(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("year BETWEEN 2000 AND 2100", name=op.f("ck_school_profile_year")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_profile")),
        sa.UniqueConstraint("school_id", "year", name=op.f("uq_school_profile_school_id_year")),
    )
    op.create_index(
        "ix_school_profile_region_id_year", "school_profile", ["region_id", "year", "school_id"]
    )
    op.create_index(
        "ix_school_profile_municipality_id", "school_profile", ["municipality_id", "year"]
    )


def _imports() -> None:
    op.create_table(
        "profile_import",
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=True),
        sa.Column("delimiter", sa.Text(), nullable=True),
        sa.Column("sheet", sa.Text(), nullable=True),
        sa.Column("unknown_headings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rows_in", sa.Integer(), nullable=False),
        sa.Column("rows_stored", sa.Integer(), nullable=False),
        sa.Column("rows_rejected", sa.Integer(), nullable=False),
        sa.Column("rows_ignored", sa.Integer(), nullable=False),
        sa.Column("issues", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "state IN ('checked', 'committed')", name=op.f("ck_profile_import_state")
        ),
        sa.CheckConstraint(
            "rows_in = rows_stored + rows_rejected + rows_ignored",
            name=op.f("ck_profile_import_rows"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile_import")),
        sa.UniqueConstraint(
            "region_id", "year", "sha256", name=op.f("uq_profile_import_region_id_year_sha256")
        ),
    )
    op.create_index("ix_profile_import_region_id", "profile_import", ["region_id", "id"])
    op.create_table(
        "profile_import_row",
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("school_id", sa.BigInteger(), nullable=True),
        sa.Column("cells", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('store', 'reject', 'ignore')", name=op.f("ck_profile_import_row_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["profile_import.id"],
            name=op.f("fk_profile_import_row_import_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile_import_row")),
    )
    op.create_index(
        "ix_profile_import_row_import_id", "profile_import_row", ["import_id", "outcome", "row_no"]
    )


def _calculations() -> None:
    op.create_table(
        "context_index",
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("document_hash", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_context_index_number")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_context_index")),
        sa.UniqueConstraint(
            "region_id", "code", "number", name=op.f("uq_context_index_region_id_code_number")
        ),
        sa.UniqueConstraint(
            "region_id",
            "code",
            "document_hash",
            name=op.f("uq_context_index_region_id_code_document_hash"),
        ),
    )
    op.create_table(
        "context_calculation",
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("definition_hash", sa.Text(), nullable=False),
        sa.Column("input_hash", sa.Text(), nullable=False),
        sa.Column("answer_hash", sa.Text(), nullable=False),
        sa.Column("summary", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_context_calculation")),
    )
    op.create_index("ix_context_calculation_region_id", "context_calculation", ["region_id", "id"])
    op.create_table(
        "context_school",
        sa.Column("calculation_id", sa.BigInteger(), nullable=False),
        sa.Column("school_id", sa.BigInteger(), nullable=False),
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("municipality_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("indices", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_adverse", sa.Boolean(), nullable=True),
        sa.Column("result", sa.Numeric(), nullable=True),
        sa.Column("expected", sa.Numeric(), nullable=True),
        sa.Column("half_width", sa.Numeric(), nullable=True),
        sa.Column("residual", sa.Numeric(), nullable=True),
        sa.Column("standardised", sa.Numeric(), nullable=True),
        sa.CheckConstraint(
            "status IN ('resilient', 'struggling', 'other', 'excluded')",
            name=op.f("ck_context_school_status"),
        ),
        sa.ForeignKeyConstraint(
            ["calculation_id"],
            ["context_calculation.id"],
            name=op.f("fk_context_school_calculation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("calculation_id", "school_id", name=op.f("pk_context_school")),
    )
    op.create_index(
        "ix_context_school_code", "context_school", ["calculation_id", "code", "school_id"]
    )


def downgrade() -> None:
    """Undo: the profiles are lost."""
    for table in (
        "context_school",
        "context_calculation",
        "context_index",
        "profile_import_row",
        "profile_import",
        "school_profile",
        "profile_attribute",
    ):
        op.drop_table(table)
