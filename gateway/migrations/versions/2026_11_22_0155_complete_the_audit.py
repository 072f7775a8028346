"""Complete the audit: readings, the chain of hashes, and persons whose values it does not keep."""

# ruff: noqa: INP001  Alembic's own layout

from services.kit.migrations import complete_audit, track

revision = "62dbb7617415"
down_revision = "b7d2a9135ec4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema."""
    complete_audit()
    # Nobody follows the gateway, so nothing about its accounts goes to a feed.
    track(
        "account",
        kind="account",
        key=("id",),
        exclude=("password_hash", "former_password_hash", "invitation_hash", "last_used_on"),
        personal=("login", "display_name"),
        is_open=False,
        is_fed=False,
    )
    track(
        "external_identity",
        kind="external-identity",
        key=("id",),
        personal=("subject",),
        is_open=False,
        is_fed=False,
    )


def downgrade() -> None:
    """Refuse: an audit is not thrown away."""
    raise NotImplementedError
