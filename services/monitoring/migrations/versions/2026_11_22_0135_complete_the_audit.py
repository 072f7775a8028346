"""Complete the audit: readings and the chain of hashes.

Revision ID: 0cae26fa4c1a
Revises: b6455caf9fe8
"""

# ruff: noqa: INP001  Alembic's own layout

from services.kit.migrations import complete_audit

revision = "0cae26fa4c1a"
down_revision = "b6455caf9fe8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema."""
    complete_audit()


def downgrade() -> None:
    """Refuse: an audit is not thrown away."""
    raise NotImplementedError
