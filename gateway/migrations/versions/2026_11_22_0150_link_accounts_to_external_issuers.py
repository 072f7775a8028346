"""Link accounts to external issuers, and remember who was sent to one."""

# ruff: noqa: INP001  Alembic's own layout

import sqlalchemy as sa
from alembic import op

from services.kit.migrations import secure, track
from services.kit.reach import Depth, Level

revision = "b7d2a9135ec4"
down_revision = "8e41d70c95b2"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create both tables, lock them, and let an erased account lose its link."""
    op.create_table(
        "external_identity",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("municipality_id", sa.BigInteger(), nullable=True),
        sa.Column("school_id", sa.BigInteger(), nullable=True),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("linked_at", _INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_external_identity_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_identity")),
        sa.UniqueConstraint("account_id", name=op.f("uq_external_identity_account_id")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_external_identity_issuer_subject")),
    )
    for column in ("region_id", "municipality_id", "school_id"):
        op.create_index(op.f(f"ix_external_identity_{column}"), "external_identity", [column])
    op.create_table(
        "external_login",
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("verifier_hash", sa.LargeBinary(), nullable=False),
        sa.Column("nonce_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_verifier_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_external_login")),
    )
    op.create_index(op.f("ix_external_login_expires_at"), "external_login", ["expires_at"])

    # A curator's grants of schools say nothing about people, not even about the curator.
    secure(
        "external_identity",
        Depth.SCHOOL,
        writers=(Level.REGION, Level.MUNICIPALITY),
        curator="false",
    )
    # The subject names a person elsewhere: what is append-only must not keep it for ever.
    track(
        "external_identity",
        kind="external-identity",
        key=("id",),
        exclude=("subject",),
        is_open=False,
    )
    op.execute("ALTER TABLE external_login ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE external_login FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY external_login_owner ON external_login TO CURRENT_USER"
        " USING (true) WITH CHECK (true)"
    )
    op.execute(
        "CREATE POLICY external_login_system ON external_login TO opora_system"
        " USING (true) WITH CHECK (true)"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON external_login TO opora_system")
    # Whoever erases an account need not know who else keeps something about the person.
    op.execute(
        """
        CREATE FUNCTION opora_forget_external_identity() RETURNS trigger
        LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
        BEGIN
            DELETE FROM external_identity WHERE account_id = NEW.id;
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER forget_external_identity AFTER UPDATE OF erased_at ON account"
        " FOR EACH ROW WHEN (NEW.erased_at IS NOT NULL)"
        " EXECUTE FUNCTION opora_forget_external_identity()"
    )


def downgrade() -> None:
    """Drop what was made; links are lost."""
    op.execute("DROP TRIGGER forget_external_identity ON account")
    op.execute("DROP FUNCTION opora_forget_external_identity()")
    op.drop_table("external_login")
    op.drop_table("external_identity")
