"""Place machine clients at any node, and keep several secrets and public keys of each."""

# ruff: noqa: INP001  Alembic's own layout

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.kit.migrations import secure, track
from services.kit.reach import Depth, Level

revision = "8e41d70c95b2"
down_revision = "3c1f9a7be204"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_WRITERS = (Level.REGION, Level.MUNICIPALITY)


def upgrade() -> None:
    """Add columns and tables, move the secrets, and lock everything by the deeper node."""
    # With defaults all of them: the release before writes clients beside this one.
    op.add_column("machine_client", sa.Column("municipality_id", sa.BigInteger(), nullable=True))
    op.add_column("machine_client", sa.Column("school_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "machine_client",
        sa.Column(
            "public_keys",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
        ),
    )
    op.add_column(
        "machine_client",
        sa.Column("keys_only", sa.Boolean(), server_default="false", nullable=False),
    )
    op.add_column("machine_client", sa.Column("last_used_on", sa.Date(), nullable=True))
    op.create_check_constraint(
        op.f("ck_machine_client_node"),
        "machine_client",
        "school_id IS NULL OR municipality_id IS NOT NULL",
    )
    op.create_index(op.f("ix_machine_client_municipality_id"), "machine_client", ["municipality_id"])
    op.create_index(op.f("ix_machine_client_school_id"), "machine_client", ["school_id"])
    op.create_table(
        "machine_client_secret",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("machine_client_id", sa.BigInteger(), nullable=False),
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("municipality_id", sa.BigInteger(), nullable=True),
        sa.Column("school_id", sa.BigInteger(), nullable=True),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=True),
        sa.Column("revoked_at", _INSTANT, nullable=True),
        sa.Column("last_used_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["machine_client_id"],
            ["machine_client.id"],
            name=op.f("fk_machine_client_secret_machine_client_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_machine_client_secret")),
    )
    for column in ("machine_client_id", "region_id", "municipality_id", "school_id"):
        op.create_index(
            op.f(f"ix_machine_client_secret_{column}"), "machine_client_secret", [column]
        )
    op.create_table(
        "client_assertion",
        sa.Column("machine_client_id", sa.BigInteger(), nullable=False),
        sa.Column("jti_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["machine_client_id"],
            ["machine_client.id"],
            name=op.f("fk_client_assertion_machine_client_id"),
        ),
        sa.PrimaryKeyConstraint("machine_client_id", "jti_hash", name=op.f("pk_client_assertion")),
    )
    op.create_index(op.f("ix_client_assertion_expires_at"), "client_assertion", ["expires_at"])
    op.execute(
        "INSERT INTO machine_client_secret (machine_client_id, region_id, secret_hash, created_at)"
        " SELECT id, region_id, secret_hash, created_at FROM machine_client"
        " WHERE secret_hash IS NOT NULL"
    )

    for policy in ("owner", "system", "region"):
        op.execute(f"DROP POLICY machine_client_{policy} ON machine_client")
    secure("machine_client", Depth.SCHOOL, writers=_WRITERS)
    secure("machine_client_secret", Depth.SCHOOL, writers=_WRITERS)
    op.execute("DROP TRIGGER track_machine_client ON machine_client")
    track(
        "machine_client",
        kind="machine-client",
        key=("client_id",),
        exclude=("secret_hash", "last_used_on"),
        is_open=False,
    )
    track(
        "machine_client_secret",
        kind="machine-client-secret",
        key=("id",),
        exclude=("secret_hash", "last_used_on"),
        is_open=False,
    )
    op.execute("ALTER TABLE client_assertion ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE client_assertion FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY client_assertion_owner ON client_assertion TO CURRENT_USER"
        " USING (true) WITH CHECK (true)"
    )
    op.execute(
        "CREATE POLICY client_assertion_system ON client_assertion TO opora_system"
        " USING (true) WITH CHECK (true)"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON client_assertion TO opora_system")


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("Clients below a region have no place in the schema before.")
