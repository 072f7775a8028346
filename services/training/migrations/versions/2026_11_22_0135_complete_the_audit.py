"""Complete the audit: readings and the chain of hashes.

Revision ID: 5892a98007ce
Revises: ca2252e41408
"""

# ruff: noqa: INP001  Alembic's own layout

from services.kit.migrations import complete_audit

revision = "5892a98007ce"
down_revision = "ca2252e41408"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema."""
    complete_audit()


def downgrade() -> None:
    """Refuse: an audit is not thrown away."""
    raise NotImplementedError
