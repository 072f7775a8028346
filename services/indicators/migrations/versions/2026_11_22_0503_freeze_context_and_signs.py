"""Freeze context and signs beside results, and keep what a run could not answer.

Revision: 5c0e1b7a4d03, after: 5c0e1b7a4d02, 2026-11-22 05:03
"""

# ruff: noqa: INP001  Alembic's own layout

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.kit.migrations import secure
from services.kit.reach import Depth, Level

revision = "5c0e1b7a4d03"
down_revision = "5c0e1b7a4d02"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())


def _located(*columns: sa.Column) -> list[sa.Column]:
    return [
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        *columns,
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("is_published", sa.Boolean(), server_default="false", nullable=False),
    ]


def _of_run(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["run_id"], ["identification_run.id"], name=op.f(f"fk_{table}_run_id")
    )


def _required(name: str, kind: object) -> sa.Column:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    """Apply."""
    op.add_column("identification_run", sa.Column("notices", JSONB))
    op.add_column("run_evidence", sa.Column("low_otherwise", postgresql.ARRAY(sa.Integer())))
    op.add_column("run_evidence", sa.Column("corrections", JSONB))
    op.add_column("run_evidence", sa.Column("details_hash", sa.BigInteger()))
    op.add_column(
        "run_school",
        sa.Column("unknown_flags", sa.SmallInteger(), server_default="0", nullable=False),
    )
    op.add_column("run_school", sa.Column("facts_hashes", postgresql.ARRAY(sa.Text())))
    op.add_column("run_procedure", sa.Column("facts_hash", sa.Text()))
    op.drop_constraint("ck_run_school_flags", "run_school")
    op.create_check_constraint(op.f("ck_run_school_flags"), "run_school", "flags BETWEEN 0 AND 31")
    op.create_check_constraint(
        op.f("ck_run_school_unknown_flags"),
        "run_school",
        "unknown_flags BETWEEN 0 AND 31 AND (flags & unknown_flags) = 0",
    )
    op.create_table(
        "run_index",
        *_located(sa.Column("code", sa.Text(), nullable=False)),
        _required("title", sa.Text()),
        _required("context_year", sa.Integer()),
        _required("n", sa.Integer()),
        _required("definition", JSONB),
        _required("statistics", JSONB),
        _required("borders", JSONB),
        _of_run("run_index"),
        sa.PrimaryKeyConstraint("run_id", "code", name=op.f("pk_run_index")),
    )
    op.create_index("ix_run_index_region_id", "run_index", ["region_id", "run_id"])
    op.create_table(
        "run_context",
        *_located(
            sa.Column("school_id", sa.BigInteger(), nullable=False),
            sa.Column("municipality_id", sa.BigInteger(), nullable=False),
        ),
        _required("attribute", postgresql.ARRAY(sa.Text())),
        _required("state", postgresql.ARRAY(sa.Text())),
        _required("value", postgresql.ARRAY(sa.Numeric())),
        _required("source", postgresql.ARRAY(sa.Text())),
        _required("asked_years", postgresql.ARRAY(sa.SmallInteger())),
        _required("index_code", postgresql.ARRAY(sa.Text())),
        _required("index_value", postgresql.ARRAY(sa.Numeric())),
        _required("index_missing_weight", postgresql.ARRAY(sa.Numeric())),
        sa.PrimaryKeyConstraint("run_id", "school_id", name=op.f("pk_run_context")),
    )
    op.create_index("ix_run_context_municipality_id", "run_context", ["municipality_id", "run_id"])
    op.create_table(
        "run_sign",
        *_located(
            sa.Column("sign_id", sa.BigInteger(), nullable=False),
            sa.Column("municipality_id", sa.BigInteger(), nullable=False),
            sa.Column("school_id", sa.BigInteger(), nullable=False),
        ),
        _required("year", sa.Integer()),
        _required("detector", sa.Text()),
        sa.Column("procedure_id", sa.BigInteger()),
        sa.Column("procedure", sa.Text()),
        sa.Column("subject", sa.Text()),
        _of_run("run_sign"),
        sa.PrimaryKeyConstraint("run_id", "sign_id", name=op.f("pk_run_sign")),
    )
    op.create_index("ix_run_sign_region_id", "run_sign", ["region_id", "run_id", "school_id"])
    secure("run_index", Depth.REGION_OPEN, open_when="is_published")
    secure("run_context", Depth.SCHOOL, open_when="is_published")
    # Design 4: signs of biased results are seen by the region, and by a municipality for its own
    # schools once the run is published; schools and curators do not see them.
    secure(
        "run_sign",
        Depth.SCHOOL,
        open_when="is_published",
        closed_to=(Level.SCHOOL, Level.CURATOR),
    )
    op.execute(_MAY_COUNT)


# A run counts its cells in temporary tables, under the reach of its region: row security binds it.
_MAY_COUNT = """
    DO $$ BEGIN
        EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO opora_region', current_database());
    END $$
"""


def downgrade() -> None:
    """Not taken back: runs would lose what their answers follow from."""
