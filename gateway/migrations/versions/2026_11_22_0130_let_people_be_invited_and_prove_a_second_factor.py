"""Let people be invited, see their sessions and prove a second factor."""

# ruff: noqa: INP001  Alembic's own layout

import sqlalchemy as sa
from alembic import op

from services.kit.migrations import track

revision = "3c1f9a7be204"
down_revision = "c41d7be90a35"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add what accounts and sessions remember, and the two tables of the second factor."""
    # Nullable all of them: the release before writes rows beside this one.
    op.alter_column("account", "password_hash", existing_type=sa.Text(), nullable=True)
    op.add_column("account", sa.Column("former_password_hash", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("invitation_hash", sa.LargeBinary(), nullable=True))
    op.add_column("account", sa.Column("invitation_expires_at", _INSTANT, nullable=True))
    op.add_column("account", sa.Column("second_factor_since", _INSTANT, nullable=True))
    op.add_column("account", sa.Column("last_used_on", sa.Date(), nullable=True))
    op.add_column("account", sa.Column("erased_at", _INSTANT, nullable=True))
    op.create_unique_constraint(
        op.f("uq_account_invitation_hash"), "account", ["invitation_hash"]
    )
    op.create_check_constraint(
        op.f("ck_account_erased_is_blocked"),
        "account",
        "erased_at IS NULL OR blocked_at IS NOT NULL",
    )
    op.add_column("login_session", sa.Column("last_used_at", _INSTANT, nullable=True))
    op.add_column("login_session", sa.Column("device", sa.Text(), nullable=True))
    op.add_column("login_session", sa.Column("source", sa.Text(), nullable=True))
    op.create_table(
        "second_factor",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("confirmed_at", _INSTANT, nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("ticket_hash", sa.LargeBinary(), nullable=True),
        sa.Column("ticket_expires_at", _INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_second_factor_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_second_factor")),
        sa.UniqueConstraint("ticket_hash", name=op.f("uq_second_factor_ticket_hash")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", _INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["second_factor.account_id"],
            name=op.f("fk_recovery_code_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "code_hash", name=op.f("pk_recovery_code")),
    )
    for table in ("second_factor", "recovery_code"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_owner ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)"
        )
        op.execute(
            f"CREATE POLICY {table}_system ON {table} TO opora_system USING (true) WITH CHECK (true)"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO opora_system")

    # Login and name are personal data: what is append-only must not keep them for ever.
    op.execute("DROP TRIGGER track_account ON account")
    track(
        "account",
        kind="account",
        key=("id",),
        exclude=(
            "login",
            "display_name",
            "password_hash",
            "former_password_hash",
            "invitation_hash",
            "last_used_on",
        ),
        is_open=False,
    )
    op.execute(
        "UPDATE audit_entry SET before = before - '{login,display_name}'::text[],"
        " after = after - '{login,display_name}'::text[] WHERE kind = 'account'"
    )
    op.execute(
        "UPDATE change SET body = body - '{login,display_name}'::text[],"
        " key = jsonb_build_object('id', entity_id) WHERE kind = 'account'"
    )


def downgrade() -> None:
    """Refuse."""
    raise NotImplementedError("People who were invited have no password to go back to.")
