"""Complete the audit: readings and the chain of hashes.

Revision ID: e7b4a33fe471
Revises: 69bce3c4942e
"""

# ruff: noqa: INP001  Alembic's own layout

from services.kit.migrations import complete_audit

revision = "e7b4a33fe471"
down_revision = "69bce3c4942e"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema."""
    complete_audit()


def downgrade() -> None:
    """Refuse: an audit is not thrown away."""
    raise NotImplementedError
