"""Bind curators' grants to their region.

Revision ID: 3e7a2c9dbf53
Revises: 0cae26fa4c1a
"""

# ruff: noqa: INP001  Alembic's own layout

from services.kit.migrations import bind_grants_to_their_region

revision = "3e7a2c9dbf53"
down_revision = "0cae26fa4c1a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema."""
    bind_grants_to_their_region()


def downgrade() -> None:
    """Refuse: nobody's reach is widened again."""
    raise NotImplementedError
